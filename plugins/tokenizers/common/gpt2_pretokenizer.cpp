#include "gpt2_pretokenizer.hpp"

#include <array>
#include <cstdint>

#include "unicode_classes.hpp"

namespace flowrun::bpe {
namespace {

// The class of each byte below 0x80, and a value of its own for bytes that need decoding, so that one load decides both.
constexpr std::uint8_t kNotAscii = 4;

constexpr std::array<std::uint8_t, 256> make_byte_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    auto value = CharClass::kOther;
    if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z')) value = CharClass::kLetter;
    if (byte >= '0' && byte <= '9') value = CharClass::kNumber;
    if (byte == ' ' || (byte >= '\t' && byte <= '\r')) value = CharClass::kSpace;
    classes[byte] = byte < 0x80 ? static_cast<std::uint8_t>(value) : kNotAscii;
  }
  return classes;
}

constexpr std::array<std::uint8_t, 256> kByteClasses = make_byte_classes();

struct Character {
  CharClass char_class;
  std::size_t bytes;
};

// Decodes the character at `p`, whose first byte is not ASCII. Out of line in spirit: most text takes the table instead.
Character decode(const unsigned char* p, const unsigned char* end) noexcept {
  constexpr Character kMalformed{CharClass::kOther, 1};
  const std::size_t bytes = *p >= 0xF0 ? 4 : *p >= 0xE0 ? 3 : 2;
  if (*p < 0xC2 || *p > 0xF4 || static_cast<std::size_t>(end - p) < bytes) return kMalformed;
  std::uint32_t code_point = *p & (0x7Fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((p[i] & 0xC0) != 0x80) return kMalformed;
    code_point = code_point << 6 | (p[i] & 0x3Fu);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xD800 && code_point < 0xE000;
  if (code_point < kSmallest[bytes] || code_point > 0x10FFFF || surrogate) return kMalformed;
  return {char_class(code_point), bytes};
}

Character character_at(const unsigned char* p, const unsigned char* end) noexcept {
  const std::uint8_t value = kByteClasses[*p];
  return value == kNotAscii ? decode(p, end) : Character{static_cast<CharClass>(value), 1};
}

// Returns the end of the run of `run_class` that goes on at `p`.
const unsigned char* skip(const unsigned char* p, const unsigned char* end, CharClass run_class) noexcept {
  while (p < end) {
    const std::uint8_t value = kByteClasses[*p];
    if (value == static_cast<std::uint8_t>(run_class)) {
      ++p;
    } else {
      if (value != kNotAscii) return p;
      const Character character = decode(p, end);
      if (character.char_class != run_class) return p;
      p += character.bytes;
    }
  }
  return p;
}

// `\s+(?!\S)|\s+`: a run of white space leaves its last character to what follows, unless nothing follows or it is the only one.
const unsigned char* skip_space(const unsigned char* begin, const unsigned char* end) noexcept {
  const unsigned char *p = begin, *last = begin;
  while (p < end) {
    const Character character = character_at(p, end);
    if (character.char_class != CharClass::kSpace) return last == begin ? p : last;
    last = p;
    p += character.bytes;
  }
  return p;
}

// `'s|'t|'re|'ve|'m|'ll|'d` behind an apostrophe at `p`: returns its bytes, or 0.
std::size_t contraction_bytes(const unsigned char* p, const unsigned char* end) noexcept {
  if (end - p < 2) return 0;
  switch (p[1]) {
    case 's': case 't': case 'm': case 'd': return 2;
    case 'r': case 'v': return end - p > 2 && p[2] == 'e' ? 3 : 0;
    case 'l': return end - p > 2 && p[2] == 'l' ? 3 : 0;
    default: return 0;
  }
}

}  // namespace

std::size_t gpt2_pretoken_end(std::string_view text, std::size_t begin) noexcept {
  const auto* const base = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char* const end = base + text.size();
  const unsigned char* p = base + begin;
  if (*p == '\'') {
    if (const std::size_t bytes = contraction_bytes(p, end)) return begin + bytes;
  }
  // Only U+0020 goes with the run behind it; any other white space does not.
  if (*p == ' ' && p + 1 < end) ++p;
  const Character first = character_at(p, end);
  if (first.char_class == CharClass::kSpace) return static_cast<std::size_t>(skip_space(base + begin, end) - base);
  return static_cast<std::size_t>(skip(p + first.bytes, end, first.char_class) - base);
}

}  // namespace flowrun::bpe
