#pragma once

// Training by merges: the most frequent pair of neighbouring tokens becomes a token, until the vocabulary is full. What tokenizers/bpe_trainer and
// wordpiece_trainer have in common; they differ in the tokens that words are made of at first, and in what a merge is called.
//
// Pairs are counted as windows ("aaa" has "aa" twice), and a merge joins them from left to right. Of equal counts the pair with the smallest ids (left, then
// right) goes first.
// Source: Sennrich et al. 2016, arXiv:1508.07909; the counts of pairs are kept up to date merge by merge.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "word_counter.hpp"

namespace flowrun::tokenizers {

/// A vocabulary that merges add to.
class MergeVocabulary {
 public:
  virtual ~MergeVocabulary() = default;
  /// Returns how many tokens there are, each with an id below that.
  virtual std::size_t size() const = 0;
  /// Returns the id of what `left` and `right` become: a fresh one, or that of a token which is there already.
  virtual std::uint32_t merge(std::uint32_t left, std::uint32_t right) = 0;
};

struct PairMergingOptions {
  std::size_t vocab_size = 0;       ///< merging ends when the vocabulary has so many tokens
  std::uint64_t min_frequency = 0;  ///< pairs that occur less often are not merged; 0 and 1 mean any pair
  std::size_t memory_bytes = std::size_t{256} << 20;
  std::string folder = ".";  ///< where tables go that do not fit, as files without a name
  /// Pairs that occur less often are not followed until no others are left; 0: a guess. Changes time and memory, never the merges.
  std::uint64_t first_threshold = 0;
};

/// Writes the ids of the tokens that a word begins with to `symbols`, which is empty. Gives the same for the same word.
using Spelling = std::function<void(std::string_view word, std::vector<std::uint32_t>& symbols)>;

/// Called every 100 merges and at the end with the number of merges and how often the last pair occurs; it may throw to give up.
using MergeProgress = std::function<void(std::size_t merges, std::uint64_t count)>;

/// Calls f(symbols, count) for each word that has a pair, in the order of their bytes.
template <class F>
void for_each_spelled(WordCounter& words, const Spelling& spelling, F&& f) {
  std::vector<std::uint32_t> symbols;
  words.for_each([&](std::string_view word, std::uint64_t count) {
    symbols.clear();
    spelling(word, symbols);
    if (symbols.size() >= 2) f(symbols, count);
  });
}

/// Merges pairs in `words` until `vocabulary` is full or no pair occurs often enough.
///
/// Returns false, with the vocabulary as far as it was, as soon as a merge makes a token that stands in the words already: counts could rise again then, and
/// rare pairs might not be left out any more.
/// Determinism: the merges depend on the words' counts alone. Memory: `memory_bytes` for what grows with the distinct words, and about 100 bytes a token of
/// the vocabulary. Disk, where that is not enough: about 30 bytes per symbol of distinct words.
/// Throws kUnsupported if the distinct words have 2^32 symbols together, an end for each counted in, and kIo where the disk is full.
bool merge_pairs(WordCounter& words, const Spelling& spelling, MergeVocabulary& vocabulary, const PairMergingOptions& options, const MergeProgress& progress);

}  // namespace flowrun::tokenizers
