#include "readers/common/charset/encoding.hpp"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

namespace flowrun::readers {
namespace {

#include "readers/common/charset/encodings.inc"

constexpr std::string_view kBlanks = "\t\n\f\r ";
constexpr std::size_t kLongestLabel = 32;

}  // namespace

const Encoding* find_encoding(std::string_view label) noexcept {
  label.remove_prefix(std::min(label.find_first_not_of(kBlanks), label.size()));
  label = label.substr(0, label.find_last_not_of(kBlanks) + 1);
  char lower[kLongestLabel];
  if (label.empty() || label.size() > kLongestLabel) return nullptr;
  std::transform(label.begin(), label.end(), lower, [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const std::string_view wanted(lower, label.size());
  const auto found = std::lower_bound(std::begin(kLabels), std::end(kLabels), wanted, [](const auto& entry, std::string_view text) { return entry.first < text; });
  return found != std::end(kLabels) && found->first == wanted ? &kEncodings[found->second] : nullptr;
}

const Encoding& utf8_encoding() noexcept { return kEncodings[0]; }

const char16_t* single_byte_table(const Encoding& encoding) noexcept { return kSingleByte[encoding.table]; }

bool find_override(const Encoding& encoding, unsigned char lead, unsigned char trail, std::string_view& text) noexcept {
  const std::pair<std::string_view, unsigned> wanted(encoding.converter, lead << 8 | trail);
  const auto found = std::lower_bound(std::begin(kOverrides), std::end(kOverrides), wanted,
                                      [](const Override& entry, const auto& key) { return std::tie(entry.converter, entry.pair) < std::tie(key.first, key.second); });
  if (found == std::end(kOverrides) || found->converter != wanted.first || found->pair != wanted.second) return false;
  text = found->text;
  return true;
}

}  // namespace flowrun::readers
