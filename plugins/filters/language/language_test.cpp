#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "filters/common/golden_file.hpp"

namespace flowrun::filters {
namespace {

using flowrun::testing::documents_batch;
using flowrun::testing::Paths;
using flowrun::testing::Runner;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Parameters = std::vector<std::pair<std::string, flowrun::testing::Value>>;

/// A model of invented languages: common/fasttext/testdata/SOURCES.
Parameters with_model(Parameters parameters) {
  parameters.emplace_back("model_path", Paths({std::string(FLOWRUN_SOURCE_DIR "/plugins/filters/common/fasttext/testdata/hierarchical.bin")}));
  return parameters;
}

TEST(LanguageNode, DecidesAsDatatroveOnTheGoldenFile) {
  Runner node(flowrun_plugin_v1, with_model({{"languages", std::vector<std::string>{"topic1", "topic2"}}, {"threshold", 0.6}}));
  node.open({fields::documents()});
  std::map<std::string, int> counts;
  const auto documents = testing::read_golden_file(FLOWRUN_TEST_SOURCE_DIR "/testdata/golden.jsonl");
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const std::size_t drops = node.drops().size();
    node.process(documents_batch({{std::to_string(i), documents[i].text, "", ""}}));
    const std::string reason = node.drops().size() > drops ? node.drops().back().reason : "";
    EXPECT_EQ(reason, documents[i].reason) << documents[i].text;
    ++counts[documents[i].reason];
  }
  EXPECT_THAT(counts, SizeIs(2));
}

TEST(LanguageNode, AddsTheBestLanguageOfWhatStays) {
  const auto documents = testing::read_golden_file(FLOWRUN_TEST_SOURCE_DIR "/testdata/golden.jsonl");
  std::vector<flowrun::testing::Document> rows;
  for (std::size_t i = 0; i < documents.size(); ++i) rows.push_back({std::to_string(i), documents[i].text, "", ""});
  for (const char* mode : {"drop", "score"}) {
    Runner node(flowrun_plugin_v1, with_model({{"mode", mode}, {"threshold", 0.9}}));
    node.open({fields::documents()});
    const auto out = node.process(documents_batch(rows));
    const BatchView view(out[0].array.get(), out[0].schema);
    ASSERT_EQ(static_cast<std::size_t>(view.size()) + node.drops().size(), rows.size());
    ASSERT_GT(view.size(), 0);
    for (std::int64_t row = 0; row < view.size(); ++row) {
      EXPECT_TRUE(view.strings("language")[row].starts_with("topic"));
      const double score = view.values<double>("score.language", "g")[row];
      const bool stays = std::string(mode) == "drop" || view.strings("language.reason")[row].empty();
      EXPECT_EQ(stays, score > 0.9);
    }
  }
}

TEST(LanguageNode, ComparesProbabilitiesStrictly) {
  const std::string text = testing::read_golden_file(FLOWRUN_TEST_SOURCE_DIR "/testdata/golden.jsonl")[0].text;
  Runner scoring(flowrun_plugin_v1, with_model({{"mode", "score"}}));
  scoring.open({fields::documents()});
  const auto out = scoring.process(documents_batch({{"a", text, "", ""}}));
  const double score = BatchView(out[0].array.get(), out[0].schema).values<double>("score.language", "g")[0];
  Runner node(flowrun_plugin_v1, with_model({{"threshold", score}}));
  node.open({fields::documents()});
  node.process(documents_batch({{"a", text, "", ""}}));
  ASSERT_THAT(node.drops(), SizeIs(1)) << "a probability that is the threshold is not above it";
  EXPECT_EQ(node.drops()[0].value, score);
  EXPECT_EQ(node.drops()[0].threshold, score);
}

TEST(LanguageNode, RefusesALanguageThatTheModelDoesNotKnow) {
  Runner node(flowrun_plugin_v1, with_model({{"languages", std::vector<std::string>{"topik1"}}}));
  try {
    node.open({fields::documents()});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "'languages' names 'topik1', which is none of the model's 4 labels; did you mean 'topic1'?");
  }
}

TEST(LanguageNode, RefusesAColumnThatIsThere) {
  Runner node(flowrun_plugin_v1, with_model({}));
  Field schema = fields::documents();
  schema.children.push_back(fields::utf8("language"));
  EXPECT_THROW(node.open({schema}), Error);
}

}  // namespace
}  // namespace flowrun::filters
