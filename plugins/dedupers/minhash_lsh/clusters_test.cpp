#include "clusters.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <random>
#include <vector>

#include "record_sorter.hpp"

namespace flowrun::dedupers {
namespace {

using flowrun::testing::TemporaryFolder;
using ::testing::IsEmpty;

constexpr std::size_t kLittle = std::size_t{64} << 10;  // what a sorter takes at least: 4096 records

std::vector<Record> all_of(RecordSorter& sorter) {
  std::vector<Record> records;
  for (auto cursor = sorter.read(); cursor.next();) records.push_back(cursor.record);
  return records;
}

TEST(RecordSorter, SortsWhatDoesNotFitIntoMemory) {
  const TemporaryFolder folder;
  for (const std::size_t count : {0u, 1u, 4096u, 4097u, 300'000u}) {  // the last one makes more runs than are open at once
    std::mt19937_64 random(count + 1);
    RecordSorter little(kLittle, folder.path()), much(std::size_t{64} << 20, folder.path());
    std::vector<Record> expected;
    for (std::size_t i = 0; i < count; ++i) {
      expected.push_back({random() % 1000, random() % 1000});
      little.add(expected.back());
      much.add(expected.back());
    }
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(little.runs() > 0, count > 4096) << count;
    EXPECT_EQ(much.runs(), 0u);
    EXPECT_LE(little.memory_bytes(), kLittle);
    EXPECT_TRUE(all_of(little) == expected) << count;
    EXPECT_TRUE(all_of(little) == expected) << "read again";
    EXPECT_TRUE(all_of(much) == expected) << count;
  }
}

using Pairs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

/// The first of each node's component, by union-find, for nodes that are not it.
std::map<std::uint64_t, std::uint64_t> by_union_find(const Pairs& pairs, std::size_t nodes) {
  std::vector<std::uint64_t> parent(nodes);
  std::iota(parent.begin(), parent.end(), std::uint64_t{0});
  const auto root = [&](std::uint64_t x) {
    while (parent[x] != x) x = parent[x] = parent[parent[x]];
    return x;
  };
  for (const auto& [a, b] : pairs) {
    const std::uint64_t x = root(a), y = root(b);
    parent[std::max(x, y)] = std::min(x, y);
  }
  std::map<std::uint64_t, std::uint64_t> first;
  for (std::uint64_t i = 0; i < nodes; ++i)
    if (root(i) != i) first[i] = root(i);
  return first;
}

std::map<std::uint64_t, std::uint64_t> by_stars(const Pairs& pairs, std::size_t memory_bytes) {
  const TemporaryFolder folder;
  Clusters clusters(memory_bytes, folder.path());
  for (const auto& [a, b] : pairs) clusters.add(a, b);
  clusters.finish();
  std::map<std::uint64_t, std::uint64_t> first;
  std::uint64_t last = 0;
  for (auto cursor = clusters.read(); cursor.next(); last = cursor.document) {
    EXPECT_TRUE(first.empty() || cursor.document > last) << "in order, each once";
    first[cursor.document] = cursor.first;
  }
  return first;
}

TEST(Clusters, AreTheComponentsOfRandomPairs) {
  std::mt19937_64 random(5);
  for (const std::size_t nodes : {2u, 10u, 1000u, 20'000u})
    for (const double density : {0.2, 0.5, 1.0, 3.0}) {
      Pairs pairs;
      while (static_cast<double>(pairs.size()) < density * static_cast<double>(nodes)) {
        const std::uint64_t a = random() % nodes, b = random() % nodes;
        if (a != b) pairs.emplace_back(a, b);
      }
      const auto expected = by_union_find(pairs, nodes);
      EXPECT_EQ(by_stars(pairs, std::size_t{64} << 20), expected) << nodes << " " << density;
      EXPECT_EQ(by_stars(pairs, kLittle), expected) << "on disk, " << nodes << " " << density;
    }
}

TEST(Clusters, FollowLongChains) {
  Pairs chain, shuffled;
  for (std::uint64_t i = 0; i + 1 < 5000; ++i) chain.emplace_back(i, i + 1);
  std::vector<std::uint64_t> names(5000);
  std::iota(names.begin(), names.end(), std::uint64_t{0});
  std::shuffle(names.begin(), names.end(), std::mt19937_64(1));
  for (const auto& [a, b] : chain) shuffled.emplace_back(names[a], names[b]);
  for (const Pairs& pairs : {chain, shuffled}) {
    const auto first = by_stars(pairs, kLittle);
    EXPECT_EQ(first.size(), 4999u);
    for (const auto& [document, of] : first) ASSERT_EQ(of, 0u) << document;
  }
}

TEST(Clusters, OfNoPairsAreNone) { EXPECT_THAT(by_stars({}, kLittle), IsEmpty()); }

TEST(Clusters, GiveUpWhenTold) {
  const TemporaryFolder folder;
  Clusters clusters(kLittle, folder.path());
  clusters.add(1, 2);
  EXPECT_THROW(clusters.finish([] { throw Error(Code::kCancelled, "enough"); }), Error);
}

}  // namespace
}  // namespace flowrun::dedupers
