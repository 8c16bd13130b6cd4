#include "common/text/python_lower.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

#include "common/text/python_text.hpp"

namespace flowrun::text {
namespace {

struct Range {
  std::uint32_t first, last;
};
#include "common/text/case_tables.inc"

constexpr std::uint32_t kCapitalSigma = 0x3A3, kSigma = 0x3C3, kFinalSigma = 0x3C2;
constexpr std::uint32_t kCapitalIWithDot = 0x130;
constexpr std::string_view kIAndDot = "i\xCC\x87";

template <std::size_t kSize>
bool is_in(const Range (&ranges)[kSize], std::uint32_t code_point) {
  const auto* after = std::upper_bound(std::begin(ranges), std::end(ranges), code_point, [](std::uint32_t value, const Range& range) { return value < range.first; });
  return after != std::begin(ranges) && code_point <= std::prev(after)->last;
}

bool cased_before(std::string_view text, std::size_t at) {
  while (at > 0) {
    at = last_code_point(text.substr(0, at));
    if (const std::uint32_t value = code_point_at(text, at).value; !is_in(kCaseIgnorableRanges, value)) return is_in(kCasedRanges, value);
  }
  return false;
}

bool cased_behind(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const CodePoint c = code_point_at(text, at);
    if (!is_in(kCaseIgnorableRanges, c.value)) return is_in(kCasedRanges, c.value);
    at = c.end;
  }
  return false;
}

std::size_t ascii_prefix(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::find_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }) - text.begin());
}

void append_ascii_lower(std::string_view text, std::string& out) {
  const std::size_t before = out.size();
  out += text;
  for (std::size_t i = before; i < out.size(); ++i) out[i] = static_cast<char>(out[i] + (out[i] >= 'A' && out[i] <= 'Z' ? 'a' - 'A' : 0));
}

void append(std::uint32_t code_point, std::string& out) {
  std::array<utf8proc_uint8_t, 4> bytes;
  const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code_point), bytes.data());
  out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(size));
}

}  // namespace

std::string python_lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (const std::size_t ascii = ascii_prefix(text.substr(at)); ascii > 0) {
      append_ascii_lower(text.substr(at, ascii), out);
      at += ascii;
      continue;
    }
    const CodePoint c = code_point_at(text, at);
    if (c.value == kCapitalIWithDot) out += kIAndDot;
    else if (c.value == kCapitalSigma) append(cased_before(text, at) && !cased_behind(text, c.end) ? kFinalSigma : kSigma, out);
    else append(static_cast<std::uint32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c.value))), out);
    at = c.end;
  }
  return out;
}

}  // namespace flowrun::text
