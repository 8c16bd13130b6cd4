#pragma once

// BPE training: starting from bytes, the most frequent pair of neighbours becomes a token, until the vocabulary is full.
//
// Gives exactly the merges of Hugging Face tokenizers' BpeTrainer (0.23.3, with initial_alphabet = ByteLevel.alphabet()): pairs are counted
// as windows ("aaa" has "aa" twice), a merge joins them from left to right, and of equal counts the pair with the smallest ids (left, then
// right) goes first, where ids are those of the result: special tokens, bytes in the order of their printable characters, then merges by
// rank. Differs: counts have 64 bits, theirs 32.
// Source: Sennrich et al. 2016, arXiv:1508.07909; the counts of pairs are kept up to date merge by merge.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "pretoken_counter.hpp"
#include "tokenizers/common/bpe_model.hpp"

namespace flowrun::bpe {

/// Learns a BpeModel from documents. One thread at a time.
///
/// Determinism: the model depends on the documents as a multiset alone, not on their order. Memory: the counter's, and during `train` about
/// 30 bytes per byte of distinct pre-tokens beside it; neither grows with text that repeats itself.
class BpeTrainer {
 public:
  struct Options {
    std::uint32_t vocab_size = 0;     ///< special tokens and bytes included
    std::uint64_t min_frequency = 0;  ///< pairs that occur less often are not merged; 0 and 1 mean any pair
    std::vector<std::string> specials = {kEndOfText, kPad, kMask};  ///< get the ids from 0
  };

  /// Reads one document; pre-tokens do not cross documents.
  void add(std::string_view text) { counter_.add(text); }

  /// Returns the model; it has fewer than `vocab_size` tokens where the text has not enough pairs. May be called again after more `add`.
  /// `interrupt` is called now and then, at least every 100 merges; it may throw to give up.
  /// Throws kInvalidArgument if `vocab_size` is below the bytes and special tokens together, kUnsupported if the distinct pre-tokens
  /// have 4 GiB together.
  BpeModel train(const Options& options, const std::function<void()>& interrupt = [] {}) const;

  const PretokenCounter& counter() const noexcept { return counter_; }

 private:
  PretokenCounter counter_;
};

}  // namespace flowrun::bpe
