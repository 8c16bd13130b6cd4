#include "neighbour_tally.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include <flowrun/testing.hpp>

namespace flowrun::tokenizers {
namespace {

// Several rounds, as it is used again; with all places in memory, with some and with none.
TEST(NeighbourTally, GroupsPlacesInTheirOrderWhateverTheMemory) {
  const testing::TemporaryFolder folder;
  for (const std::size_t memory_bytes : {std::size_t{1} << 20, std::size_t{1} << 12, std::size_t{1}}) {
    NeighbourTally<std::uint32_t> tally(memory_bytes, folder.path());
    tally.resize(20);
    std::mt19937 random(1);
    for (const std::uint32_t places : {10'000u, 7u, 5'000u}) {
      tally.clear();
      std::map<std::uint32_t, std::pair<std::uint64_t, std::vector<std::uint32_t>>> expected;
      for (std::uint32_t place = 0; place < places; ++place) {
        const std::uint32_t neighbour = random() % (1 + random() % 20), count = 1 + random() % 3;
        tally.meet(neighbour, count, place);
        expected[neighbour].first += count;
        expected[neighbour].second.push_back(place);
      }
      EXPECT_EQ(tally.size(), places);
      const std::uint64_t least = places / 20;
      std::erase_if(expected, [&](const auto& entry) { return entry.second.first < least; });
      std::vector<std::uint32_t> to(tally.size(least));
      std::map<std::uint32_t, std::pair<std::uint64_t, std::pair<const std::uint32_t*, std::size_t>>> groups;
      std::size_t touched = 0;
      tally.group(
          to.data(), least, [&](std::uint32_t neighbour, std::uint64_t weight, const std::uint32_t* first, std::size_t n) { groups[neighbour] = {weight, {first, n}}; },
          [&] { ++touched; });
      EXPECT_EQ(touched, to.size());
      ASSERT_EQ(groups.size(), expected.size());
      for (const auto& [neighbour, group] : groups) {
        EXPECT_EQ(group.first, expected[neighbour].first);
        EXPECT_EQ(std::vector<std::uint32_t>(group.second.first, group.second.first + group.second.second), expected[neighbour].second);
      }
    }
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace flowrun::tokenizers
