#pragma once

// The quality rules of Gopher (Rae et al. 2021, arXiv:2112.11446, appendix A.1.1) as datatrove 0.10.1 applies them
// (pipeline/filters/gopher_quality_filter.py): the same measures, order of rules, comparisons and reasons. Checked against that class by
// bench/peers/compare_filters.py.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "filters/common/text.hpp"
#include "filters/common/verdict.hpp"

namespace flowrun::filters {

/// Thresholds of the rules, under datatrove's names. 0 switches a rule off.
struct GopherLimits {
  std::int64_t min_doc_words = 50, max_doc_words = 100000;
  double min_avg_word_length = 3, max_avg_word_length = 10;
  double max_symbol_word_ratio = 0.1, max_bullet_lines_ratio = 0.9, max_ellipsis_lines_ratio = 0.3;
  double max_non_alpha_words_ratio = 0.8;  ///< the least share of words with a letter; the name is datatrove's
  std::int64_t min_stop_words = 2;         ///< different ones
  std::vector<std::string> stop_words{"the", "be", "to", "of", "and", "that", "have", "with"};
};

/// Decides on texts. Safe to call from many threads at once. Time: linear.
class GopherQuality {
 public:
  explicit GopherQuality(GopherLimits limits);
  /// Returns why a text (valid UTF-8) with these words is dropped, or nothing. Of a text without words or lines, for which datatrove divides by zero, every
  /// ratio is 0 and the mean word length meets no rule.
  std::optional<Verdict> check(std::string_view text, std::span<const std::string_view> words) const;

 private:
  struct Words;
  struct Lines;
  Words count_words(std::span<const std::string_view> words) const;
  Lines count_lines(std::string_view text) const;
  int stop_word_index(std::string_view word) const noexcept;

  GopherLimits limits_;
  std::size_t longest_stop_word_ = 0;
  CodePointClasses classes_;
};

}  // namespace flowrun::filters
