#pragma once

// How often one pass of a domain gives a document: by a sample of the domain, and by repetitions that a score decides. Both are functions of the
// seed and the document's id alone: which other documents there are, and in what order, changes nothing.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowrun::mixers {

/// Threads: any number of calls at once.
class Selection {
 public:
  /// `sample_fractions` by domain, one that is not named has 1; `repetitions` from a threshold on, as text: {"0.5": 2, "0.8": 3.5}.
  /// Throws kInvalidArgument for a threshold that is not a number.
  Selection(const std::map<std::string, double>& sample_fractions, const std::map<std::string, double>& repetitions);

  /// Sets the seed of both decisions.
  void set_seed(std::uint64_t seed) noexcept;

  /// Returns whether the document is in its domain's sample. Growing the fraction only adds documents.
  bool in_sample(std::string_view domain, std::string_view id) const;

  /// Returns how often a document of this score stands in a pass: the repetitions of the highest threshold that it reaches, 1 below all. A fraction
  /// is one more for as many documents in a hundred, by a hash of the id: 2.5 gives two or three.
  std::int64_t copies(std::string_view id, double score) const;

 private:
  std::map<std::string, double, std::less<>> sample_fractions_;
  std::vector<std::pair<double, double>> repetitions_;  ///< threshold and repetitions, ascending
  std::uint64_t sample_key_ = 0, repetition_key_ = 0;
};

}  // namespace flowrun::mixers
