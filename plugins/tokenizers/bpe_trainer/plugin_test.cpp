#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <flowrun/testing.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tokenizers/common/tokenizer_json.hpp"

namespace {

using flowrun::testing::documents_batch;
using flowrun::testing::OpenOptions;
using flowrun::testing::Parameters;
using flowrun::testing::read_file;
using flowrun::testing::Runner;
using flowrun::testing::TemporaryFolder;

using Documents = std::vector<flowrun::testing::Document>;

const Documents kDocuments = {{"a", "the cat sat on the mat", "d", "s"}, {"b", "the dog; the cat's dog", "d", "s"}, {"c", "", "d", "s"}};

// Gives each group of documents as one batch; returns the folder's files, tokenizer.json first.
std::vector<std::string> train(const std::vector<Documents>& batches, Parameters parameters, std::vector<flowrun::testing::LogLine>* logs = nullptr) {
  const TemporaryFolder folder;
  Runner node(flowrun_plugin_v1, parameters);
  OpenOptions options;
  options.staging = folder.path();
  node.open({flowrun::fields::documents()}, options);
  for (const Documents& batch : batches) node.consume(documents_batch(batch));
  node.finish();
  if (logs != nullptr) *logs = node.logs();
  EXPECT_TRUE(node.close().empty());
  return {read_file(folder.path("tokenizer.json")), read_file(folder.path("tokenizer_config.json"))};
}

flowrun::bpe::BpeModel read_model(const std::string& text) { return flowrun::bpe::read_byte_level_model(nlohmann::json::parse(text)); }

TEST(BpeTrainerNode, WritesATokenizerThatIsTheSameForAnyBatches) {
  const auto files = train({kDocuments}, {{"vocab_size", 270}});
  const auto model = read_model(files[0]);
  EXPECT_EQ(model.tokens.size(), 270u);
  EXPECT_EQ(model.specials[0].content, "<|endoftext|>");
  // "at", "he" and "th" stand four times each, so the order of their first letters decides.
  EXPECT_EQ(model.tokens[259], "at");
  EXPECT_EQ(model.tokens[260], "he");
  EXPECT_EQ(model.tokens[261], "the");
  EXPECT_EQ(files[1], flowrun::bpe::write_tokenizer_config_json(0));
  EXPECT_EQ(train({{kDocuments[2]}, {kDocuments[1]}, {}, {kDocuments[0]}}, {{"vocab_size", 270}}), files);
}

Documents golden_documents() {
  const std::string text = read_file(FLOWRUN_TEST_SOURCE_DIR "/testdata/corpus.txt");
  Documents documents;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find("\n\n", begin), text.size());
    documents.push_back({std::to_string(begin), text.substr(begin, end - begin), "d", "s"});
    begin = end + 2;
  }
  return documents;
}

TEST(BpeTrainerNode, WritesTheFileOfHuggingFaceForAPatternAndSpecialTokens) {
  const auto files = train({golden_documents()}, {{"vocab_size", 400}, {"pattern", "cl100k"}, {"special_tokens", std::vector<std::string>{"<|im_start|>", "<|im_end|>"}}});
  EXPECT_EQ(files[0], read_file(FLOWRUN_TEST_SOURCE_DIR "/testdata/tokenizer_cl100k.json"));
}

TEST(BpeTrainerNode, WritesTheFileOfHuggingFaceForAnExpression) {
  const auto files = train({golden_documents()}, {{"vocab_size", 400}, {"expression", "\\w+|[^\\w\\s]"}});
  EXPECT_EQ(files[0], read_file(FLOWRUN_TEST_SOURCE_DIR "/testdata/tokenizer_expression.json"));
}

TEST(BpeTrainerNode, RefusesSpecialTokensThatAreThere) {
  for (const char* const token : {"<|pad|>", ""}) EXPECT_THROW(train({}, {{"vocab_size", 400}, {"special_tokens", std::vector<std::string>{token}}}), flowrun::Error);
  EXPECT_THROW(train({}, {{"vocab_size", 400}, {"special_tokens", std::vector<std::string>{"<a>", "<a>"}}}), flowrun::Error);
  EXPECT_THROW(train({}, {{"vocab_size", 259}, {"special_tokens", std::vector<std::string>{"<a>"}}}), flowrun::Error);
}

TEST(BpeTrainerNode, RefusesAnExpressionBeforeItReads) {
  const auto [code, text] = flowrun::testing::error_of([] { Runner(flowrun_plugin_v1, {{"vocab_size", 400}, {"expression", "a|\\X"}}); });
  EXPECT_EQ(code, flowrun::Code::kInvalidArgument);
  EXPECT_NE(text.find("'expression' cannot be used: the pattern has '\\X' at byte 2, which is not supported; supported is "), std::string::npos) << text;
}

TEST(BpeTrainerNode, GoesOnFromASnapshot) {
  const Documents documents = golden_documents(), first(documents.begin(), documents.begin() + 20), rest(documents.begin() + 20, documents.end());
  const TemporaryFolder folder, state;
  OpenOptions options;
  options.staging = folder.path();
  options.memory_bytes = 1;  // all that can be on disk is there
  Runner before(flowrun_plugin_v1, {{"vocab_size", 400}}), after(flowrun_plugin_v1, {{"vocab_size", 400}});
  before.open({flowrun::fields::documents()}, options);
  before.consume(documents_batch(first));
  before.snapshot(state.path());
  after.open({flowrun::fields::documents()}, options);
  after.restore(state.path());
  EXPECT_GT(after.memory_bytes(), 0);
  after.consume(documents_batch(rest));
  after.finish();
  EXPECT_EQ(read_file(folder.path("tokenizer.json")), train({documents}, {{"vocab_size", 400}})[0]);
}

TEST(BpeTrainerNode, WarnsWhereTheTextIsTooShort) {
  std::vector<flowrun::testing::LogLine> logs;
  const auto files = train({}, {{"vocab_size", 300}}, &logs);
  EXPECT_EQ(read_model(files[0]).tokens.size(), 259u);
  ASSERT_FALSE(logs.empty());
  EXPECT_EQ(logs.back().level, FLOWRUN_LOG_WARNING);
  EXPECT_EQ(logs.back().message, "the text gives 259 tokens, 'vocab_size' is 300");
}

TEST(BpeTrainerNode, ObeysMinFrequency) {
  const auto files = train({kDocuments}, {{"vocab_size", 300}, {"min_frequency", 1000}});
  EXPECT_TRUE(read_model(files[0]).merges.empty());
}

TEST(BpeTrainerNode, StopsWhenTheRunStops) {
  const TemporaryFolder folder;
  Runner node(flowrun_plugin_v1, {{"vocab_size", 300}});
  OpenOptions options;
  options.staging = folder.path();
  node.open({flowrun::fields::documents()}, options);
  node.consume(documents_batch(kDocuments));
  node.request_stop();
  try {
    node.finish();
    FAIL();
  } catch (const flowrun::Error& error) {
    EXPECT_EQ(error.code(), flowrun::Code::kCancelled);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_TRUE(node.close().empty());
}

TEST(BpeTrainerNode, SaysWhatItCouldNotWrite) {
  const TemporaryFolder folder;
  Runner node(flowrun_plugin_v1, {{"vocab_size", 259}});
  OpenOptions options;
  options.staging = folder.path("absent");
  node.open({flowrun::fields::documents()}, options);
  try {
    node.finish();
    FAIL();
  } catch (const flowrun::Error& error) {
    EXPECT_EQ(error.code(), flowrun::Code::kIo);
    EXPECT_NE(std::string(error.what()).find("absent/tokenizer.json' cannot be written, needs "), std::string::npos);
  }
}

}  // namespace
