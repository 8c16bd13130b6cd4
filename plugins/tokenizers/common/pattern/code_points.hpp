#pragma once

// Reading UTF-8 one character at a time, in both directions, without trusting it.

#include <cstddef>
#include <cstdint>

namespace flowrun::tokenizers {

/// What a byte that is not part of valid UTF-8 counts as: one character that no literal, range or category but Cn holds.
inline constexpr std::uint32_t kInvalidByte = 0x110000;

/// One character: its code point, or `kInvalidByte`, and how many bytes it has in the text.
struct Character {
  std::uint32_t code_point;
  std::uint32_t bytes;
};

/// Decodes the character at `p`, which must be before `end`.
inline Character decode_at(const unsigned char* p, const unsigned char* end) noexcept {
  if (*p < 0x80) return {*p, 1};
  constexpr Character kMalformed{kInvalidByte, 1};
  const std::uint32_t bytes = *p >= 0xF0 ? 4 : *p >= 0xE0 ? 3 : 2;
  if (*p < 0xC2 || *p > 0xF4 || end - p < static_cast<std::ptrdiff_t>(bytes)) return kMalformed;
  std::uint32_t code_point = *p & (0x7Fu >> bytes);
  for (std::uint32_t i = 1; i < bytes; ++i) {
    if ((p[i] & 0xC0) != 0x80) return kMalformed;
    code_point = code_point << 6 | (p[i] & 0x3Fu);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xD800 && code_point < 0xE000;
  if (code_point < kSmallest[bytes] || code_point > 0x10FFFF || surrogate) return kMalformed;
  return {code_point, bytes};
}

/// Decodes the character that ends at `p`, which must be after `begin`.
inline Character decode_before(const unsigned char* begin, const unsigned char* p) noexcept {
  for (std::ptrdiff_t bytes = 1; bytes <= 4 && bytes <= p - begin; ++bytes) {
    if ((p[-bytes] & 0xC0) == 0x80) continue;
    const Character character = decode_at(p - bytes, p);
    if (character.bytes == bytes) return character;
    break;
  }
  return {kInvalidByte, 1};
}

}  // namespace flowrun::tokenizers
