#pragma once

// Words of a list in a text, as C4 looks for them (Raffel et al. 2020, JMLR 21, section 2.2; datatrove 0.10.1, pipeline/filters/c4_filters.py,
// C4BadWordsFilter): in lower case, and where the script has spaces between words, as words of their own. Checked against that class by
// bench/peers/compare_filters.py.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "filters/common/text.hpp"
#include "filters/common/word_finder.hpp"

namespace flowrun::filters {

/// What must stand at both ends of a word.
enum class Boundaries {
  kScript,  ///< no letter or digit, but where the word's own end, or what stands there, is of a script without spaces
  kAlways,  ///< no letter, digit or '_': datatrove's rule, but for Japanese, Thai and Chinese
  kNever,   ///< anything: datatrove's rule for these three
};

/// Safe to use from many threads at once. Time: linear in the text and the occurrences.
class BadWords {
 public:
  /// `words` in any case, none empty.
  BadWords(const std::vector<std::string>& words, Boundaries boundaries);
  /// Returns the word that ends first in a text of valid UTF-8, in lower case.
  std::optional<std::string_view> find(std::string_view text) const;

 private:
  bool ends_word(std::string_view word_end, std::string_view neighbour) const;

  std::vector<std::string> words_;
  Boundaries boundaries_;
  WordFinder finder_;
  CodePointClasses classes_;
};

}  // namespace flowrun::filters
