#include "readers/common/html_entities.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>

#include "readers/common/utf8.hpp"

namespace flowrun::readers {
namespace {

struct NamedEntity {
  std::string_view name, characters;
};

constexpr NamedEntity kNamed[] = {
#include "readers/common/html_entities.inc"
};

constexpr std::size_t kLongestName = 31;  // CounterClockwiseContourIntegral

bool is_character(std::uint32_t code) noexcept {
  const bool control = (code < 0x20 && code != '\t' && code != '\n' && code != '\r') || (code >= 0x7F && code < 0xA0);
  return !control && code < 0x110000 && (code < 0xD800 || code > 0xDFFF);
}

/// Decodes what stands between "&#" and the semicolon.
bool decode_number(std::string_view digits, std::string& out) {
  const bool hex = digits.starts_with('x') || digits.starts_with('X');
  if (hex) digits.remove_prefix(1);
  std::uint32_t code = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, hex ? 16 : 10);
  if (error != std::errc() || end != digits.data() + digits.size() || !is_character(code)) return false;
  append_utf8(code, out);
  return true;
}

bool decode_name(std::string_view name, std::string& out) {
  const NamedEntity* found = std::lower_bound(std::begin(kNamed), std::end(kNamed), name, [](const NamedEntity& entity, std::string_view key) { return entity.name < key; });
  if (found == std::end(kNamed) || found->name != name) return false;
  out += found->characters;
  return true;
}

}  // namespace

std::size_t decode_entity(std::string_view text, std::string& out) {
  const std::size_t end = text.substr(0, kLongestName + 2).find(';');
  if (end == std::string_view::npos || end < 2) return 0;
  const std::string_view body = text.substr(1, end - 1);
  const bool decoded = body.front() == '#' ? decode_number(body.substr(1), out) : decode_name(body, out);
  return decoded ? end + 1 : 0;
}

}  // namespace flowrun::readers
