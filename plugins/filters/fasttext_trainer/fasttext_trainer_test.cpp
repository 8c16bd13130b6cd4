#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "filters/common/fasttext/model_file.hpp"
#include "trainer.hpp"

namespace flowrun::filters {
namespace {

using flowrun::testing::Batch;
using flowrun::testing::OpenOptions;
using flowrun::testing::read_file;
using flowrun::testing::Runner;
using flowrun::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Labelled = std::vector<std::pair<std::string, std::string>>;  // label, text

/// Two topics with words of their own and words in common.
Labelled two_topics(int count) {
  std::mt19937 draw(5);
  Labelled examples;
  for (int i = 0; i < count; ++i) {
    const bool first = draw() % 2 == 0;
    std::string text;
    for (int k = 0; k < 6; ++k) text += (draw() % 2 ? "common" : first ? "apple" : "bolt") + std::to_string(draw() % 10) + (k % 2 ? " " : "\n");
    examples.emplace_back(first ? "fruit" : "tool", text);
  }
  return examples;
}

Batch batch_of(const Labelled& examples) {
  std::vector<flowrun::testing::Document> rows;
  StringBuilder labels;
  for (const auto& [label, text] : examples) {
    rows.push_back({std::to_string(rows.size()), text, "", ""});
    labels.append(label);
  }
  return flowrun::testing::with_column(flowrun::testing::documents_batch(rows), fields::utf8("label"), labels.finish());
}

using Parameters = std::vector<std::pair<std::string, flowrun::testing::Value>>;

void open(Runner& node, const TemporaryFolder& folder, std::int64_t memory_bytes = 0) {
  OpenOptions options;
  options.staging = folder.path();
  options.memory_bytes = memory_bytes;
  node.open({batch_of({}).schema}, options);
}

/// Trains and returns the model's file.
std::string train(const Parameters& parameters, const std::vector<Labelled>& batches) {
  const TemporaryFolder folder;
  Runner node(flowrun_plugin_v1, parameters);
  open(node, folder);
  for (const Labelled& batch : batches) node.consume(batch_of(batch));
  node.finish();
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1) << "nothing but the model stays";
  return read_file(folder.path("model.bin"));
}

TEST(FastTextTrainer, MakesTheModelOfTheLibraryByteByByte) {
  // testdata: the command line program of fastText 0.9.2 with one thread on these very examples.
  Labelled examples;
  std::ifstream in(FLOWRUN_TEST_SOURCE_DIR "/testdata/examples.jsonl");
  for (std::string line; std::getline(in, line);) {
    const auto json = flowrun::testing::read_json(line);
    examples.emplace_back(json["label"].text, json["text"].text);
  }
  ASSERT_GT(examples.size(), 50u);
  EXPECT_TRUE(train({{"dim", 6}, {"epochs", 4}, {"lr", 0.5}}, {examples}) == read_file(FLOWRUN_TEST_SOURCE_DIR "/testdata/words.bin"));
  EXPECT_TRUE(train({{"dim", 4}, {"min_count", 2}, {"word_ngrams", 2}, {"minn", 2}, {"maxn", 3}, {"bucket", 200}}, {examples}) ==
              read_file(FLOWRUN_TEST_SOURCE_DIR "/testdata/ngrams.bin"));
}

TEST(FastTextTrainer, LearnsTheTopics) {
  const TemporaryFolder folder;
  const std::string file = folder.write("model.bin", train({{"dim", 8}, {"epochs", 20}, {"lr", 0.5}}, {two_topics(300)}));
  const fasttext::Model model = fasttext::read_model(file);
  EXPECT_EQ(model.label(model.predict("apple1 common2")[0].label), "fruit");
  EXPECT_EQ(model.label(model.predict("bolt7 common2")[0].label), "tool");
  EXPECT_GT(model.predict("bolt7 bolt8")[0].probability, 0.9);
}

TEST(FastTextTrainer, DoesNotDependOnBatches) {
  const Labelled all = two_topics(100);
  const Labelled first(all.begin(), all.begin() + 37), rest(all.begin() + 37, all.end());
  EXPECT_TRUE(train({{"dim", 5}}, {all}) == train({{"dim", 5}}, {first, rest}));
}

TEST(FastTextTrainer, GoesOnFromASnapshot) {
  const Labelled all = two_topics(100);
  const Labelled first(all.begin(), all.begin() + 37), rest(all.begin() + 37, all.end());
  const TemporaryFolder before, after, state;
  {
    Runner node(flowrun_plugin_v1, {{"dim", 5}});
    open(node, before);
    node.consume(batch_of(first));
    node.snapshot(state.path());
  }
  Runner node(flowrun_plugin_v1, {{"dim", 5}});
  open(node, after);
  node.restore(state.path());
  node.consume(batch_of(rest));
  node.finish();
  EXPECT_TRUE(read_file(after.path("model.bin")) == train({{"dim", 5}}, {all}));
}

TEST(FastTextTrainer, TakesNoLabelFromTexts) {
  const Labelled plain = {{"a", "one two"}, {"b", "three four"}}, injected = {{"a", "one __label__b two"}, {"b", "three four"}};
  EXPECT_TRUE(train({{"dim", 5}}, {plain}) == train({{"dim", 5}}, {injected}));
}

TEST(FastTextTrainer, RefusesDocumentsWithoutAUsableLabel) {
  const TemporaryFolder folder;
  Runner node(flowrun_plugin_v1, {{"dim", 5}});
  open(node, folder);
  node.consume(batch_of({{"", "one"}, {"two words", "two"}, {"a", "three"}, {"b", "four"}}));
  ASSERT_THAT(node.row_errors(), SizeIs(2));
  EXPECT_EQ(node.row_errors()[0].code, "no_label");
  EXPECT_EQ(node.row_errors()[0].message, "the label is empty");
  EXPECT_EQ(node.row_errors()[1].message, "the label has white space, which fastText cannot write");
  node.finish();
}

/// What ends the training of these examples.
std::string failure(const Parameters& parameters, const Labelled& examples, std::int64_t memory_bytes = 0) {
  const TemporaryFolder folder;
  Runner node(flowrun_plugin_v1, parameters);
  try {
    open(node, folder, memory_bytes);
    node.consume(batch_of(examples));
    node.finish();
    return "";
  } catch (const Error& error) {
    return error.message();
  }
}

TEST(FastTextTrainer, SaysWhyItCannotTrain) {
  EXPECT_EQ(failure({}, {}), "there are no examples to train on");
  EXPECT_EQ(failure({}, {{"a", "x"}, {"a", "y"}}), "2 examples with 1 different labels, expected two labels or more");
  EXPECT_EQ(failure({{"min_count", 9}}, {{"a", "x"}, {"b", "y"}}), "no word occurs 9 times: lower 'min_count'");
  EXPECT_EQ(failure({{"label_column", "kind"}}, {}), "the input has no column 'kind', which 'label_column' names");
  EXPECT_THAT(failure({{"lr", 1e30}, {"epochs", 50}}, two_topics(50)), HasSubstr("the weights overflow: lower 'lr'"));
  EXPECT_THAT(failure({{"word_ngrams", 2}}, two_topics(50), 1 << 20), HasSubstr("bytes, 'memory_bytes' is 1048576: raise it, or lower 'bucket' or 'dim'"));
  EXPECT_THAT(failure({}, two_topics(50), 1000), HasSubstr("different words take"));
}

}  // namespace
}  // namespace flowrun::filters
