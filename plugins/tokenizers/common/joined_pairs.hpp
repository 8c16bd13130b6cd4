#pragma once

// Which pairs of tokens a merge joins, by age. Most pairs that the search asks for are joined by none: a filter small enough for the second-level cache
// of a processor says so of 15 in 16 of them; a slot has 8 bytes.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace flowrun::bpe {

/// Maps pairs of ages below kAgesMax to what they merge to. Immutable but for `insert`; reading is safe from many threads.
///
/// Memory: 18 to 36 bytes a pair, a ninth of it the filter.
class JoinedPairs {
 public:
  static constexpr std::uint32_t kAbsent = 0xFFFFFFFF;
  static constexpr std::uint32_t kAgesMax = 1u << 21;

  /// Makes room for at most `expected` pairs.
  explicit JoinedPairs(std::size_t expected = 0)
      : shift_(64u - static_cast<unsigned>(std::countr_zero(std::bit_ceil(std::max<std::size_t>(expected, 32) * 2)))),
        slots_(std::size_t{1} << (64 - shift_), kEmpty),
        filter_((slots_.size() << kFilterBitsLog2) / 64) {}

  /// Returns the age that `left` and `right` merge to, kAbsent if nothing does.
  std::uint32_t find(std::uint32_t left, std::uint32_t right) const noexcept {
    const std::uint64_t key = key_of(left, right), hash = hash_of(key);
    const std::size_t bit = filter_bit(hash);
    if ((filter_[bit / 64] >> (bit % 64) & 1) == 0) return kAbsent;
    for (std::size_t i = hash >> shift_;; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i] == kEmpty) return kAbsent;
      if (slots_[i] >> kAgeBits == key) return static_cast<std::uint32_t>(slots_[i] & (kAgesMax - 1));
    }
  }

  /// Maps a pair to `age` unless it is there; returns whether it was not.
  bool insert(std::uint32_t left, std::uint32_t right, std::uint32_t age) noexcept {
    const std::uint64_t key = key_of(left, right), hash = hash_of(key);
    std::size_t i = hash >> shift_;
    for (; slots_[i] != kEmpty; i = (i + 1) & (slots_.size() - 1))
      if (slots_[i] >> kAgeBits == key) return false;
    slots_[i] = key << kAgeBits | age;
    const std::size_t bit = filter_bit(hash);
    filter_[bit / 64] |= std::uint64_t{1} << (bit % 64);
    return true;
  }

 private:
  static constexpr unsigned kAgeBits = 21;
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};  // a pair and its age have 63 bits
  static constexpr unsigned kFilterBitsLog2 = 3;              // of the bits for each slot; at most half of the slots are taken

  static std::uint64_t key_of(std::uint32_t left, std::uint32_t right) noexcept { return std::uint64_t{left} << kAgeBits | right; }
  static std::uint64_t hash_of(std::uint64_t key) noexcept {
    const std::uint64_t h = key * 0x9E3779B97F4A7C15u;  // 2^64 over the golden ratio (Fibonacci hashing)
    return (h ^ h >> 32) * 0xD6E8FEB86659FD93u;
  }
  std::size_t filter_bit(std::uint64_t hash) const noexcept { return hash >> (shift_ - kFilterBitsLog2); }

  unsigned shift_;
  std::vector<std::uint64_t> slots_;   // left, right, age: 63 bits
  std::vector<std::uint64_t> filter_;  // a bit for each hash that a pair has, finer than the slots
};

}  // namespace flowrun::bpe
