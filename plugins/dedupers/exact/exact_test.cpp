#include "text_set.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
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
using flowrun::testing::read_file;
using flowrun::testing::Runner;
using flowrun::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(TextSet, AgreesWithASetOfTheTextsThemselves) {
  std::mt19937 random(5);
  TextSet set(0);
  std::set<std::string> oracle;
  for (int i = 0; i < 200000; ++i) {
    const std::string text = std::to_string(random() % 60000);
    ASSERT_EQ(set.insert(text), oracle.insert(text).second) << text;
  }
  EXPECT_EQ(set.size(), static_cast<std::int64_t>(oracle.size()));
}

TEST(TextSet, KeepsItsBound) {
  constexpr std::int64_t kBound = 2 << 20;
  TextSet set(kBound);
  const auto fill = [&] {
    for (int i = 0;; ++i) {
      set.insert("text " + std::to_string(i));
      ASSERT_LE(set.memory_bytes(), kBound);
    }
  };
  const auto [code, message] = error_of(fill);
  EXPECT_EQ(code, Code::kOutOfMemory);
  EXPECT_THAT(message, HasSubstr("have 'memory_bytes' = 2097152"));
  EXPECT_GT(set.size(), kBound / 37) << "at least a text for every 37 bytes";
  EXPECT_FALSE(set.insert("text 7")) << "what it knows it still knows";
}

TEST(TextSet, SurvivesSaveAndLoad) {
  const TemporaryFolder folder;
  TextSet first(0), second(0);
  for (int i = 0; i < 70000; ++i) first.insert(std::to_string(i));
  first.save(folder.path("texts"));
  second.insert("gone after load");
  second.load(folder.path("texts"));
  EXPECT_EQ(second.size(), 70000);
  EXPECT_FALSE(second.insert("69999"));
  EXPECT_TRUE(second.insert("70000"));
  EXPECT_TRUE(second.insert("gone after load"));
}

TEST(TextSet, RefusesADamagedFile) {
  const TemporaryFolder folder;
  TextSet set(0);
  for (int i = 0; i < 100; ++i) set.insert(std::to_string(i));
  set.save(folder.path("texts"));
  const std::string good = read_file(folder.path("texts"));
  const auto load = [&](const std::string& bytes) {
    folder.write("damaged", bytes);
    return error_of([&] { TextSet(0).load(folder.path("damaged")); });
  };
  std::string flipped = good;
  flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 1);
  EXPECT_THAT(load(flipped).second, HasSubstr("does not have the checksum"));
  EXPECT_THAT(load(good + "x").second, HasSubstr("does not have the checksum"));
  EXPECT_THAT(load(good.substr(0, good.size() - 1)).second, HasSubstr("ends before its 100 hashes"));
  EXPECT_THAT(load("x" + good).second, HasSubstr("is not a set of texts"));
  EXPECT_EQ(load("").first, Code::kCorruptData);
  EXPECT_EQ(error_of([&] { TextSet(0).load(folder.path("none")); }).first, Code::kNotFound);
}

TEST(ExactNode, KeepsTheFirstOfEqualTexts) {
  Runner node(flowrun_plugin_v1);
  node.open({fields::documents()});
  auto out = node.process(documents_batch({{"a", "x", "books", "f"}, {"b", "y", "", ""}, {"c", "x", "web", "g"}, {"d", "x ", "", ""}}));
  EXPECT_THAT(document_rows(out[0]), ElementsAre(Document{"a", "x", "books", "f"}, Document{"b", "y", "", ""}, Document{"d", "x ", "", ""}));
  out = node.process(documents_batch({{"e", "y", "", ""}, {"a", "", "", ""}}));
  EXPECT_THAT(document_rows(out[0]), ElementsAre(Document{"a", "", "", ""}));
  ASSERT_EQ(node.drops().size(), 2u);
  EXPECT_EQ(node.drops()[0].id, "c");
  EXPECT_EQ(node.drops()[0].reason, "duplicate");
  EXPECT_EQ(node.drops()[1].id, "e");
  node.finish();
  out.clear();
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(ExactNode, KeepsColumnsThatItDoesNotKnow) {
  Runner node(flowrun_plugin_v1);
  auto batch = flowrun::testing::with_column(documents_batch({{"a", "x", "", ""}, {"b", "x", "", ""}, {"c", "y", "", ""}}), fields::int64("n"),
                                             make_column(std::vector<std::int64_t>{1, 2, 3}));
  node.open({batch.schema});
  const auto out = node.process(std::move(batch));
  const auto* values = BatchView(out[0].array.get(), out[0].schema).values<std::int64_t>("n", "l");
  EXPECT_THAT(std::vector<std::int64_t>(values, values + out[0].size()), ElementsAre(1, 3));
}

TEST(ExactNode, GoesOnFromASnapshotAsIfNothingHadHappened) {
  const TemporaryFolder folder;
  Runner first(flowrun_plugin_v1), second(flowrun_plugin_v1);
  first.open({fields::documents()});
  first.process(documents_batch({{"a", "x", "", ""}, {"b", "y", "", ""}}));
  first.snapshot(folder.path());
  second.open({fields::documents()});
  second.restore(folder.path());
  EXPECT_EQ(second.memory_bytes(), first.memory_bytes());
  const auto out = second.process(documents_batch({{"c", "y", "", ""}, {"d", "z", "", ""}}));
  EXPECT_THAT(document_rows(out[0]), ElementsAre(Document{"d", "z", "", ""}));
}

TEST(ExactNode, NamesMemoryBytesWhenItIsFull) {
  Runner node(flowrun_plugin_v1);
  OpenOptions options;
  options.memory_bytes = 2048;
  node.open({fields::documents()}, options);
  const auto [code, message] = error_of([&] {
    for (int i = 0; i < 1000; ++i) node.process(documents_batch({{std::to_string(i), std::to_string(i), "", ""}}));
  });
  EXPECT_EQ(code, Code::kOutOfMemory);
  EXPECT_THAT(message, HasSubstr("different texts take 2048 bytes and need 3072, have 'memory_bytes' = 2048"));
}

}  // namespace
}  // namespace flowrun::dedupers
