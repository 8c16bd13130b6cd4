#include "scanners.hpp"

#include <array>
#include <bit>
#include <cstring>

#include "categories.hpp"
#include "code_points.hpp"

namespace flowrun::tokenizers {
namespace {

// What the patterns tell apart, one bit each so that a run is a test of a mask.
constexpr std::uint8_t kUpper = 1;     // Lu, Lt
constexpr std::uint8_t kLower = 2;     // Ll
constexpr std::uint8_t kCaseless = 4;  // Lm, Lo
constexpr std::uint8_t kMark = 8;
constexpr std::uint8_t kNumber = 16;
constexpr std::uint8_t kBreak = 32;  // \r and \n
constexpr std::uint8_t kSpace = 64;  // other white space
constexpr std::uint8_t kOther = 128;

constexpr std::uint8_t kLetter = kUpper | kLower | kCaseless;
constexpr std::uint8_t kAnySpace = kBreak | kSpace;
constexpr std::uint8_t kAnyOther = kMark | kOther;

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

constexpr std::array<std::uint8_t, kCategoryCount> kCategoryClasses = make_category_classes();

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

constexpr std::array<std::uint8_t, 256> kByteClasses = make_byte_classes();

using Byte = const unsigned char*;

struct Classed {
  std::uint8_t value;
  std::uint32_t bytes;
};

// The bytes that begin characters which are letters without exception: U+5000 to U+9FFF, Chinese characters, and U+B000 to U+CFFF, Korean syllables.
constexpr bool begins_letter(unsigned char byte) noexcept { return (byte >= 0xE5 && byte <= 0xE9) || byte == 0xEB || byte == 0xEC; }

Classed decode(Byte p, Byte end) noexcept {
  if (begins_letter(*p) && end - p >= 3 && (p[1] & 0xC0) == 0x80 && (p[2] & 0xC0) == 0x80) return {kCaseless, 3};
  const Character character = decode_at(p, end);
  if (character.code_point == kInvalidByte) return {kOther, 1};
  // NEXT LINE is the one control character beyond ASCII that is white space.
  if (character.code_point == 0x85) return {kSpace, 2};
  return {kCategoryClasses[static_cast<std::size_t>(category(character.code_point))], character.bytes};
}

// Returns the class at `p`, or {0, 0} at the end.
Classed class_at(Byte p, Byte end) noexcept {
  if (p == end) return {0, 0};
  const std::uint8_t value = kByteClasses[*p];
  return value != 0 ? Classed{value, 1} : decode(p, end);
}

// Returns the end of the run of the classes in `mask` that goes on at `p`.
Byte skip(Byte p, Byte end, std::uint8_t mask) noexcept {
  while (p < end) {
    std::uint8_t value = kByteClasses[*p];
    std::uint32_t bytes = 1;
    if (value == 0) {
      const Classed classed = decode(p, end);
      value = classed.value;
      bytes = classed.bytes;
    }
    if ((value & mask) == 0) return p;
    p += bytes;
  }
  return p;
}

// Returns which of eight bytes are no ASCII letters from kFirst to kLast, by the highest bit of each. kIgnoredBit, of every byte, is taken as set.
template <char kFirst, char kLast, std::uint8_t kIgnoredBit>
std::uint64_t other_bytes(std::uint64_t bytes) noexcept {
  constexpr std::uint64_t kEach = 0x0101010101010101u, kHighest = kEach * 0x80;
  const std::uint64_t low = (bytes | kEach * kIgnoredBit) & ~kHighest;
  const std::uint64_t at_least_first = low + kEach * (0x80 - kFirst), beyond_last = low + kEach * (0x7F - kLast);
  return (~at_least_first | beyond_last | bytes) & kHighest;
}

// As `skip` for a mask that has all letters, or the small ones: eight bytes at a time while they are ASCII. A word's length is not to be foretold, so the branch on
// each of its bytes that `skip` has is what most of its time is lost with.
template <std::uint8_t kMask>
Byte skip_letters(Byte p, Byte end) noexcept {
  static_assert((kMask & kLetter) == kLetter || ((kMask & kLower) != 0 && (kMask & kUpper) == 0));
  static_assert(std::endian::native == std::endian::little, "the first byte must be the lowest");
  while (end - p >= 8) {
    std::uint64_t bytes;
    std::memcpy(&bytes, p, sizeof bytes);
    const std::uint64_t others = other_bytes<'a', 'z', (kMask & kUpper) != 0 ? 0x20 : 0>(bytes);
    if (others == 0) {
      p += 8;
      continue;
    }
    p += std::countr_zero(others) / 8;
    if (*p < 0x80) return p;
    break;
  }
  return skip(p, end, kMask);
}

// How patterns differ in what they do with white space.
enum class Space { kGpt2, kBreaks, kBreaksAndWholeTail };

// White space leaves its last character to what follows, unless it is the only one; but where breaks count, it ends behind its last break, and
// where the tail is whole, all that the text ends with stays together.
template <Space kRule>
Byte space_end(Byte begin, Byte end) noexcept {
  Byte p = begin, last = begin, behind_break = nullptr;
  while (p < end) {
    const Classed classed = class_at(p, end);
    if ((classed.value & kAnySpace) == 0) break;
    last = p;
    p += classed.bytes;
    if (classed.value == kBreak) behind_break = p;
  }
  if (kRule == Space::kBreaksAndWholeTail && p == end) return p;
  if (kRule != Space::kGpt2 && behind_break != nullptr) return behind_break;
  return p == end || last == begin ? p : last;
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

template <int kMost>
Byte numbers_end(Byte p, Byte end) noexcept {
  for (int i = 0; i < kMost; ++i) {
    const Classed classed = class_at(p, end);
    if (classed.value != kNumber) break;
    p += classed.bytes;
  }
  return p;
}

// ` ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+`, and white space.
std::size_t scan_gpt2(std::string_view text, std::size_t begin) noexcept {
  const Byte base = reinterpret_cast<Byte>(text.data()), end = base + text.size(), first = base + begin;
  if (const std::size_t bytes = contraction_bytes<false>(first, end)) return begin + bytes;
  const Byte p = *first == ' ' ? first + 1 : first;
  const Classed classed = class_at(p, end);
  if (classed.value == 0 || (classed.value & kAnySpace) != 0) return static_cast<std::size_t>(space_end<Space::kGpt2>(first, end) - base);
  if ((classed.value & kLetter) != 0) return static_cast<std::size_t>(skip_letters<kLetter>(p + classed.bytes, end) - base);
  return static_cast<std::size_t>(skip(p + classed.bytes, end, (classed.value & kAnyOther) != 0 ? kAnyOther : kNumber) - base);
}

// `[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*`, and white space.
template <int kNumbersMax, Space kRule>
std::size_t scan_cl100k(std::string_view text, std::size_t begin) noexcept {
  const Byte base = reinterpret_cast<Byte>(text.data()), end = base + text.size(), first = base + begin;
  const auto at = [base](Byte p) { return static_cast<std::size_t>(p - base); };
  // What most texts consist of, words behind a space, is decided first.
  if (*first == ' ' && end - first > 1 && (kByteClasses[first[1]] & kLetter) != 0) return at(skip_letters<kLetter>(first + 2, end));
  const Classed classed = class_at(first, end);
  const Byte second = first + classed.bytes;
  if ((classed.value & kLetter) != 0) return at(skip_letters<kLetter>(second, end));
  if (classed.value == kNumber) return at(numbers_end<kNumbersMax>(first, end));
  if (const std::size_t bytes = contraction_bytes<true>(first, end)) return begin + bytes;
  const Classed next = class_at(second, end);
  if (classed.value != kBreak && (next.value & kLetter) != 0) return at(skip_letters<kLetter>(second + next.bytes, end));
  if ((classed.value & kAnySpace) != 0 && (*first != ' ' || (next.value & kAnyOther) == 0)) return at(space_end<kRule>(first, end));
  return at(skip(skip(second, end, kAnyOther), end, kBreak));
}

struct Word {
  Byte end;       // of what was found, or null
  bool has_body;  // it ends with a lower-case or caseless letter, or a mark: the first alternative
};

// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+`, and if that fails `[\p{Lu}\p{Lt}]+`. The first part takes all that it can and then gives
// back as far as the second needs: to behind the last character that both may take.
Word cased_word(Byte begin, Byte end) noexcept {
  constexpr std::uint8_t kBoth = kCaseless | kMark;
  Byte p = begin, behind_both = nullptr;
  Classed classed = class_at(p, end);
  for (; (classed.value & (kUpper | kBoth)) != 0; classed = class_at(p, end)) {
    p += classed.bytes;
    if ((classed.value & kBoth) != 0) behind_both = p;
  }
  if (classed.value == kLower) return {skip_letters<kLower | kBoth>(p, end), true};
  if (behind_both != nullptr) return {behind_both, true};
  return {p == begin ? nullptr : p, false};
}

// Both alternatives for words, with the character that may stand before a word. A mark can be that character or begin the word itself; the
// second reading is tried before a word of capitals behind a mark.
Byte o200k_word_end(Byte first, Classed classed, Byte end) noexcept {
  if ((classed.value & kLetter) != 0) return cased_word(first, end).end;
  const Word word = cased_word(first + classed.bytes, end);
  return classed.value == kMark && !word.has_body ? first + classed.bytes : word.end;
}

std::size_t scan_o200k(std::string_view text, std::size_t begin) noexcept {
  const Byte base = reinterpret_cast<Byte>(text.data()), end = base + text.size(), first = base + begin;
  const auto at = [base](Byte p) { return static_cast<std::size_t>(p - base); };
  const Classed classed = class_at(first, end);
  if (classed.value == kNumber) return at(numbers_end<3>(first, end));
  if (classed.value != kBreak) {
    if (const Byte word_end = o200k_word_end(first, classed, end)) return at(word_end) + contraction_bytes<true>(word_end, end);
  }
  const Byte second = first + classed.bytes;
  if ((classed.value & kAnySpace) != 0 && (*first != ' ' || (class_at(second, end).value & kAnyOther) == 0))
    return at(space_end<Space::kBreaks>(first, end));
  Byte p = skip(second, end, kAnyOther);
  while (p < end && (*p == '\r' || *p == '\n' || *p == '/')) ++p;
  return at(p);
}

struct Known {
  Scanner scanner;
  bool oniguruma;  // that Oniguruma reads it so too
  std::string_view pattern;
};

#define FLOWRUN_CASED_WORDS(contraction)                                                                             \
  R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)" contraction                      \
  R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)" contraction

constexpr Known kKnown[] = {
    // GPT-2: github.com/openai/gpt-2, tiktoken before and since 0.8.
    {scan_gpt2, true, R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"},
    {scan_gpt2, true, R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"},
    {scan_gpt2, true, R"('(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s)"},
    // cl100k_base as Llama 3 and the converted GPT-4 have it; Qwen2, with single numbers; tiktoken before 0.8 and since, and how Oniguruma says that.
    {scan_cl100k<3, Space::kBreaks>, true,
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {scan_cl100k<1, Space::kBreaks>, true,
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {scan_cl100k<3, Space::kBreaks>, true,
     R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)"},
    {scan_cl100k<3, Space::kBreaksAndWholeTail>, false,
     R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)"},
    {scan_cl100k<3, Space::kBreaksAndWholeTail>, true,
     R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)"},
    // o200k_base: tiktoken, GPT-4o and gpt-oss.
    {scan_o200k, true,
     FLOWRUN_CASED_WORDS("(?i:'s|'t|'re|'ve|'m|'ll|'d)?") R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
};

#undef FLOWRUN_CASED_WORDS

}  // namespace

Scanner find_scanner(std::string_view pattern, Dialect dialect) noexcept {
  for (const Known& known : kKnown)
    if (known.pattern == pattern && (known.oniguruma || dialect == Dialect::kTiktoken)) return known.scanner;
  return nullptr;
}

}  // namespace flowrun::tokenizers
