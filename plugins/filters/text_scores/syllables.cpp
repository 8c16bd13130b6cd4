#include "syllables.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>

namespace flowrun::filters {
namespace {

/// Bits of letters, a first.
constexpr std::uint32_t bits_of(std::u32string_view letters) noexcept {
  std::uint32_t bits = 0;
  for (const char32_t letter : letters) bits |= 1u << (letter - U'a');
  return bits;
}
bool is_one_of(char32_t letter, std::uint32_t bits) noexcept { return letter >= U'a' && letter <= U'z' && (bits >> (letter - U'a') & 1); }
bool is_vowel(char32_t letter) noexcept { return is_one_of(letter, bits_of(U"aeiou")); }
bool is_vowel_or_y(char32_t letter) noexcept { return is_one_of(letter, bits_of(U"aeiouy")); }

/// Patterns that may stand anywhere, each counted once however often it is there.
enum Pattern : std::uint32_t {
  kCial = 1 << 0, kTia = 1 << 1, kCius = 1 << 2, kCious = 1 << 3, kGiu = 1 << 4, kIon = 1 << 5, kIou = 1 << 6,
  kLess = (1 << 7) - 1,
  kIa = 1 << 7, kRiet = 1 << 8, kDien = 1 << 9, kIu = 1 << 10, kIo = 1 << 11, kIi = 1 << 12, kLien = 1 << 13, kUa = 1 << 14, kThreeVowels = 1 << 15, kMicroor = 1 << 16,
};

/// Returns the patterns that have their i at `at`.
std::uint32_t patterns_around_i(std::u32string_view word, std::size_t at) noexcept {
  const char32_t before = at > 0 ? word[at - 1] : 0;
  const std::u32string_view behind = word.substr(at + 1);
  std::uint32_t found = 0;
  switch (behind.empty() ? 0 : behind[0]) {
    case U'a':
      found |= kIa;
      if (before == U't') found |= kTia;
      if (before == U'c' && behind.starts_with(U"al")) found |= kCial;
      break;
    case U'e':
      if (before == U'r' && behind.starts_with(U"et")) found |= kRiet;
      if (before == U'd' && behind.starts_with(U"en")) found |= kDien;
      if (before == U'l' && at > 1 && word[at - 2] != U'l' && behind.starts_with(U"en")) found |= kLien;
      break;
    case U'i': found |= kIi; break;
    case U'o':
      found |= kIo;
      if (behind.starts_with(U"on")) found |= kIon;
      if (behind.starts_with(U"ou")) found |= kIou;
      if (before == U'c' && behind.starts_with(U"ous")) found |= kCious;
      break;
    case U'u':
      found |= kIu;
      if (before == U'g') found |= kGiu;
      if (before == U'c' && behind.starts_with(U"us")) found |= kCius;
      break;
    default: break;
  }
  return found;
}

/// Returns whether "ua" at `at` stands between letters that make two syllables of it: [^gq]ua[^auieo].
bool is_split_ua(std::u32string_view word, std::size_t at) noexcept {
  return at > 0 && at + 2 < word.size() && word[at + 1] == U'a' && word[at - 1] != U'g' && word[at - 1] != U'q' && !is_vowel(word[at + 2]);
}

/// Returns what the patterns that hold to the word's beginning or end add or take.
int change_at_ends(std::u32string_view word) noexcept {
  const auto from_end = [&](std::size_t n) { return word.size() >= n ? word[word.size() - n] : char32_t{0}; };
  int change = 0;
  if (word.ends_with(U"sia")) --change;
  if (word.ends_with(U"ely") && word.size() > 3) --change;
  if (word.ends_with(U"ed") && word.size() > 2 && from_end(3) != U't' && from_end(3) != U'd') --change;
  if (word.ends_with(U"bl") && word.size() > 2 && (is_vowel_or_y(from_end(3)) || from_end(3) == U'm')) ++change;
  if (word.ends_with(U'l') && word.size() > 2 && from_end(2) == from_end(3) && !is_vowel_or_y(from_end(2))) ++change;
  for (const auto end : {std::u32string_view(U"ism"), std::u32string_view(U"isms"), std::u32string_view(U"dnt")}) change += word.ends_with(end);
  if (word.starts_with(U"mc")) ++change;
  if (word.size() > 4 && word.starts_with(U"coa") && std::u32string_view(U"dglx").find(word[3]) != std::u32string_view::npos) ++change;
  return change;
}

}  // namespace

std::int64_t count_syllables(std::u32string_view word) noexcept {
  if (word == U"w") return 2;
  if (word.size() <= 1) return 1;
  if (word.ends_with(U'e')) word.remove_suffix(1);
  std::int64_t groups = 0;
  std::uint32_t patterns = 0;
  if (word.find(U"microor") != std::u32string_view::npos) patterns |= kMicroor;
  std::size_t vowels = 0;  // in a row, without y
  bool in_group = false;
  for (std::size_t at = 0; at < word.size(); ++at) {
    const bool in_this = is_vowel_or_y(word[at]);
    groups += in_this && !in_group;
    in_group = in_this;
    vowels = is_vowel(word[at]) ? vowels + 1 : 0;
    if (vowels == 3) patterns |= kThreeVowels;
    if (word[at] == U'i') patterns |= patterns_around_i(word, at);
    if (word[at] == U'u' && is_split_ua(word, at)) patterns |= kUa;
  }
  const int change = std::popcount(patterns & ~std::uint32_t{kLess}) - std::popcount(patterns & kLess) + change_at_ends(word);
  return std::max<std::int64_t>(1, groups + change);
}

}  // namespace flowrun::filters
