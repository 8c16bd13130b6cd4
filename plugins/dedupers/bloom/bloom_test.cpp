#include "filter_file.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

namespace flowrun::dedupers {
namespace {

using flowrun::testing::Document;
using flowrun::testing::document_rows;
using flowrun::testing::documents_batch;
using flowrun::testing::error_of;
using flowrun::testing::OpenOptions;
using flowrun::testing::Parameters;
using flowrun::testing::read_file;
using flowrun::testing::Runner;
using flowrun::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;

OpenOptions options(std::uint64_t seed, std::int64_t memory_bytes = 0) {
  OpenOptions options;
  options.seed = seed;
  options.memory_bytes = memory_bytes;
  return options;
}

std::vector<Document> numbered(int first, int last) {
  std::vector<Document> documents;
  for (int i = first; i < last; ++i) documents.push_back({std::to_string(i), "text " + std::to_string(i), "", ""});
  return documents;
}

/// The ids that are dropped of distinct documents, and what the rate of the filter makes one expect.
std::set<std::string> lost(std::uint64_t seed, int count, double rate) {
  Runner node(flowrun_plugin_v1, {{"capacity", count}, {"false_positive_rate", rate}});
  node.open({fields::documents()}, options(seed));
  for (int i = 0; i < count; i += 1000) node.process(documents_batch(numbered(i, i + 1000)));
  std::set<std::string> ids;
  for (const auto& drop : node.drops()) ids.insert(drop.id);
  return ids;
}

TEST(BloomNode, LosesNoMoreThanItsRate) {
  constexpr int kCount = 100000;
  constexpr double kRate = 0.02;
  const BloomShape shape = BloomShape::for_elements(kCount, kRate);
  double expected = 0, variance = 0;  // each document is a trial at the rate of the moment
  for (int i = 0; i < kCount; i += 1000) {
    const double rate = shape.false_positive_rate(i + 500);
    expected += 1000 * rate;
    variance += 1000 * rate * (1 - rate);
  }
  for (const std::uint64_t seed : {1, 2}) {
    const auto count = static_cast<double>(lost(seed, kCount, kRate).size());
    EXPECT_LT(count, kRate * kCount);
    EXPECT_NEAR(count, expected, 5.5 * std::sqrt(variance));
  }
}

TEST(BloomNode, DependsOnItsSeedAlone) {
  const auto first = lost(1, 20000, 0.05);
  EXPECT_EQ(lost(1, 20000, 0.05), first);
  EXPECT_NE(lost(2, 20000, 0.05), first);
}

TEST(BloomNode, KeepsTheFirstOfEqualDocuments) {
  Runner node(flowrun_plugin_v1, {{"capacity", 1000}});
  node.open({fields::documents()});
  auto out = node.process(documents_batch({{"a", "x", "", ""}, {"b", "y", "", ""}, {"c", "x", "", ""}}));
  EXPECT_THAT(document_rows(out[0]), ElementsAre(Document{"a", "x", "", ""}, Document{"b", "y", "", ""}));
  EXPECT_EQ(node.drops().at(0).reason, "duplicate");
  node.finish();
  out.clear();
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(BloomNode, LeavesOutLines) {
  Runner node(flowrun_plugin_v1, {{"capacity", 1000}, {"by", "line"}});
  node.open({fields::documents()});
  EXPECT_THAT(document_rows(node.process(documents_batch({{"a", "menu\nx", "", ""}, {"b", "menu\ny", "", ""}}))[0]), ElementsAre(Document{"a", "menu\nx", "", ""}, Document{"b", "y", "", ""}));
}

TEST(BloomNode, RefusesWhatMemoryDoesNotHold) {
  Runner node(flowrun_plugin_v1, {{"capacity", 1000000}, {"false_positive_rate", 0.001}});
  const auto [code, message] = error_of([&] { node.open({fields::documents()}, options(0, 1 << 20)); });
  EXPECT_EQ(code, Code::kInvalidArgument);
  EXPECT_THAT(message, AllOf(HasSubstr("a filter for 'capacity' = 1000000 at 'false_positive_rate' = 0.001 takes "), HasSubstr("have 'memory_bytes' = 1048576: that is enough for a capacity of ")));
  const auto number_behind = [&](const std::string& words) { return std::stod(message.substr(message.find(words) + words.size())); };
  EXPECT_THAT(number_behind("capacity of "), AllOf(Ge(500000), Le(583000))) << "8 bits a byte over 1.44 log2(1000) bits for each, and no more than a filter without blocks";
  EXPECT_THAT(number_behind("rate of "), AllOf(Ge(0.0177), Le(0.03))) << "0.6185 to the number of bits for each, which are 8.4, and somewhat more";
}

TEST(BloomNode, EndsWhereItsRateWouldNotHold) {
  Runner node(flowrun_plugin_v1, {{"capacity", 5000}});
  node.open({fields::documents()});
  const auto [code, message] = error_of([&] { node.process(documents_batch(numbered(0, 6000))); });
  EXPECT_EQ(code, Code::kOutOfMemory);
  EXPECT_THAT(message, HasSubstr("more than 'capacity' = 5000 different ones have come"));
}

TEST(BloomNode, GoesOnFromASnapshotAsIfNothingHadHappened) {
  const TemporaryFolder folder;
  Runner first(flowrun_plugin_v1, {{"capacity", 1000}}), second(flowrun_plugin_v1, {{"capacity", 1000}}), other(flowrun_plugin_v1, {{"capacity", 9000}});
  first.open({fields::documents()}, options(7));
  first.process(documents_batch(numbered(0, 500)));
  first.snapshot(folder.path());
  second.open({fields::documents()}, options(7));
  second.restore(folder.path());
  EXPECT_EQ(second.memory_bytes(), first.memory_bytes());
  const auto once = document_rows(first.process(documents_batch(numbered(400, 900)))[0]), again = document_rows(second.process(documents_batch(numbered(400, 900)))[0]);
  EXPECT_EQ(once, again);
  EXPECT_THAT(error_of([&] { second.process(documents_batch(numbered(900, 2000))); }).second, HasSubstr("more than 'capacity' = 1000")) << "it knows how many it holds";
  other.open({fields::documents()}, options(7));
  EXPECT_THAT(error_of([&] { other.restore(folder.path()); }).second, HasSubstr("holds a filter of"));
}

TEST(FilterFile, RefusesADamagedFile) {
  const TemporaryFolder folder;
  BlockedBloom filter({10, 4});
  filter.insert(hash_text("x"));
  save_filter(folder.path("filter"), filter, 1);
  const std::string good = read_file(folder.path("filter"));
  const auto load = [&](const std::string& bytes) {
    folder.write("damaged", bytes);
    return error_of([&] {
             BlockedBloom loaded({10, 4});
             load_filter(folder.path("damaged"), loaded);
           })
        .second;
  };
  std::string flipped = good;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  for (const std::string& damaged : {flipped, good + "x", good.substr(0, good.size() - 1)}) EXPECT_THAT(load(damaged), HasSubstr("does not have the checksum"));
  EXPECT_THAT(load("x" + good), HasSubstr("is not a Bloom filter"));
}

}  // namespace
}  // namespace flowrun::dedupers
