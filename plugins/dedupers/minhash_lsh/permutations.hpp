#pragma once

// MinHash (Broder 1997): of each of k random permutations of all hashes, the smallest value that it gives a hash of the set. Two sets have the same minimum with the
// probability of their Jaccard similarity.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace flowrun::dedupers {

/// datatrove 0.10.1's permutations (pipeline/dedup/minhash.py): ((x a + b) mod 2^64) mod (2^61 - 1), of 32-bit hashes the low half of that; a and b as numpy's
/// RandomState(seed) draws them. Safe to call from many threads at once.
class MersennePermutations {
 public:
  /// `hash_bits` is 64 or 32.
  MersennePermutations(std::uint32_t seed, std::size_t count, int hash_bits);
  std::size_t count() const noexcept { return count_; }
  /// Writes the minimum of each permutation over `hashes`, of which there is one at least.
  void minima(std::span<const std::uint64_t> hashes, std::span<std::uint64_t> out) const;

 private:
  std::size_t count_;
  std::uint64_t mask_;
  std::vector<std::uint64_t> factors_, summands_;  ///< padded to whole blocks
};

/// For throughput: x a + b mod 2^32 with odd a. Safe to call from many threads at once.
class FastPermutations {
 public:
  FastPermutations(std::uint64_t seed, std::size_t count);
  std::size_t count() const noexcept { return count_; }
  void minima(std::span<const std::uint32_t> hashes, std::span<std::uint32_t> out) const;

 private:
  std::size_t count_;
  std::vector<std::uint32_t> factors_, summands_;  ///< padded to whole blocks
};

}  // namespace flowrun::dedupers
