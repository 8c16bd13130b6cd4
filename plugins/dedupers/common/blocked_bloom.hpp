#pragma once

// A blocked Bloom filter (Putze, Sanders and Singler 2007, Cache-, Hash- and Space-Efficient Bloom Filters): all bits of an element are in one block of 512 bits, a cache
// line, so that a question costs one cache miss. Elements are spread over the blocks like balls over bins, and the rate of wrong answers is the mean over the blocks'
// loads i, which are Poisson distributed with mean n / blocks:
//
//     sum over i of Poisson(i; n / blocks) (1 - (1 - 1/512)^(k i))^k

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dedupers/common/hash128.hpp"

namespace flowrun::dedupers {

/// How large a filter is.
struct BloomShape {
  std::uint64_t blocks = 1;
  int bits = 1;  ///< set for each element

  static constexpr std::uint64_t kBlockBytes = 64;
  std::uint64_t bytes() const noexcept { return blocks * kBlockBytes; }

  /// The expected rate of false positives once `elements` are in.
  double false_positive_rate(double elements) const noexcept;
  /// The filter of so many blocks that is best for `elements`.
  static BloomShape best_for(double elements, std::uint64_t blocks) noexcept;
  /// The smallest filter that holds `elements` at a rate of at most `rate`, between 0 and 1.
  static BloomShape for_elements(double elements, double rate);
  /// How many elements a filter of at most `bytes` holds at `rate`.
  static std::uint64_t elements_in(std::uint64_t bytes, double rate);
};

/// A set that never forgets an element and knows some that it was never given. One thread at a time.
class BlockedBloom {
 public:
  explicit BlockedBloom(BloomShape shape) : shape_(shape), blocks_(shape.blocks) {}
  /// Adds an element and returns whether a bit of it was not set: then it is surely new.
  bool insert(Hash128 hash) noexcept;
  bool may_contain(Hash128 hash) const noexcept;
  const BloomShape& shape() const noexcept { return shape_; }
  /// The bits, `shape().bytes()` of them, for a snapshot.
  std::uint64_t* words() noexcept { return blocks_.data()->data(); }

 private:
  __extension__ using Product = unsigned __int128;
  using Block = std::array<std::uint64_t, 8>;
  struct alignas(BloomShape::kBlockBytes) AlignedBlock : Block {};

  /// The high half of a product is as evenly spread as a remainder, and needs no division.
  std::uint64_t block_of(Hash128 hash) const noexcept { return static_cast<std::uint64_t>((static_cast<Product>(hash.low) * shape_.blocks) >> 64); }
  Block mask_of(Hash128 hash) const noexcept;

  BloomShape shape_;
  std::vector<AlignedBlock> blocks_;
};

}  // namespace flowrun::dedupers
