#include "dedupers/common/blocked_bloom.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace flowrun::dedupers {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Le;

Hash128 element(int i, std::uint64_t seed = 0) { return hash_text("element " + std::to_string(i), seed); }

/// Fills a filter with `count` elements and returns how many of as many others it takes for its own.
int false_positives(const BloomShape& shape, int count, std::uint64_t seed) {
  BlockedBloom filter(shape);
  for (int i = 0; i < count; ++i) filter.insert(element(i, seed));
  for (int i = 0; i < count; ++i) EXPECT_TRUE(filter.may_contain(element(i, seed))) << i;
  int found = 0;
  for (int i = count; i < 2 * count; ++i) found += filter.may_contain(element(i, seed));
  return found;
}

TEST(BlockedBloom, HasTheRateOfItsFormula) {
  constexpr int kCount = 400000;
  for (const double rate : {0.1, 0.01, 0.001}) {
    const BloomShape shape = BloomShape::for_elements(kCount, rate);
    const double expected = shape.false_positive_rate(kCount) * kCount;
    EXPECT_THAT(shape.false_positive_rate(kCount), AllOf(Le(rate), Ge(rate * 0.97))) << "the smallest filter that will do";
    // Questions are binomial trials: their number lies within five standard deviations but once in two million. Loads of blocks differ from filter to filter, which
    // widens that by less than a tenth.
    const double tolerance = 5.5 * std::sqrt(expected);
    for (const std::uint64_t seed : {1, 2, 3}) EXPECT_NEAR(false_positives(shape, kCount, seed), expected, tolerance) << rate;
  }
}

TEST(BlockedBloom, IsNotMuchLargerThanABloomFilterWithoutBlocks) {
  // Without blocks 1.44 log2(1 / rate) bits; Putze et al. measure 1.1 to 1.4 times that for blocks of 512 bits.
  for (const double rate : {0.1, 0.01, 0.001, 0.0001}) {
    const double bits = 8 * static_cast<double>(BloomShape::for_elements(1e8, rate).bytes()) / 1e8;
    EXPECT_THAT(bits / (1.4427 * std::log2(1 / rate)), AllOf(Ge(1), Le(1.4))) << rate;
  }
}

TEST(BlockedBloom, SaysWhatFitsIntoMemory) {
  for (const double rate : {0.2, 0.001}) {
    const std::uint64_t elements = BloomShape::elements_in(1 << 20, rate);
    EXPECT_LE(BloomShape::for_elements(static_cast<double>(elements), rate).bytes(), (1 << 20) * 1.002);
    EXPECT_GT(BloomShape::for_elements(static_cast<double>(elements) * 1.01, rate).bytes(), 1 << 20);
  }
  EXPECT_EQ(BloomShape::elements_in(63, 0.1), 0u);
}

TEST(BlockedBloom, TellsWhetherABitWasMissing) {
  BlockedBloom filter({10, 4});
  EXPECT_TRUE(filter.insert(element(1)));
  EXPECT_FALSE(filter.insert(element(1)));
  EXPECT_FALSE(filter.may_contain(element(2)));
}

}  // namespace
}  // namespace flowrun::dedupers
