#pragma once

// Classes of bytes, and where the next digit stands: what every scanner of this folder begins with. Bytes of other scripts belong to no class, so that text is read
// as UTF-8 without being decoded.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace flowrun::filters::pii {

/// Bits of `classes`.
enum ByteClass : std::uint8_t {
  kDigit = 1,
  kUpper = 2,
  kLower = 4,
  kUnderscore = 8,
  kHex = 16,
  kAtom = 32,   ///< a character of an e-mail's local part (RFC 5322, atext)
  kLocal = 64,  ///< a character of a local part as it is used: atext without those that quote or separate, and the period
  kLetter = kUpper | kLower,
  kAlnum = kDigit | kLetter,
  kWord = kAlnum | kUnderscore,
};

inline constexpr std::array<std::uint8_t, 256> kByteClasses = [] {
  std::array<std::uint8_t, 256> classes{};
  const auto mark = [&](std::string_view bytes, unsigned bits) {
    for (const char c : bytes) classes[static_cast<unsigned char>(c)] = static_cast<std::uint8_t>(classes[static_cast<unsigned char>(c)] | bits);
  };
  mark("0123456789", kDigit | kHex | kAtom | kLocal);
  mark("ABCDEFGHIJKLMNOPQRSTUVWXYZ", kUpper | kAtom | kLocal);
  mark("abcdefghijklmnopqrstuvwxyz", kLower | kAtom | kLocal);
  mark("ABCDEFabcdef", kHex);
  mark("_", kUnderscore);
  mark("!#$%&'*+/=?^_`{|}~-", kAtom);
  mark("_.%+'-", kLocal);
  return classes;
}();

inline bool is(char c, unsigned classes) noexcept { return (kByteClasses[static_cast<unsigned char>(c)] & classes) != 0; }
inline bool is_at(std::string_view text, std::size_t at, unsigned classes) noexcept { return at < text.size() && is(text[at], classes); }
inline bool is_before(std::string_view text, std::size_t at, unsigned classes) noexcept { return at > 0 && is(text[at - 1], classes); }
inline bool has_at(std::string_view text, std::size_t at, char c) noexcept { return at < text.size() && text[at] == c; }

/// Returns the end of the run of `classes` that begins at `at`.
inline std::size_t run_end(std::string_view text, std::size_t at, unsigned classes) noexcept {
  while (is_at(text, at, classes)) ++at;
  return at;
}

/// Returns the place of the first digit from `at` on, or the text's size. Eight bytes at a time: a byte is a digit where its high half is 3 and the low one is below 10.
inline std::size_t find_digit(std::string_view text, std::size_t at) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t bytes;
    std::memcpy(&bytes, text.data() + at, 8);
    const std::uint64_t high = (bytes & 0xF0 * kOnes) ^ 0x30 * kOnes;         // 0 in bytes with the high half 3
    const std::uint64_t low = ((bytes & 0x0F * kOnes) + 6 * kOnes) & 0x10 * kOnes;  // not 0 where the low half is over 9
    const std::uint64_t other = high | low;
    const std::uint64_t digits = ~(((other & 0x7F * kOnes) + 0x7F * kOnes) | other) & 0x80 * kOnes;
    if (digits != 0) {
      static_assert(std::endian::native == std::endian::little);
      return at + static_cast<std::size_t>(std::countr_zero(digits)) / 8;
    }
  }
  while (at < text.size() && !is(text[at], kDigit)) ++at;
  return at;
}

}  // namespace flowrun::filters::pii
