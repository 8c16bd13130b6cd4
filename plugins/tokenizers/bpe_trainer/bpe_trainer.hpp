#pragma once

// BPE training: starting from bytes, the most frequent pair of neighbours becomes a token, until the vocabulary is full.
//
// Gives exactly the merges of Hugging Face tokenizers' BpeTrainer (0.23.3, with initial_alphabet = ByteLevel.alphabet()): merges and ties are those of
// tokenizers/common/training/pair_merging.hpp, where ids are those of the result: special tokens, bytes in the order of their printable characters, then
// merges by rank. Differs: counts have 64 bits, theirs 32.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizers/common/bpe_model.hpp"
#include "tokenizers/common/pattern/scanners.hpp"
#include "tokenizers/common/training/pair_merging.hpp"
#include "tokenizers/common/training/word_counter.hpp"

namespace flowrun::bpe {

struct BpeTrainerOptions {
  std::uint32_t vocab_size = 0;     ///< special tokens and bytes included
  std::uint64_t min_frequency = 0;  ///< pairs that occur less often are not merged; 0 and 1 mean any pair
  std::vector<std::string> specials = {kEndOfText, kPad, kMask};  ///< get the ids from 0
  std::size_t memory_bytes = std::size_t{256} << 20;
  std::string folder = ".";  ///< where tables go that do not fit, as files without a name
  /// Pairs that occur less often are not followed until no others are left; 0: a guess. Changes time and memory, never the merges.
  std::uint64_t first_threshold = 0;
};

/// Adds the pre-tokens of a document; they do not cross documents.
void count_pretokens(std::string_view text, tokenizers::Scanner scanner, tokenizers::WordCounter& pretokens);

using BpeProgress = tokenizers::MergeProgress;

/// Learns a model from counts of pre-tokens; it has fewer than `vocab_size` tokens where the text has not enough pairs.
///
/// Determinism: the model depends on the counts alone. Memory: `memory_bytes` for what grows with the distinct pre-tokens, and about 300 bytes a token of
/// the vocabulary. Disk, where that is not enough: about 30 bytes per byte of distinct pre-tokens. `progress` is called as by `merge_pairs`.
/// Throws kInvalidArgument if `vocab_size` is below the bytes and special tokens together, kUnsupported if the distinct pre-tokens have 4 GiB together,
/// kIo where the disk is full.
BpeModel train_bpe(tokenizers::WordCounter& pretokens, const BpeTrainerOptions& options, const BpeProgress& progress = [](std::size_t, std::uint64_t) {});

}  // namespace flowrun::bpe
