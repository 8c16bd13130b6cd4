#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "filters/common/golden_file.hpp"
#include "text_parts.hpp"

namespace flowrun::filters {
namespace {

using flowrun::testing::document_rows;
using flowrun::testing::documents_batch;
using flowrun::testing::Paths;
using flowrun::testing::Runner;
using flowrun::testing::Value;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Parameters = std::vector<std::pair<std::string, Value>>;

/// A classifier of invented words: common/fasttext/testdata/SOURCES.
std::string model_file() { return FLOWRUN_SOURCE_DIR "/plugins/filters/common/fasttext/testdata/hierarchical.bin"; }

Parameters with_model(Parameters parameters) {
  parameters.emplace_back("model_path", Paths({model_file()}));
  return parameters;
}

TEST(TextParts, JoinsBlankLinesToWhatStandsBefore) {
  const CodePointClasses classes;
  EXPECT_THAT(paragraphs_of("a\r\n\n \nb\n", classes), ElementsAre("a\n\n \n", "b"));
  EXPECT_THAT(paragraphs_of("\n\na", classes), ElementsAre("\n\n", "a"));
  EXPECT_THAT(paragraphs_of("\n", classes), ElementsAre(""));
  EXPECT_THAT(paragraphs_of("", classes), IsEmpty());
}

TEST(FastTextNode, DecidesAndRewritesAsDatatroveOnTheGoldenFile) {
  Runner node(flowrun_plugin_v1, with_model({{"keep_labels", Value::Table{{"topic1", 0.6}, {"topic2", 0.7}}}, {"split", "paragraph"}, {"newline_replacement", " "}}));
  node.open({fields::documents()});
  std::map<std::string, int> counts;
  int changed = 0;
  for (const auto& document : testing::read_golden_file(FLOWRUN_TEST_SOURCE_DIR "/testdata/golden.jsonl")) {
    const std::size_t drops = node.drops().size();
    const auto out = node.process(documents_batch({{"a", document.text, "", ""}}));
    const std::string reason = node.drops().size() > drops ? node.drops().back().reason : "";
    EXPECT_EQ(reason, document.reason) << document.text;
    if (reason.empty()) {
      EXPECT_EQ(document_rows(out[0])[0].text, document.after);
    }
    ++counts[document.reason];
    changed += document.after != document.text;
  }
  EXPECT_THAT(counts, SizeIs(2));
  EXPECT_GT(changed, 2);
}

TEST(FastTextNode, RemovesByLabelsAndSaysWhatItFound) {
  const auto documents = testing::read_golden_file(FLOWRUN_TEST_SOURCE_DIR "/testdata/golden.jsonl");
  Runner scoring(flowrun_plugin_v1, with_model({{"scores", std::vector<std::string>{"topic1"}}}));
  scoring.open({fields::documents()});
  const auto out = scoring.process(documents_batch({{"a", documents[0].text, "", ""}}));
  EXPECT_EQ(document_rows(out[0]).size(), 1u) << "without rules nothing goes";
  const double score = BatchView(out[0].array.get(), out[0].schema).values<double>("score.topic1", "g")[0];
  EXPECT_GT(score, 0);

  Runner removing(flowrun_plugin_v1, with_model({{"remove_labels", Value::Table{{"topic1", score}}}}));
  removing.open({fields::documents()});
  removing.process(documents_batch({{"a", documents[0].text, "", ""}}));
  ASSERT_THAT(removing.drops(), SizeIs(1)) << "reaching the probability is enough";
  EXPECT_EQ(removing.drops()[0].reason, "fasttext");
  EXPECT_EQ(removing.drops()[0].value, score);
  EXPECT_EQ(removing.drops()[0].threshold, score);
}

TEST(FastTextNode, TakesAModelThatATrainerHasMade) {
  const flowrun::testing::TemporaryFolder folder;
  std::filesystem::copy_file(model_file(), folder.path("model.bin"));
  Runner node(flowrun_plugin_v1, {{"keep_labels", Value::Table{{"topic1", 0.5}}}});
  flowrun::testing::OpenOptions options;
  options.artifacts["model"] = folder.path();
  node.open({fields::documents()}, options);
  node.process(documents_batch({{"a", "x", "", ""}}));
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(FastTextNode, RefusesWrongLabelsAndProbabilities) {
  EXPECT_THROW(Runner(flowrun_plugin_v1, with_model({{"keep_labels", Value::Table{{"topic1", 0.0}}}})), Error);
  Runner node(flowrun_plugin_v1, with_model({{"keep_labels", Value::Table{{"toxic", 0.5}}}}));
  EXPECT_THROW(node.open({fields::documents()}), Error);
}

}  // namespace
}  // namespace flowrun::filters
