#pragma once

// n-grams of evaluation sets, and texts that have one of them: datatrove 0.10.1's n-gram decontamination (pipeline/decont/n_grams.py), after GPT-3's (Brown et al. 2020,
// arXiv:2005.14165, appendix C). Texts are compared as simplify_text leaves them, by English words. Checked against it by bench/peers/compare_decontaminate.py.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/text/english/words.hpp"
#include "common/text/simplified_text.hpp"

namespace flowrun::filters {

/// Which n-grams of an item are looked for, under datatrove's names.
struct NgramRules {
  std::int64_t n_grams = 12;
  bool find_query_ngrams = false;   ///< those of the question alone
  bool find_overlap_ngrams = true;  ///< those that begin in the question and end in the answer
};

/// Where an n-gram stands in the evaluation sets.
struct NgramOrigin {
  std::uint32_t set = 0;
  std::int64_t record = 0;
};

/// An n-gram of a text that is in the index.
struct Contamination {
  NgramOrigin origin;
  std::string ngram;  ///< its words, simplified, with a space between
};

/// Hashes of 64 bits (XXH3) of n-grams. Memory: 34 to 70 bytes an n-gram. `add` is called by one thread; then `find` is safe on many at once.
class NgramIndex {
 public:
  explicit NgramIndex(NgramRules rules) : rules_(rules) { reserve(0); }
  /// Adds the n-grams of an answer and its question. The first item that has an n-gram is its origin.
  void add(NgramOrigin origin, std::string_view label, const std::optional<std::string>& query);
  std::size_t size() const noexcept { return size_; }

  /// Returns the first n-gram of a text of valid UTF-8 that is in the index. Time: linear.
  std::optional<Contamination> find(std::string_view text) const;

 private:
  struct Slot {
    std::uint64_t hash = 0;  ///< 0: free
    std::uint32_t set = 0;
    std::int64_t record = 0;
  };

  std::vector<std::string> words_of(std::string_view text) const;
  void add_ngrams(NgramOrigin origin, const std::vector<std::string>& words);
  void add_ngram(NgramOrigin origin, std::string_view ngram);
  void reserve(std::size_t count);
  std::size_t place_of(std::uint64_t hash) const noexcept;
  void mark(std::uint64_t hash) noexcept { filter_[hash >> 6 & (filter_.size() - 1)] |= std::uint64_t{1} << (hash & 63); }
  bool is_marked(std::uint64_t hash) const noexcept { return (filter_[hash >> 6 & (filter_.size() - 1)] >> (hash & 63) & 1) != 0; }

  NgramRules rules_;
  text::EnglishWords english_;
  text::TextSimplifier simplifier_;
  std::vector<Slot> slots_;             ///< a power of two, at most half of them taken
  std::vector<std::uint64_t> filter_;   ///< a bit for each n-gram, of at least 16 for each: it tells most others, out of a nearer cache
  std::size_t size_ = 0;
};

}  // namespace flowrun::filters
