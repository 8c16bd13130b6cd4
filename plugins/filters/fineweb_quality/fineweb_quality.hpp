#pragma once

// FineWeb's own rules (Penedo et al. 2024, arXiv:2406.17557, section 3.6) as datatrove 0.10.1 applies them
// (pipeline/filters/fineweb_quality_filter.py): the same measures, order of rules, comparisons and reasons. Checked against that class by
// bench/peers/compare_filters.py.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "filters/common/text.hpp"
#include "filters/common/verdict.hpp"
#include "filters/common/word_splitter.hpp"

namespace flowrun::filters {

/// Thresholds of the rules, under datatrove's names.
struct FineWebLimits {
  double line_punct_thr = 0.12;
  bool line_punct_exclude_zero = false;
  std::vector<std::string> stop_chars;  ///< how a line ends; empty: with one of datatrove's TERMINAL_PUNCTUATION
  double short_line_thr = 0.67;
  std::int64_t short_line_length = 30;  ///< characters
  double char_duplicates_ratio = 0.01, new_line_ratio = 0.3;
};

/// Decides on texts. Safe to call from many threads at once. Time: linear.
class FineWebQuality {
 public:
  explicit FineWebQuality(FineWebLimits limits) : limits_(std::move(limits)) {}
  /// Returns why a text (valid UTF-8) is dropped, or nothing. A text without words, for which datatrove divides by zero, is kept by the last rule.
  std::optional<Verdict> check(std::string_view text, const WordSplitter& splitter) const;

 private:
  std::vector<std::string_view> lines_of(std::string_view text) const;
  bool ends_well(std::string_view line) const;
  double new_lines_per_word(std::string_view text, const WordSplitter& splitter) const;

  FineWebLimits limits_;
  CodePointClasses classes_;
};

}  // namespace flowrun::filters
