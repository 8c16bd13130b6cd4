#pragma once

// What a character is to the rules of words.cpp, and the characters of a chunk.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace flowrun::text::english {

/// Bits of a character, in the order of make_tables.py. Names in brackets are those of spaCy's lang/char_classes.py.
enum Class : std::uint16_t {
  kSpace = 1 << 0,          ///< str.isspace()
  kPrefix = 1 << 1,         ///< cut off in front of a chunk
  kSuffix = 1 << 2,         ///< cut off behind a chunk
  kIcon = 1 << 3,           ///< [ICONS]
  kAlpha = 1 << 4,          ///< [ALPHA]
  kLower = 1 << 5,          ///< [ALPHA_LOWER], with what has no case
  kUpper = 1 << 6,          ///< [ALPHA_UPPER], with what has no case
  kQuote = 1 << 7,          ///< [CONCAT_QUOTES]
  kBeforePeriod = 1 << 8,   ///< behind it a last period is a suffix
  kWord = 1 << 9,           ///< \w
  kDigit = 1 << 10,         ///< \d
  kHost = 1 << 11,          ///< a letter of a host name
  kCategoryP = 1 << 12,     ///< Unicode's category P
  kSentenceEnd = 1 << 13,   ///< the sentencizer's punct_chars
};

/// The characters of a run without white space. `at` has the byte where each begins, and the end.
struct Chunk {
  std::vector<std::uint32_t> characters;
  std::vector<std::uint16_t> classes;
  std::vector<std::uint32_t> at;
};

inline bool is_ascii_digit(std::uint32_t c) noexcept { return c - '0' < 10; }

/// Returns whether characters [lo, hi) of the chunk are what spaCy's URL_MATCH takes for a URL.
bool is_url(const Chunk& chunk, std::size_t lo, std::size_t hi) noexcept;

}  // namespace flowrun::text::english
