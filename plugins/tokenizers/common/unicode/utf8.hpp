#pragma once

// UTF-8, one code point at a time.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace flowrun::tokenizers {

/// Holds a code point and the bytes it took.
struct Utf8Character {
  char32_t code_point;
  std::size_t bytes;
};

/// Decodes the code point at `begin` (below `text.size()`). Never reads beyond `text`; a byte that is not part of valid UTF-8 gives U+FFFD
/// and one byte. Any thread.
inline Utf8Character decode_utf8(std::string_view text, std::size_t begin) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[begin + i])); };
  const char32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  constexpr Utf8Character kMalformed{0xFFFD, 1};
  const std::size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() - begin < bytes) return kMalformed;
  char32_t code_point = first & (0x7Fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return kMalformed;
    code_point = code_point << 6 | (byte(i) & 0x3F);
  }
  const bool overlong = code_point < (bytes == 4 ? 0x10000u : bytes == 3 ? 0x800u : 0x80u);
  const bool surrogate = code_point >= 0xD800 && code_point < 0xE000;
  return overlong || surrogate || code_point > 0x10FFFF ? kMalformed : Utf8Character{code_point, bytes};
}

/// Decodes the code point at `at` and moves `at` behind it.
inline char32_t next_code_point(std::string_view text, std::size_t& at) noexcept {
  const Utf8Character character = decode_utf8(text, at);
  at += character.bytes;
  return character.code_point;
}

/// Returns the place of the first byte that is not part of valid UTF-8, or npos.
inline std::size_t find_malformed_utf8(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character character = decode_utf8(text, at);
    if (character.code_point == 0xFFFD && character.bytes == 1) return at;
    at += character.bytes;
  }
  return std::string_view::npos;
}

/// Returns whether `code_point` is a character: at most U+10FFFF and no surrogate.
constexpr bool is_scalar_value(char32_t code_point) noexcept { return code_point < 0xD800 || (code_point > 0xDFFF && code_point <= 0x10FFFF); }

/// Returns the bytes that `code_point` takes, 1 to 4.
constexpr std::size_t utf8_bytes(char32_t code_point) noexcept {
  return code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
}

/// Returns the bytes of the character that begins at `begin` < text.size(), by its first byte alone; never more than are left. For text that is known to
/// be UTF-8.
inline std::size_t utf8_bytes(std::string_view text, std::size_t begin) noexcept {
  const auto first = static_cast<unsigned char>(text[begin]);
  const std::size_t bytes = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  return std::min(bytes, text.size() - begin);
}

/// Appends `code_point`, a scalar value, to `out`.
inline void append_utf8(char32_t code_point, std::string& out) {
  const std::size_t bytes = utf8_bytes(code_point);
  if (bytes == 1) {
    out.push_back(static_cast<char>(code_point));
    return;
  }
  constexpr unsigned kLeads[] = {0, 0, 0xC0, 0xE0, 0xF0};
  out.push_back(static_cast<char>(kLeads[bytes] | code_point >> (6 * (bytes - 1))));
  for (std::size_t i = bytes - 1; i-- > 0;) out.push_back(static_cast<char>(0x80 | ((code_point >> (6 * i)) & 0x3F)));
}

/// Returns whether `byte` is no continuation byte.
constexpr bool begins_character(char byte) noexcept { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

/// Counts the code points of valid UTF-8.
inline std::size_t count_code_points(std::string_view text) noexcept { return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character)); }

}  // namespace flowrun::tokenizers
