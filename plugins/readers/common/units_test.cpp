#include "readers/common/units.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace flowrun::readers {
namespace {

using ::testing::ElementsAre;

constexpr std::int64_t kMiB = 1 << 20;

std::vector<Unit> group(std::vector<std::int64_t> sizes) { return group_units(sizes); }

TEST(GroupUnits, JoinsNeighboursUpToFourMebibytes) {
  EXPECT_THAT(group({kMiB, kMiB, 2 * kMiB, 1, kMiB}), ElementsAre(Unit{0, 3}, Unit{3, 2}));
}

TEST(GroupUnits, LeavesALargeFileAlone) {
  EXPECT_THAT(group({1, 100 * kMiB, 1, 1}), ElementsAre(Unit{0, 1}, Unit{1, 1}, Unit{2, 2}));
  EXPECT_THAT(group({5 * kMiB}), ElementsAre(Unit{0, 1}));
}

TEST(GroupUnits, TakesEmptyFilesAndNone) {
  EXPECT_THAT(group({0, 0, 4 * kMiB, 0}), ElementsAre(Unit{0, 4}));
  EXPECT_TRUE(group({}).empty());
}

}  // namespace
}  // namespace flowrun::readers
