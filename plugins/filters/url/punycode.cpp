#include "punycode.hpp"

#include <flowrun/error.hpp>
#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace flowrun::filters {
namespace {

// RFC 3492, section 5.
constexpr std::uint32_t kBase = 36, kLeast = 1, kMost = 26, kSkew = 38, kDamp = 700, kFirstBias = 72, kFirstCodePoint = 128;

std::vector<std::uint32_t> code_points_of(std::string_view text) {
  std::vector<std::uint32_t> code_points;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (std::size_t at = 0; at < text.size();) {
    utf8proc_int32_t code_point;
    const auto size = utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &code_point);
    if (size < 1) throw Error(Code::kCorruptData, "'" + std::string(text) + "' is not UTF-8");
    code_points.push_back(static_cast<std::uint32_t>(code_point));
    at += static_cast<std::size_t>(size);
  }
  return code_points;
}

constexpr char digit(std::uint32_t value) noexcept { return static_cast<char>(value < 26 ? 'a' + value : '0' + (value - 26)); }

/// Section 6.1.
std::uint32_t adapted_bias(std::uint32_t delta, std::uint32_t handled, bool first) noexcept {
  delta = first ? delta / kDamp : delta / 2;
  delta += delta / handled;
  std::uint32_t k = 0;
  for (; delta > (kBase - kLeast) * kMost / 2; k += kBase) delta /= kBase - kLeast;
  return k + (kBase - kLeast + 1) * delta / (delta + kSkew);
}

void append_number(std::uint32_t number, std::uint32_t bias, std::string& out) {
  for (std::uint32_t k = kBase;; k += kBase) {
    const std::uint32_t threshold = k <= bias ? kLeast : std::min(k - bias, kMost);
    if (number < threshold) break;
    out += digit(threshold + (number - threshold) % (kBase - threshold));
    number = (number - threshold) / (kBase - threshold);
  }
  out += digit(number);
}

}  // namespace

std::string punycode(std::string_view label) {
  const std::vector<std::uint32_t> input = code_points_of(label);
  std::string out;
  for (const std::uint32_t c : input)
    if (c < kFirstCodePoint) out += static_cast<char>(c);
  const auto basic = static_cast<std::uint32_t>(out.size());
  if (basic > 0) out += '-';

  std::uint32_t next = kFirstCodePoint, delta = 0, bias = kFirstBias;
  for (std::uint32_t handled = basic; handled < input.size(); ++delta, ++next) {
    std::uint32_t least = std::numeric_limits<std::uint32_t>::max();
    for (const std::uint32_t c : input)
      if (c >= next) least = std::min(least, c);
    delta += (least - next) * (handled + 1);
    next = least;
    for (const std::uint32_t c : input) {
      if (c < next) ++delta;
      if (c != next) continue;
      append_number(delta, bias, out);
      bias = adapted_bias(delta, handled + 1, handled == basic);
      delta = 0;
      ++handled;
    }
  }
  return out;
}

}  // namespace flowrun::filters
