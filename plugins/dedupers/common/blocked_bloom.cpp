#include "dedupers/common/blocked_bloom.hpp"

#include <algorithm>
#include <cmath>

namespace flowrun::dedupers {
namespace {

constexpr int kBlockBits = 512, kMaxBits = 32;

/// The rate in a block with `load` elements.
double rate_of_block(double load, int bits) noexcept { return std::pow(1 - std::exp(load * bits * std::log1p(-1.0 / kBlockBits)), bits); }

bool holds(double elements, std::uint64_t blocks, double rate) noexcept { return BloomShape::best_for(elements, blocks).false_positive_rate(elements) <= rate; }

}  // namespace

double BloomShape::false_positive_rate(double elements) const noexcept {
  const double mean = elements / static_cast<double>(blocks);
  if (mean <= 0) return 0;
  const double spread = 12 * std::sqrt(mean) + 12;  // beyond it there is less than 1e-15 of the blocks
  double sum = 0;
  for (double load = std::max(0.0, std::floor(mean - spread)); load <= mean + spread; ++load)
    sum += std::exp(load * std::log(mean) - mean - std::lgamma(load + 1)) * rate_of_block(load, bits);
  return sum;
}

BloomShape BloomShape::best_for(double elements, std::uint64_t blocks) noexcept {
  BloomShape best{std::max<std::uint64_t>(1, blocks), 1};
  double least = best.false_positive_rate(elements);
  for (int bits = 2; bits <= kMaxBits; ++bits)
    if (const double rate = BloomShape{best.blocks, bits}.false_positive_rate(elements); rate < least) {
      least = rate;
      best.bits = bits;
    }
  return best;
}

BloomShape BloomShape::for_elements(double elements, double rate) {
  std::uint64_t low = 0, high = 1;
  while (!holds(elements, high, rate)) {
    low = high;
    high *= 2;
  }
  while (high - low > 1 + low / 1000) {  // the last block of a thousand does not matter
    const std::uint64_t middle = low + (high - low) / 2;
    (holds(elements, middle, rate) ? high : low) = middle;
  }
  return best_for(elements, high);
}

std::uint64_t BloomShape::elements_in(std::uint64_t bytes, double rate) {
  const std::uint64_t blocks = bytes / kBlockBytes;
  if (blocks == 0) return 0;
  std::uint64_t low = 0, high = 1;
  while (holds(static_cast<double>(high), blocks, rate)) {
    low = high;
    high *= 2;
  }
  while (high - low > 1 + low / 100000) {
    const std::uint64_t middle = low + (high - low) / 2;
    (holds(static_cast<double>(middle), blocks, rate) ? low : high) = middle;
  }
  return low;
}

/// Nine bits of the hash for each bit of the element, seven of them out of one number of 64; the next number is another product.
BlockedBloom::Block BlockedBloom::mask_of(Hash128 hash) const noexcept {
  Block mask{};
  std::uint64_t bits = hash.high;
  for (int i = 0; i < shape_.bits; ++i) {
    if (i > 0 && i % 7 == 0) {
      bits = (hash.high ^ static_cast<std::uint64_t>(i)) * 0x9E3779B97F4A7C15;  // 2^64 / golden ratio
      bits ^= bits >> 32;
      bits *= 0xD6E8FEB86659FD93;
      bits ^= bits >> 32;
    }
    mask[bits >> 6 & 7] |= std::uint64_t{1} << (bits & 63);
    bits >>= 9;
  }
  return mask;
}

bool BlockedBloom::insert(Hash128 hash) noexcept {
  Block& block = blocks_[block_of(hash)];
  const Block mask = mask_of(hash);
  std::uint64_t missing = 0;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    missing |= mask[i] & ~block[i];
    block[i] |= mask[i];
  }
  return missing != 0;
}

bool BlockedBloom::may_contain(Hash128 hash) const noexcept {
  const Block& block = blocks_[block_of(hash)];
  const Block mask = mask_of(hash);
  std::uint64_t missing = 0;
  for (std::size_t i = 0; i < mask.size(); ++i) missing |= mask[i] & ~block[i];
  return missing == 0;
}

}  // namespace flowrun::dedupers
