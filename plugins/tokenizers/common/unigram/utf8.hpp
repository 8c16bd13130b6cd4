#pragma once

// Steps over UTF-8 that has been checked before; of other bytes only this is promised, that nothing behind the end is read.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace flowrun::tokenizers {

/// Returns the bytes of the character that begins at `begin` < text.size(), never more than are left.
inline std::size_t utf8_bytes(std::string_view text, std::size_t begin) noexcept {
  const auto lead = static_cast<unsigned char>(text[begin]);
  const std::size_t bytes = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return std::min(bytes, text.size() - begin);
}

/// Returns the code point of a character, of 1 to 4 bytes.
inline char32_t utf8_decode(std::string_view character) noexcept {
  const auto lead = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return lead;
  char32_t code_point = lead & (0x7Fu >> character.size());
  for (std::size_t i = 1; i < character.size(); ++i) code_point = code_point << 6 | (static_cast<unsigned char>(character[i]) & 0x3Fu);
  return code_point;
}

/// Appends the bytes of `code_point`, at most 0x10FFFF.
inline void utf8_append(char32_t code_point, std::string& out) {
  const auto continuation = [&](unsigned shift) { out += static_cast<char>(0x80 | (code_point >> shift & 0x3F)); };
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += static_cast<char>(0xC0 | code_point >> 6);
    continuation(0);
  } else if (code_point < 0x10000) {
    out += static_cast<char>(0xE0 | code_point >> 12);
    continuation(6);
    continuation(0);
  } else {
    out += static_cast<char>(0xF0 | code_point >> 18);
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

/// Returns the place of the first byte that is not UTF-8 (overlong forms, surrogates and code points above 0x10FFFF are not), or npos.
inline std::size_t utf8_error(std::string_view text) noexcept {
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t bytes = utf8_bytes(text, i);
    if (lead < 0xC2 || lead > 0xF4 || bytes < (lead < 0xE0 ? 2u : lead < 0xF0 ? 3u : 4u)) return i;
    for (std::size_t k = 1; k < bytes; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return i;
    const char32_t code_point = utf8_decode(text.substr(i, bytes));
    if (code_point < kSmallest[bytes] || code_point > 0x10FFFF || (code_point >= 0xD800 && code_point < 0xE000)) return i;
    i += bytes;
  }
  return std::string_view::npos;
}

}  // namespace flowrun::tokenizers
