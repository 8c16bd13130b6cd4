#pragma once

// The repetition rules of Gopher (Rae et al. 2021, arXiv:2112.11446, table A1) as datatrove 0.10.1 applies them
// (pipeline/filters/gopher_repetition_filter.py): the same measures, order of rules, comparisons and reasons. Checked against that class by
// bench/peers/compare_filters.py.
//
// Equality is exact throughout: hashes only say where to look.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "filters/common/text.hpp"
#include "filters/common/verdict.hpp"

namespace flowrun::filters {

/// Thresholds of the rules, under datatrove's names. 0 switches a rule of lines or paragraphs off; an n-gram rule is off when it is not listed.
struct RepetitionLimits {
  double dup_line_frac = 0.3, dup_para_frac = 0.3, dup_line_char_frac = 0.2, dup_para_char_frac = 0.2;
  std::map<int, double> top_n_grams{{2, 0.2}, {3, 0.18}, {4, 0.16}};                                       ///< by n
  std::map<int, double> dup_n_grams{{5, 0.15}, {6, 0.14}, {7, 0.13}, {8, 0.12}, {9, 0.11}, {10, 0.10}};  ///< by n
};

/// Decides on texts. Safe to call from many threads at once. Time: linear in the text, once for each n. Memory: about 60 bytes for each word of
/// the text.
class GopherRepetition {
 public:
  explicit GopherRepetition(RepetitionLimits limits);
  /// Returns why a text (valid UTF-8) is dropped for its paragraphs or lines, or nothing. These rules come first.
  std::optional<Verdict> check_lines(std::string_view text) const;
  /// Returns why a text with these words is dropped for its n-grams, or nothing.
  std::optional<Verdict> check_n_grams(std::string_view text, std::span<const std::string_view> words) const;

 private:
  RepetitionLimits limits_;
  std::map<int, std::string> top_reasons_, dup_reasons_;
  CodePointClasses classes_;
};

}  // namespace flowrun::filters
