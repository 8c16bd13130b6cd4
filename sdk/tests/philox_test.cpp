#include <flowrun/philox.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <set>
#include <vector>

namespace flowrun {
namespace {

using Words = std::array<std::uint32_t, 4>;

// The vectors of philox4x32 with 10 rounds in tests/kat_vectors of Random123 1.14.0: counter words 0 to 3, key words 0 and 1, result.
TEST(Philox, GivesTheAuthorsKnownAnswers) {
  EXPECT_EQ(philox4x32(0, 0, 0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32(~0ull, ~0ull, ~0ull), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32(0x299f31d0a4093822, 0x85a308d3243f6a88, 0x0370734413198a2e), (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, JoinsWordsLowFirst) {
  EXPECT_EQ(philox_u64(0, 0), 0xe169c58d6627e8d5u);
  EXPECT_EQ(philox_uniform(0, 0), static_cast<double>(0xe169c58d6627e8d5u >> 11) / 9007199254740992.0);
}

TEST(Philox, BoundedReachesBothEnds) {
  EXPECT_EQ(bounded(0, 10), 0u);
  EXPECT_EQ(bounded(~0ull, 10), 9u);
  EXPECT_EQ(bounded(~0ull / 2, 2), 0u);
  EXPECT_EQ(bounded(~0ull / 2 + 1, 2), 1u);
}

TEST(Permutation, IsABijectionOfEverySize) {
  for (const std::uint64_t n : {1u, 2u, 3u, 4u, 5u, 16u, 17u, 63u, 64u, 65u, 1000u, 4097u}) {
    std::vector<bool> seen(n);
    const Permutation permute(7, n);
    for (std::uint64_t i = 0; i < n; ++i) {
      const std::uint64_t value = permute(i);
      ASSERT_LT(value, n);
      ASSERT_FALSE(seen[value]) << "of " << n;
      seen[value] = true;
    }
  }
}

TEST(Permutation, StaysInRangeForVeryManyElements) {
  const std::uint64_t n = (1ull << 40) + 12345;
  const Permutation permute(3, n);
  std::set<std::uint64_t> values;
  for (std::uint64_t i = 0; i < 1000; ++i) values.insert(permute(n - 1 - i));
  EXPECT_EQ(values.size(), 1000u);
  EXPECT_LT(*values.rbegin(), n);
}

// Each element should come first equally often. With 10,000 keys and 10 elements a count is 1000 +- 30 (one sigma); 5 sigma are allowed.
TEST(Permutation, PutsEachElementFirstEquallyOften) {
  std::array<int, 10> first{};
  for (std::uint64_t key = 0; key < 10000; ++key) ++first[Permutation(key, 10)(0)];
  for (const int count : first) EXPECT_NEAR(count, 1000, 150);
}

TEST(DeriveSeed, DependsOnSeedAndName) {
  const std::set<std::uint64_t> seeds{derive_seed(1, "a"), derive_seed(2, "a"), derive_seed(1, "b"), derive_seed(1, "")};
  EXPECT_EQ(seeds.size(), 4u);
  EXPECT_EQ(derive_seed(1, "a"), derive_seed(1, "a"));
}

}  // namespace
}  // namespace flowrun
