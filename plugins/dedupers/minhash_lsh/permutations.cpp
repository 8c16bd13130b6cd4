#include "permutations.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <random>

#include <flowrun/philox.hpp>

// Copies for wider vectors, chosen by an ifunc when the plugin is loaded. Sanitizers cannot run before ifuncs are resolved.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FLOWRUN_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FLOWRUN_CLONES
#endif
// The body must be part of each copy, or it is compiled for the baseline alone. kMask: bits that are kept of a value; 0: all.
#define FLOWRUN_BODY template <std::uint64_t kMask> [[gnu::always_inline]] inline

namespace flowrun::dedupers {
namespace {

constexpr std::uint64_t kMersennePrime = (std::uint64_t{1} << 61) - 1;

// Permutations that are looked at together: their minima, factors and summands stay in registers while the hashes go by.
constexpr std::size_t kMersenneBlock = 32, kFastBlock = 128;

std::size_t padded(std::size_t count, std::size_t block) { return (count + block - 1) / block * block; }

/// numpy's RandomState.randint(low, high, dtype=uint64): masked rejection over two draws of the Mersenne Twister, the high half first.
std::uint64_t draw(std::mt19937& random, std::uint64_t low, std::uint64_t high) {
  const std::uint64_t range = high - 1 - low, mask = ~std::uint64_t{0} >> std::countl_zero(range);
  for (;;) {
    const std::uint64_t upper = random(), value = (upper << 32 | random()) & mask;
    if (value <= range) return low + value;
  }
}

/// (x a + b mod 2^64) mod (2^61 - 1).
std::uint64_t permuted(std::uint64_t x, std::uint64_t a, std::uint64_t b) noexcept { return (x * a + b) % kMersennePrime; }

/// The minima of one block of permutations, by remainders that are not reduced to the end: of all 2^64 numbers only 36 leave one that is too large by
/// 2^61 - 1. Returns false, with nothing of use in `out`, where one was met. Values compare as signed numbers, which needs no more than AVX2.
FLOWRUN_BODY bool mersenne_minima(const std::uint64_t* hashes, std::size_t hash_count, const std::uint64_t* factors, const std::uint64_t* summands, std::uint64_t* out) {
  using Unsigned = std::uint64_t __attribute__((vector_size(64)));
  using Signed = std::int64_t __attribute__((vector_size(64)));
  constexpr std::size_t kVectors = kMersenneBlock * sizeof(std::uint64_t) / sizeof(Unsigned);
  constexpr std::uint64_t kTopBit = std::uint64_t{1} << 63;
  Unsigned a[kVectors], b[kVectors], too_large{};
  Signed smallest[kVectors];
  std::memcpy(a, factors, sizeof a);
  std::memcpy(b, summands, sizeof b);
  for (Signed& one : smallest) one = Signed{} + static_cast<std::int64_t>(kMersennePrime);
  for (std::size_t i = 0; i < hash_count; ++i) {
    for (std::size_t j = 0; j < kVectors; ++j) {
      const Unsigned x = hashes[i] * a[j] + b[j];
      const Unsigned rest = (x & kMersennePrime) + (x >> 61);
      too_large |= rest + (kTopBit - kMersennePrime);
      const auto value = reinterpret_cast<Signed>(kMask == 0 ? rest : rest & kMask);
      smallest[j] = value < smallest[j] ? value : smallest[j];
    }
  }
  std::memcpy(out, smallest, sizeof smallest);
  std::uint64_t any = 0;
  for (std::size_t lane = 0; lane < sizeof(Unsigned) / sizeof(std::uint64_t); ++lane) any |= too_large[lane];
  return (any & kTopBit) == 0;
}

FLOWRUN_CLONES bool mersenne_minima_64(const std::uint64_t* hashes, std::size_t hash_count, const std::uint64_t* factors, const std::uint64_t* summands,
                                       std::uint64_t* out) {
  return mersenne_minima<0>(hashes, hash_count, factors, summands, out);
}
FLOWRUN_CLONES bool mersenne_minima_32(const std::uint64_t* hashes, std::size_t hash_count, const std::uint64_t* factors, const std::uint64_t* summands,
                                       std::uint64_t* out) {
  return mersenne_minima<0xFFFFFFFF>(hashes, hash_count, factors, summands, out);
}

FLOWRUN_CLONES void fast_minima(const std::uint32_t* hashes, std::size_t hash_count, const std::uint32_t* factors, const std::uint32_t* summands, std::uint32_t* out) {
  using Halves = std::uint32_t __attribute__((vector_size(64)));
  constexpr std::size_t kVectors = kFastBlock * sizeof(std::uint32_t) / sizeof(Halves);
  Halves a[kVectors], b[kVectors], smallest[kVectors];
  std::memcpy(a, factors, sizeof a);
  std::memcpy(b, summands, sizeof b);
  for (Halves& one : smallest) one = ~Halves{};
  for (std::size_t i = 0; i < hash_count; ++i) {
    for (std::size_t j = 0; j < kVectors; ++j) {
      const Halves x = hashes[i] * a[j] + b[j];
      smallest[j] = x < smallest[j] ? x : smallest[j];
    }
  }
  std::memcpy(out, smallest, sizeof smallest);
}

}  // namespace

MersennePermutations::MersennePermutations(std::uint32_t seed, std::size_t count, int hash_bits)
    : count_(count), mask_(hash_bits == 32 ? 0xFFFFFFFF : ~std::uint64_t{0}), factors_(padded(count, kMersenneBlock)), summands_(factors_.size()) {
  std::mt19937 random(seed);
  for (std::size_t i = 0; i < count; ++i) factors_[i] = draw(random, 1, kMersennePrime);
  for (std::size_t i = 0; i < count; ++i) summands_[i] = draw(random, 0, kMersennePrime);
}

void MersennePermutations::minima(std::span<const std::uint64_t> hashes, std::span<std::uint64_t> out) const {
  std::array<std::uint64_t, kMersenneBlock> block;
  const auto kernel = mask_ == ~std::uint64_t{0} ? mersenne_minima_64 : mersenne_minima_32;
  for (std::size_t first = 0; first < count_; first += kMersenneBlock) {
    const bool reduced = kernel(hashes.data(), hashes.size(), factors_.data() + first, summands_.data() + first, block.data());
    for (std::size_t j = 0; j < kMersenneBlock && !reduced; ++j) {
      block[j] = ~std::uint64_t{0};
      for (const std::uint64_t hash : hashes) block[j] = std::min(block[j], permuted(hash, factors_[first + j], summands_[first + j]) & mask_);
    }
    std::copy_n(block.begin(), std::min(kMersenneBlock, count_ - first), out.begin() + static_cast<std::ptrdiff_t>(first));
  }
}

FastPermutations::FastPermutations(std::uint64_t seed, std::size_t count) : count_(count), factors_(padded(count, kFastBlock)), summands_(factors_.size()) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto drawn = philox4x32(seed, i, 0);
    factors_[i] = drawn[0] | 1;
    summands_[i] = drawn[1];
  }
}

void FastPermutations::minima(std::span<const std::uint32_t> hashes, std::span<std::uint32_t> out) const {
  std::array<std::uint32_t, kFastBlock> block;
  for (std::size_t first = 0; first < count_; first += kFastBlock) {
    fast_minima(hashes.data(), hashes.size(), factors_.data() + first, summands_.data() + first, block.data());
    std::copy_n(block.begin(), std::min(kFastBlock, count_ - first), out.begin() + static_cast<std::ptrdiff_t>(first));
  }
}

}  // namespace flowrun::dedupers
