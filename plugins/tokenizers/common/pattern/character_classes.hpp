#pragma once

// What the patterns of byte-level BPE tell apart of characters, one bit each so that a run is a test of a mask; and the contractions that they know.

#include <array>
#include <cstddef>
#include <cstdint>

#include "categories.hpp"
#include "code_points.hpp"

namespace flowrun::tokenizers::scanning {

inline constexpr std::uint8_t kUpper = 1;     // Lu, Lt
inline constexpr std::uint8_t kLower = 2;     // Ll
inline constexpr std::uint8_t kCaseless = 4;  // Lm, Lo
inline constexpr std::uint8_t kMark = 8;
inline constexpr std::uint8_t kNumber = 16;
inline constexpr std::uint8_t kBreak = 32;  // \r and \n
inline constexpr std::uint8_t kSpace = 64;  // other white space
inline constexpr std::uint8_t kOther = 128;

inline constexpr std::uint8_t kLetter = kUpper | kLower | kCaseless;
inline constexpr std::uint8_t kAnySpace = kBreak | kSpace;
inline constexpr std::uint8_t kAnyOther = kMark | kOther;

constexpr std::uint8_t class_of(Category value) {
  switch (value) {
    case Category::kLu: case Category::kLt: return kUpper;
    case Category::kLl: return kLower;
    case Category::kLm: case Category::kLo: return kCaseless;
    case Category::kMc: case Category::kMe: case Category::kMn: return kMark;
    case Category::kNd: case Category::kNl: case Category::kNo: return kNumber;
    case Category::kZl: case Category::kZp: case Category::kZs: return kSpace;
    default: return kOther;
  }
}

constexpr std::array<std::uint8_t, kCategoryCount> make_category_classes() {
  std::array<std::uint8_t, kCategoryCount> classes{};
  for (int i = 0; i < kCategoryCount; ++i) classes[static_cast<std::size_t>(i)] = class_of(static_cast<Category>(i));
  return classes;
}

inline constexpr std::array<std::uint8_t, kCategoryCount> kCategoryClasses = make_category_classes();

// The class of each byte below 0x80, and none for bytes that need decoding, so that one load decides both.
constexpr std::array<std::uint8_t, 256> make_byte_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (std::size_t byte = 0; byte < 0x80; ++byte) {
    classes[byte] = kOther;
    if (byte >= 'A' && byte <= 'Z') classes[byte] = kUpper;
    if (byte >= 'a' && byte <= 'z') classes[byte] = kLower;
    if (byte >= '0' && byte <= '9') classes[byte] = kNumber;
    if (byte == ' ' || (byte >= '\t' && byte <= '\r')) classes[byte] = byte == '\r' || byte == '\n' ? kBreak : kSpace;
  }
  return classes;
}

inline constexpr std::array<std::uint8_t, 256> kByteClasses = make_byte_classes();

using Byte = const unsigned char*;

struct Classed {
  std::uint8_t value;
  std::uint32_t bytes;
};

// The bytes that begin characters which are letters without exception: U+5000 to U+9FFF, Chinese characters, and U+B000 to U+CFFF, Korean syllables.
constexpr bool begins_letter(unsigned char byte) noexcept { return (byte >= 0xE5 && byte <= 0xE9) || byte == 0xEB || byte == 0xEC; }

inline Classed decode(Byte p, Byte end) noexcept {
  if (begins_letter(*p) && end - p >= 3 && (p[1] & 0xC0) == 0x80 && (p[2] & 0xC0) == 0x80) return {kCaseless, 3};
  const Character character = decode_at(p, end);
  if (character.code_point == kInvalidByte) return {kOther, 1};
  // NEXT LINE is the one control character beyond ASCII that is white space.
  if (character.code_point == 0x85) return {kSpace, 2};
  return {kCategoryClasses[static_cast<std::size_t>(category(character.code_point))], character.bytes};
}

// Returns the class at `p`, or {0, 0} at the end.
inline Classed class_at(Byte p, Byte end) noexcept {
  if (p == end) return {0, 0};
  const std::uint8_t value = kByteClasses[*p];
  return value != 0 ? Classed{value, 1} : decode(p, end);
}

// `'s|'t|'re|'ve|'m|'ll|'d` at `p`: returns its bytes, or 0. In any case, s is also U+017F, LONG S.
template <bool kAnyCase>
std::size_t contraction_bytes(Byte p, Byte end) noexcept {
  if (end - p < 2 || *p != '\'') return 0;
  const auto letter = [](unsigned char byte) { return kAnyCase && byte >= 'A' && byte <= 'Z' ? static_cast<unsigned char>(byte | 0x20) : byte; };
  const unsigned char second = end - p > 2 ? letter(p[2]) : 0;
  switch (letter(p[1])) {
    case 's': case 't': case 'm': case 'd': return 2;
    case 'r': case 'v': return second == 'e' ? 3 : 0;
    case 'l': return second == 'l' ? 3 : 0;
    case 0xC5: return kAnyCase && second == 0xBF ? 3 : 0;
    default: return 0;
  }
}

}  // namespace flowrun::tokenizers::scanning
