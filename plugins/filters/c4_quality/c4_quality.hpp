#pragma once

// C4's rules for lines and pages (Raffel et al. 2020, JMLR 21, section 2.2) as datatrove 0.10.1 applies them
// (pipeline/filters/c4_filters.py, C4QualityFilter): the same rules in the same order, the same reasons, and the same text afterwards.
// Checked against that class by bench/peers/compare_filters.py.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "filters/common/text.hpp"
#include "filters/common/verdict.hpp"

namespace flowrun::filters {

/// Rules under datatrove's names. -1 switches a number's rule off.
struct C4Rules {
  bool split_paragraph = true;  ///< lines are those of the text, otherwise its sentences
  bool remove_citations = true;
  bool filter_no_terminal_punct = true;
  std::int64_t min_num_sentences = 5, min_words_per_line = 3;
  std::int64_t max_word_length = 1000;  ///< characters
  bool filter_lorem_ipsum = true, filter_javascript = true, filter_curly_bracket = true, filter_policy = true;
};

/// Rewrites texts. Safe to call from many threads at once. Time: linear; sentences are counted until there are enough.
class C4Quality {
 public:
  struct Result {
    std::optional<Verdict> verdict;  ///< why the text is dropped
    std::string text;                ///< the lines that stay, where it is not
  };

  explicit C4Quality(C4Rules rules) : rules_(rules) {}
  /// Decides on a text of valid UTF-8.
  Result rewrite(std::string_view text) const;

 private:
  enum class LineFate { kKept, kLeftOut, kLoremIpsum, kCurlyBracket };
  LineFate judge(std::string_view& line, std::string& without_citations) const;
  bool words_fit(std::string_view line, std::int64_t& words) const;
  bool remove_citations(std::string_view line, std::string& out) const;
  std::size_t citation_size(std::string_view text) const noexcept;

  C4Rules rules_;
  EnglishWords english_;
  CodePointClasses classes_;
};

}  // namespace flowrun::filters
