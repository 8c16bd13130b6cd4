#include "common/text/english/affixes.hpp"

#include <algorithm>

#include "common/text/english/tables.hpp"

namespace flowrun::text::english {
namespace {

constexpr std::uint32_t kEllipsis = 0x2026, kApostrophe = 0x2019, kDegree = 0xB0, kEnDash = 0x2013, kEmDash = 0x2014;

/// Asks about characters of [lo, hi); what is outside has no character and no class.
struct Window {
  const Chunk& chunk;
  std::size_t lo, hi;

  bool inside(std::size_t at) const noexcept { return at >= lo && at < hi; }
  std::uint32_t character(std::size_t at) const noexcept { return inside(at) ? chunk.characters[at] : 0; }
  bool has(std::size_t at, std::uint16_t bits) const noexcept { return inside(at) && (chunk.classes[at] & bits) != 0; }
  bool digit(std::size_t at) const noexcept { return inside(at) && is_ascii_digit(chunk.characters[at]); }
  bool letter_or_digit(std::size_t at) const noexcept { return has(at, kAlpha) || digit(at); }
  /// Counts equal characters from `at` on.
  std::size_t run(std::size_t at) const noexcept {
    std::size_t end = at;
    while (end < hi && chunk.characters[end] == chunk.characters[at]) ++end;
    return end - at;
  }
};

bool is_unit(std::string_view text) noexcept {
  const auto all = units();
  return std::find(all.begin(), all.end(), text) != all.end();
}

/// A unit or currency behind a digit: the longest one, which a search finds first.
std::size_t unit_size(const Window& in, std::string_view text) noexcept {
  if (in.digit(in.hi - 1)) return 0;  // none ends with a digit
  for (std::size_t size = std::min(longest_unit(), in.hi - in.lo); size > 0; --size)
    if (in.digit(in.hi - size - 1) && is_unit(text.substr(in.chunk.at[in.hi - size], in.chunk.at[in.hi] - in.chunk.at[in.hi - size]))) return size;
  return 0;
}

std::size_t period_suffix(const Window& in) noexcept {
  std::size_t begin = in.hi - 1;
  while (begin > in.lo && in.character(begin - 1) == '.') --begin;
  if (in.hi - begin >= 2) return in.hi - begin;
  if (begin == in.lo) return 0;
  if (in.has(begin - 1, kBeforePeriod)) return 1;
  if (begin < in.lo + 2) return 0;
  if (in.has(begin - 1, kUpper) && in.has(begin - 2, kUpper)) return 1;
  return in.character(begin - 2) == kDegree && std::string_view("FfCcKk").find(static_cast<char>(in.character(begin - 1))) != std::string_view::npos && in.character(begin - 1) < 0x80;
}

/// Hyphens between a letter or digit and a letter, tried in the order of spaCy's HYPHENS.
std::size_t hyphen_size(const Window& in, std::size_t at) noexcept {
  const std::uint32_t c = in.character(at);
  const std::size_t most = c == '-' ? 3 : c == kEmDash ? 2 : c == kEnDash || c == '~' ? 1 : 0;
  if (most == 0 || at == in.lo || !in.letter_or_digit(at - 1)) return 0;
  const std::size_t size = in.run(at);
  return size <= most && in.has(at + size, kAlpha) ? size : 0;
}

}  // namespace

std::size_t prefix_size(const Chunk& chunk, std::size_t lo, std::size_t hi) noexcept {
  if (chunk.classes[lo] & kPrefix) return 1;
  const Window in{chunk, lo, hi};
  switch (chunk.characters[lo]) {
    case '+': return in.digit(lo + 1) ? 0 : 1;
    case '.': return in.run(lo) >= 2 ? in.run(lo) : 0;
    case 'U': return in.character(lo + 1) == 'S' && in.character(lo + 2) == '$' ? 3 : 0;
    case 'A': case 'C': return in.character(lo + 1) == '$' ? 2 : 0;
    default: return 0;
  }
}

// A search finds the suffix that begins first, which is the longest.
std::size_t suffix_size(const Chunk& chunk, std::size_t lo, std::size_t hi, std::string_view text) noexcept {
  if (lo == hi) return 0;
  const Window in{chunk, lo, hi};
  const std::uint32_t last = chunk.characters[hi - 1];
  if (last == '.') return period_suffix(in);
  const std::uint32_t before = hi - lo >= 2 ? chunk.characters[hi - 2] : 0;
  if ((last == 's' || last == 'S') && (before == '\'' || before == kApostrophe)) return 2;
  if (last == kEllipsis && before == kEllipsis) return 2;
  if (const std::size_t size = unit_size(in, text); size > 0) return size;
  return (chunk.classes[hi - 1] & kSuffix) != 0 || (last == '+' && hi - lo >= 2 && is_ascii_digit(before));
}

std::size_t infix_size(const Chunk& chunk, std::size_t lo, std::size_t hi, std::size_t at) noexcept {
  if (chunk.classes[at] & kIcon) return 1;
  const Window in{chunk, lo, hi};
  const bool inside = at > lo && at + 1 < hi;
  switch (chunk.characters[at]) {
    case kEllipsis: return 1;
    case '.':
      if (const std::size_t size = in.run(at); size >= 2) return size;
      return inside && in.has(at - 1, kLower | kQuote) && in.has(at + 1, kUpper | kQuote);
    case ',': return inside && in.has(at - 1, kAlpha) && in.has(at + 1, kAlpha);
    case '+': case '*': case '^': case '-':
      if (inside && in.digit(at - 1) && (in.digit(at + 1) || in.character(at + 1) == '-')) return 1;
      return hyphen_size(in, at);
    case ':': case '<': case '>': case '=': case '/': return inside && in.letter_or_digit(at - 1) && in.has(at + 1, kAlpha);
    default: return hyphen_size(in, at);
  }
}

}  // namespace flowrun::text::english
