#pragma once

// The ids of pre-tokens that were encoded before, by their bytes. A set is two neighbours, the one used last first; what is new takes the place of the other.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "short_key.hpp"

namespace flowrun::bpe {

/// Holds pre-tokens of up to `kWords * 8 - 1` bytes and up to `kIds` ids in 2 << kSetBits entries, whatever it is given. For one thread.
template <std::size_t kWords, std::size_t kIds, unsigned kSetBits>
class PretokenCache {
  static_assert(kIds >= 1 && kIds <= 8, "the free bits of a key hold the number of ids less one");

 public:
  using Key = ShortKey<kWords>;

  // A key of all zeros is no pre-token's.
  struct alignas(std::bit_ceil(sizeof(Key) + 4 * kIds)) Entry {
    Key key;
    std::uint32_t ids[kIds];
    std::size_t size() const noexcept { return (key.words[kWords - 1] >> kCountShift) + 1; }
  };

  PretokenCache() : entries_(std::size_t{2} << kSetBits) {}

  /// Returns where `key` belongs. The high bits of a sum of products depend on all bits of the words; a better hash costs more than the few sets that it fills better.
  Entry* set_of(const Key& key) noexcept {
    constexpr std::uint64_t kOdd[] = {0x9E3779B97F4A7C15u, 0xC2B2AE3D27D4EB4Fu, 0x165667B19E3779F9u, 0x27D4EB2F165667C5u};
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kWords; ++i) sum += key.words[i] * kOdd[i];
    return &entries_[(sum >> (64 - kSetBits)) * 2];
  }

  /// Returns the entry of `key` in its set, or null.
  static const Entry* look_up(const Key& key, Entry* set) noexcept {
    if (holds(set[0], key)) return set;
    if (!holds(set[1], key)) return nullptr;
    // The one used last goes first: then 29 of 30 are found at once, where half are if it stays.
    std::swap(set[0], set[1]);
    return set;
  }

  /// Puts the ids of `key` into its set and returns the entry; more than `kIds` of them are forgotten: null.
  static const Entry* remember(const Key& key, Entry* set, const std::uint32_t* ids, std::size_t count) noexcept {
    if (count > kIds) return nullptr;
    set[1] = set[0];
    set[0].key = key;
    set[0].key.words[kWords - 1] |= std::uint64_t{count - 1} << kCountShift;
    std::memcpy(set[0].ids, ids, count * sizeof *ids);
    return set;
  }

 private:
  static constexpr unsigned kCountShift = 61;  // in the last word of a key
  static constexpr std::uint64_t kCountMask = std::uint64_t{7} << kCountShift;

  static bool holds(const Entry& entry, const Key& key) noexcept {
    std::uint64_t difference = (entry.key.words[kWords - 1] ^ key.words[kWords - 1]) & ~kCountMask;
    for (std::size_t i = 0; i + 1 < kWords; ++i) difference |= entry.key.words[i] ^ key.words[i];
    return difference == 0;
  }

  std::vector<Entry> entries_;
};

}  // namespace flowrun::bpe
