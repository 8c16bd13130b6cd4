#pragma once

// How hard a text is to read and how much it repeats itself, as numbers.
//
// Words, sentences and syllables, for English, by fixed rules (bench/peers/compare_text_scores.py has them a second time, as regular expressions in Python):
//   token     what stands between Unicode white space, as in Python's str.split()
//   word      a token with a letter (Unicode category L*); figures and lone marks are none, as Flesch leaves them out of the syllables
//   sentence  ends behind a token that ends in . ! ? or …, marks that close a quotation or a bracket taken off; not where the next token begins with a to z,
//             maybe behind an opening mark; and not behind "." of an initial (one letter) or of Mr Mrs Ms Dr Prof Rev Capt Col Gen St. It also ends at an empty line
//             and with the text. What has no word is no sentence.
//   syllable  the sum of `count_syllables` over a word's runs of letters, apostrophes (' and ’) between them taken out: "well-known" is two runs, "don't" is one
//
// flesch             Reading Ease of Flesch 1948, "A new readability yardstick", J. Appl. Psych. 32(3): 206.835 - 1.015 words/sentences - 84.6 syllables/words, and
//                    at least 0, the end of his scale ("practically unreadable"): one endless "sentence" of a table would weigh more than a thousand texts. At most 121.22.
//                    A text without words has 0.
// compression_ratio  zstd's bytes per byte at level 3, the text by itself; 1 where there is none. Yin et al. 2024 ("Entropy law", arXiv:2407.06645) choose data by the
//                    inverse. Small for what repeats itself; above 1 for a few bytes, because of the frame around them. zstd's releases differ by a few bytes.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "filters/common/text.hpp"

struct ZSTD_CCtx_s;

namespace flowrun::filters {

/// What reading ease is made of.
struct TextCounts {
  std::int64_t words = 0, sentences = 0, syllables = 0;
  bool operator==(const TextCounts&) const = default;
};

/// Counts words, sentences and syllables of valid UTF-8, in one pass.
TextCounts count_text(std::string_view text, const CodePointClasses& classes);

/// Returns Flesch's Reading Ease: 0 to 121.22, larger is easier.
double flesch_reading_ease(const TextCounts& counts) noexcept;

/// Measures how far texts compress. One call at a time; memory: zstd's context and as much as the longest text.
class Compressor {
 public:
  Compressor();
  /// Returns compressed bytes per byte of the text; 1 for an empty one. Throws kInternal where zstd fails.
  double ratio(std::string_view text);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const noexcept;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
  std::string compressed_;  ///< kept for its memory alone
};

}  // namespace flowrun::filters
