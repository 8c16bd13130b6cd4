#pragma once

// Dataset decomposition: each document is cut into pieces whose lengths are powers of two, and each length is a bucket. A batch takes sequences of
// one bucket, the more the shorter they are, so that every batch has the same number of tokens; a curriculum says how soon each bucket's batches
// come. Pouransari et al. 2024, "Dataset Decomposition: Faster LLM Training with Variable Sequence Length Curriculum", arXiv:2405.13226. Checked
// against cutting the longest power of two off the front again and again, and draws against their odds.

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace flowrun::packers {

/// Cuts documents by the binary digits of their lengths: as many pieces of the longest length as there are, then one for each digit that is set,
/// the longest first. What is left below the shortest length is dropped.
class Decomposition {
 public:
  /// Both are powers of two, `min_length` <= `max_length`.
  Decomposition(std::int64_t min_length, std::int64_t max_length);

  std::size_t bucket_count() const noexcept { return bucket_count_; }
  /// Returns the tokens of a sequence of `bucket`; bucket 0 is the shortest.
  std::int64_t length_of(std::size_t bucket) const noexcept { return min_length_ << bucket; }
  /// Returns how many pieces of a document of `tokens` are in `bucket`.
  std::int64_t piece_count(std::int64_t tokens, std::size_t bucket) const noexcept;
  /// Returns where piece `number` of `bucket` begins in the document.
  std::int64_t piece_offset(std::int64_t tokens, std::size_t bucket, std::int64_t number) const noexcept;
  /// Returns the tokens that are in no piece.
  std::int64_t dropped(std::int64_t tokens) const noexcept { return tokens & (min_length_ - 1); }

 private:
  std::int64_t min_length_, max_length_;
  std::size_t bucket_count_;
};

/// The odds of one batch of each bucket, the shortest bucket first (Pouransari et al. 2024, table of curricula): 1 for "uniform"; B, ..., 2, 1 for
/// "grow_linear"; 2^(B-1), ..., 2, 1 for "grow_p2"; the same with 100 for "grow_p100"; reversed for "shrink_p100". Throws kInvalidArgument for
/// another name.
std::vector<double> curriculum_odds(std::string_view curriculum, std::size_t bucket_count);

/// Draws the bucket of each batch, without replacement: each batch that is left is as likely as the odds of its bucket say. Every bucket's batches
/// are divided evenly among `cycles`, and each cycle begins anew. With equal odds this is a random order of all batches. The authors' program draws
/// a bucket by its odds times its tokens at the beginning, until it is empty.
/// Cost: O(batches x buckets). Determinism: the draws are functions of `key`, cycle and batch.
std::vector<std::uint8_t> schedule(std::span<const std::int64_t> batch_counts, std::span<const double> odds, std::int64_t cycles, std::uint64_t key, const std::function<void()>& check_stop);

}  // namespace flowrun::packers
