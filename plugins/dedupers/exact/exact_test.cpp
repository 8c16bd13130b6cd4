#include "text_set.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
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
using flowrun::testing::Parameters;
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

TEST(TextSet, GoesToDiskAndKeepsItsBound) {
  constexpr std::int64_t kBound = TextSet::kLeastBytes;
  const TemporaryFolder folder;
  std::mt19937 random(6);
  TextSet set(kBound, folder.path());
  std::set<std::uint32_t> oracle;
  for (int i = 0; i < 800000; ++i) {
    const auto number = static_cast<std::uint32_t>(random() % 600000);
    ASSERT_EQ(set.insert(std::to_string(number)), oracle.insert(number).second) << number;
    ASSERT_LE(set.memory_bytes(), kBound);
  }
  EXPECT_EQ(set.size(), static_cast<std::int64_t>(oracle.size()));
  EXPECT_GT(set.spilled(), 10 * kBound / 37) << "many times what fits";
  EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "files have no name";
}

TEST(TextSet, WantsRoomForItsTables) {
  const auto [code, message] = error_of([] { TextSet set(1000); });
  EXPECT_EQ(code, Code::kInvalidArgument);
  EXPECT_THAT(message, HasSubstr("'memory_bytes' is 1000, expected at least 1048576"));
}

TEST(TextSet, SavesAndLoadsWhatIsOnDisk) {
  const TemporaryFolder folder;
  TextSet first(TextSet::kLeastBytes), second(TextSet::kLeastBytes), unbounded(0);
  for (int i = 0; i < 150000; ++i) first.insert(std::to_string(i));
  first.save(folder.path("texts"));
  for (TextSet* set : {&second, &unbounded}) {
    set->load(folder.path("texts"));
    EXPECT_EQ(set->size(), 150000);
    for (int i = 0; i < 150000; i += 7) ASSERT_FALSE(set->insert(std::to_string(i)));
    for (int i = 150000; i < 160000; ++i) ASSERT_TRUE(set->insert(std::to_string(i)));
  }
  EXPECT_GT(second.spilled(), 0);
  EXPECT_EQ(unbounded.spilled(), 0);
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

/// What a node leaves of documents, all in one batch or each in its own.
std::vector<Document> run(Parameters parameters, const std::vector<Document>& documents, bool single, std::int64_t memory_bytes = 0) {
  Runner node(flowrun_plugin_v1, parameters);
  OpenOptions options;
  options.memory_bytes = memory_bytes;
  node.open({fields::documents()}, options);
  std::vector<Document> left;
  for (std::size_t i = 0; i < documents.size(); i += single ? 1 : documents.size()) {
    const auto out = node.process(documents_batch(single ? std::vector<Document>{documents[i]} : documents));
    for (auto& row : document_rows(out[0])) left.push_back(row);
  }
  EXPECT_THAT(node.close(), IsEmpty());
  return left;
}

TEST(ExactNode, LeavesOutLinesAndParagraphs) {
  const std::vector<Document> documents = {{"a", "menu\nfirst\n\nsecond\nmenu", "", ""}, {"b", "menu \n\nsecond", "", ""}, {"c", "menu\nthird\nx\nx", "", ""}};
  for (const bool single : {false, true}) {
    EXPECT_THAT(run({{"by", "line"}}, documents, single), ElementsAre(Document{"a", "menu\nfirst\n\nsecond", "", ""}, Document{"c", "third\nx", "", ""}));
    EXPECT_THAT(run({{"by", "line"}, {"min_bytes", 2}}, documents, single), ElementsAre(Document{"a", "menu\nfirst\n\nsecond", "", ""}, Document{"c", "third\nx\nx", "", ""}));
    EXPECT_THAT(run({{"by", "paragraph"}}, documents, single), ElementsAre(documents[0], documents[1], documents[2])) << "paragraphs are compared whole";
  }
  EXPECT_THAT(run({{"by", "paragraph"}}, {{"a", "x\ny\n\nz", "", ""}, {"b", "z\n\nw", "", ""}, {"c", "w\n\nx\ny\n", "", ""}}, false),
              ElementsAre(Document{"a", "x\ny\n\nz", "", ""}, Document{"b", "w", "", ""}));
}

TEST(ExactNode, SaysWhyATextIsGone) {
  Runner node(flowrun_plugin_v1, {{"by", "line"}});
  node.open({fields::documents()});
  node.process(documents_batch({{"a", "x\ny", "", ""}, {"b", "y\n\nx", "", ""}, {"c", "", "", ""}}));
  ASSERT_EQ(node.drops().size(), 1u) << "a text without lines has no line that was seen";
  EXPECT_EQ(node.drops()[0].id, "b");
  EXPECT_EQ(node.drops()[0].reason, "only_duplicates");
  EXPECT_EQ(node.drops()[0].value, 2);
}

TEST(ExactNode, LeavesTheSameForAnyMemoryAndBatches) {
  std::mt19937 random(8);
  std::vector<Document> documents;
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (int line = 0; line < 100; ++line) text += std::to_string(random() % 150000) + "\n";
    documents.push_back({std::to_string(i), text, "", ""});
  }
  const auto expected = run({{"by", "line"}}, documents, false);
  EXPECT_EQ(run({{"by", "line"}}, documents, false, TextSet::kLeastBytes), expected);
  EXPECT_EQ(run({{"by", "line"}}, documents, true, TextSet::kLeastBytes), expected);
}

TEST(ExactNode, ComparesUrls) {
  StringBuilder urls;
  for (const char* url : {"u", "", "v", "u", ""}) urls.append(url);
  auto batch = flowrun::testing::with_column(documents_batch({{"a", "1", "", ""}, {"b", "2", "", ""}, {"c", "1", "", ""}, {"d", "3", "", ""}, {"e", "2", "", ""}}), fields::utf8("url"), urls.finish());
  Runner node(flowrun_plugin_v1, {{"by", "url"}});
  node.open({batch.schema});
  EXPECT_THAT(document_rows(node.process(std::move(batch))[0]), ElementsAre(Document{"a", "1", "", ""}, Document{"b", "2", "", ""}, Document{"c", "1", "", ""}, Document{"e", "2", "", ""}));
  ASSERT_EQ(node.drops().size(), 1u);
  EXPECT_EQ(node.drops()[0].reason, "duplicate_url");

  Runner without(flowrun_plugin_v1, {{"by", "url"}, {"url_column", "link"}});
  EXPECT_THAT(error_of([&] { without.open({fields::documents()}); }).second, HasSubstr("needs a column of text 'link'"));
}

TEST(ExactNode, TakesSpansOfSentencesOut) {
  const std::string span = "One is here. Two is here. Three is here.";
  const auto left = run({{"by", "sentences"}, {"min_doc_words", 0}, {"min_num_sentences", 1}}, {{"a", span, "", ""}, {"b", "First new one. " + span + " Last new one.", "", ""}, {"c", span, "", ""}}, false);
  EXPECT_THAT(left, ElementsAre(Document{"a", span, "", ""}, Document{"b", "First new one. Last new one.", "", ""}));
}

}  // namespace
}  // namespace flowrun::dedupers
