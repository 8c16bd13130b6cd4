#include "dedupers/common/hash_runs.hpp"

#include <flowrun/testing.hpp>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace flowrun::dedupers {
namespace {

using flowrun::testing::TemporaryFolder;

void add_sorted(HashRuns& runs, const std::set<Hash128>& hashes) {
  auto next = hashes.begin();
  runs.add(hashes.size(), [&](Hash128& hash) {
    if (next == hashes.end()) return false;
    hash = *next++;
    return true;
  });
}

TEST(HashRuns, KnowWhatTheyWereGivenAfterAnyNumberOfMerges) {
  const TemporaryFolder folder;
  HashRuns runs(folder.path(), 1 << 16);
  std::vector<Hash128> given;
  for (int run = 0; run < 75; ++run) {  // 8 + 64 + 3: two merges of merges
    std::set<Hash128> hashes;
    for (int i = 0; i < 1 + run * 13 % 700; ++i) hashes.insert(hash_text(std::to_string(run) + "/" + std::to_string(i)));
    given.insert(given.end(), hashes.begin(), hashes.end());
    add_sorted(runs, hashes);
    ASSERT_EQ(runs.size(), given.size());
  }
  EXPECT_LT(runs.run_count(), 15u);
  for (const Hash128& hash : given) ASSERT_TRUE(runs.contains(hash));
  for (int i = 0; i < 10000; ++i) ASSERT_FALSE(runs.contains(hash_text("other " + std::to_string(i))));

  std::set<Hash128> seen;
  runs.for_each([&](const Hash128& hash) { EXPECT_TRUE(seen.insert(hash).second); });
  EXPECT_EQ(seen, std::set<Hash128>(given.begin(), given.end()));
}

TEST(HashRuns, FindTheFirstAndTheLast) {
  const TemporaryFolder folder;
  HashRuns runs(folder.path(), 1 << 16);
  std::set<Hash128> hashes = {{1, 0}, {2, 0}, {0, ~std::uint64_t{0}}, {~std::uint64_t{0}, ~std::uint64_t{0}}};
  for (std::uint64_t i = 1; i < 1000; ++i) hashes.insert({i, i << 54});
  add_sorted(runs, hashes);
  for (const Hash128& hash : hashes) EXPECT_TRUE(runs.contains(hash));
  EXPECT_FALSE(runs.contains({3, 0}));
  EXPECT_FALSE(runs.contains({1, ~std::uint64_t{0}}));
}

}  // namespace
}  // namespace flowrun::dedupers
