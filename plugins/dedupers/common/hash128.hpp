#pragma once

// Texts by their XXH3 hashes of 128 bits. Two different ones of n are taken for equal with probability n^2 / 2^129: about 1e-15 for 10^12 of them.

#include <xxhash.h>

#include <cstdint>
#include <string_view>

namespace flowrun::dedupers {

struct Hash128 {
  std::uint64_t low = 0, high = 0;
  bool operator==(const Hash128&) const = default;
};

inline bool operator<(const Hash128& a, const Hash128& b) noexcept { return a.high != b.high ? a.high < b.high : a.low < b.low; }

inline Hash128 hash_text(std::string_view text, std::uint64_t seed = 0) noexcept {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(text.data(), text.size(), seed);
  return {hash.low64, hash.high64};
}

}  // namespace flowrun::dedupers
