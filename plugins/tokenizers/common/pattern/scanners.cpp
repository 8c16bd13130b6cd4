#include "scanners.hpp"

#include <bit>
#include <cstring>

#include "character_classes.hpp"
#include "class_window.hpp"
#include "window_starts.hpp"

namespace flowrun::tokenizers {
namespace {

using namespace scanning;

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

// Window by window, and by kScanner what is longer than a window or stands at the end of the text. Each window begins at the last start of the one before it.
template <Scanner kScanner, auto kStarts>
std::size_t scan_windows(std::string_view text, std::size_t begin, std::size_t* ends) noexcept {
  const Byte base = reinterpret_cast<Byte>(text.data()), end = base + text.size();
  std::size_t count = 0;
  while (count + kWindowBytes <= kPretokensAtOnce && begin < text.size()) {
    std::uint64_t starts = 0;
    if (text.size() - begin > kWindowBytes) starts = kStarts(read_window(base + begin, end), base + begin, end) & ~std::uint64_t{1};
    if (starts == 0) {
      ends[count++] = begin = kScanner(text, begin);
      continue;
    }
    const std::size_t window = begin;
    for (; starts != 0; starts &= starts - 1) ends[count++] = begin = window + static_cast<std::size_t>(std::countr_zero(starts));
  }
  return count;
}

struct Known {
  Scanner scanner;
  BatchScanner batch_scanner;
  bool oniguruma;  // that Oniguruma reads it so too
  std::string_view pattern;
};

#define FLOWRUN_CASED_WORDS(contraction)                                                                             \
  R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)" contraction                      \
  R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)" contraction

constexpr Known gpt2(std::string_view pattern) { return {scan_gpt2, scan_windows<scan_gpt2, gpt2_starts>, true, pattern}; }

template <int kNumbersMax, Space kRule>
constexpr Known cl100k(bool oniguruma, std::string_view pattern) {
  return {scan_cl100k<kNumbersMax, kRule>, scan_windows<scan_cl100k<kNumbersMax, kRule>, cl100k_starts<kNumbersMax>>, oniguruma, pattern};
}

constexpr Known kKnown[] = {
    // GPT-2: github.com/openai/gpt-2, tiktoken before and since 0.8.
    gpt2(R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"),
    gpt2(R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"),
    gpt2(R"('(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s)"),
    // cl100k_base as Llama 3 and the converted GPT-4 have it; Qwen2, with single numbers; tiktoken before 0.8 and since, and how Oniguruma says that.
    cl100k<3, Space::kBreaks>(true,
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"),
    cl100k<1, Space::kBreaks>(true,
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"),
    cl100k<3, Space::kBreaks>(true,
     R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)"),
    cl100k<3, Space::kBreaksAndWholeTail>(false,
     R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)"),
    cl100k<3, Space::kBreaksAndWholeTail>(true,
     R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)"),
    // o200k_base: tiktoken, GPT-4o and gpt-oss.
    {scan_o200k, scan_one_by_one<scan_o200k>, true,
     FLOWRUN_CASED_WORDS("(?i:'s|'t|'re|'ve|'m|'ll|'d)?") R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
};

#undef FLOWRUN_CASED_WORDS

const Known* find_known(std::string_view pattern, Dialect dialect) noexcept {
  for (const Known& known : kKnown)
    if (known.pattern == pattern && (known.oniguruma || dialect == Dialect::kTiktoken)) return &known;
  return nullptr;
}

}  // namespace

Scanner find_scanner(std::string_view pattern, Dialect dialect) noexcept {
  const Known* const known = find_known(pattern, dialect);
  return known == nullptr ? nullptr : known->scanner;
}

BatchScanner find_batch_scanner(std::string_view pattern, Dialect dialect) noexcept {
  const Known* const known = find_known(pattern, dialect);
  return known == nullptr ? nullptr : known->batch_scanner;
}

}  // namespace flowrun::tokenizers
