#include "config/utf8.hpp"

#include <algorithm>

namespace flowrun::config {
namespace {

bool is_continuation(unsigned char byte) noexcept { return (byte & 0xC0U) == 0x80U; }

}  // namespace

std::size_t utf8_length(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U; };
  const unsigned first = byte(0);
  const unsigned second = byte(1);
  if (first < 0x80) return at < text.size() ? 1 : 0;
  if (first < 0xC2) return 0;
  if (first < 0xE0) return is_continuation(static_cast<unsigned char>(second)) ? 2 : 0;
  // The range of the second byte is what keeps out overlong forms, surrogates and code points above U+10FFFF.
  unsigned low = 0x80;
  unsigned high = 0xBF;
  if (first == 0xE0) low = 0xA0;
  if (first == 0xED) high = 0x9F;
  if (first == 0xF0) low = 0x90;
  if (first == 0xF4) high = 0x8F;
  if (first > 0xF4 || second < low || second > high || !is_continuation(static_cast<unsigned char>(byte(2)))) return 0;
  if (first < 0xF0) return 3;
  return is_continuation(static_cast<unsigned char>(byte(3))) ? 4 : 0;
}

std::size_t count_code_points(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(static_cast<unsigned char>(c)); }));
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0) {
      result += "\xEF\xBF\xBD";
      ++at;
    } else {
      result += text.substr(at, length);
      at += length;
    }
  }
  return result;
}

}  // namespace flowrun::config
