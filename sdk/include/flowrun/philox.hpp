#pragma once

// Counter-based randomness: every draw is a pure function of (key, counter), so nothing has state and any draw can be made again.
// Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", SC'11, Philox4x32-10. Checked against the known-answer
// vectors of the authors' Random123 distribution.

#include <array>
#include <cstdint>
#include <string_view>

namespace flowrun {

/// Returns four 32-bit words for a 64-bit key and a 128-bit counter (two words of 64 bits).
inline std::array<std::uint32_t, 4> philox4x32(std::uint64_t key, std::uint64_t counter_low, std::uint64_t counter_high) noexcept {
  std::uint32_t k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  std::uint32_t c0 = static_cast<std::uint32_t>(counter_low), c1 = static_cast<std::uint32_t>(counter_low >> 32);
  std::uint32_t c2 = static_cast<std::uint32_t>(counter_high), c3 = static_cast<std::uint32_t>(counter_high >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0, p1 = std::uint64_t{0xCD9E8D57u} * c2;
    const std::uint32_t n0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0, n2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c1 = static_cast<std::uint32_t>(p1);
    c3 = static_cast<std::uint32_t>(p0);
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {c0, c1, c2, c3};
}

/// Returns 64 random bits for (key, a, b).
inline std::uint64_t philox_u64(std::uint64_t key, std::uint64_t a, std::uint64_t b = 0) noexcept {
  const auto words = philox4x32(key, a, b);
  return (std::uint64_t{words[1]} << 32) | words[0];
}

/// Returns a double in [0, 1) with 53 random bits for (key, a, b).
inline double philox_uniform(std::uint64_t key, std::uint64_t a, std::uint64_t b = 0) noexcept {
  return static_cast<double>(philox_u64(key, a, b) >> 11) * 0x1.0p-53;
}

/// Maps 64 random bits onto [0, n) by multiplication (Lemire 2019): the bias is below n / 2^64.
inline std::uint64_t bounded(std::uint64_t bits, std::uint64_t n) noexcept {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(bits) * n) >> 64);
}

/// A seeded permutation of [0, n) that needs no memory: a four-round Feistel network over the next even number of bits, with cycle
/// walking (Black and Rogaway 2002).
class Permutation {
 public:
  Permutation(std::uint64_t key, std::uint64_t n) noexcept : key_(key), n_(n) {
    while (half_bits_ < 32 && (std::uint64_t{1} << (2 * half_bits_)) < n) ++half_bits_;
  }
  /// Returns the element at `position` < n.
  std::uint64_t operator()(std::uint64_t position) const noexcept {
    std::uint64_t value = position;
    do value = once(value);
    while (value >= n_);
    return value;
  }

 private:
  std::uint64_t once(std::uint64_t value) const noexcept {
    const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
    std::uint64_t left = value >> half_bits_, right = value & mask;
    for (std::uint64_t round = 0; round < 4; ++round) {
      const std::uint64_t mixed = left ^ (philox_u64(key_, right, round) & mask);
      left = right;
      right = mixed;
    }
    return (left << half_bits_) | right;
  }

  std::uint64_t key_, n_;
  unsigned half_bits_ = 1;
};

/// Derives a key from a seed and a name: FNV-1a over the name, mixed with the seed by Philox.
inline std::uint64_t derive_seed(std::uint64_t seed, std::string_view name) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return philox_u64(seed, hash, 0x666c6f7772756eu);
}

}  // namespace flowrun
