// The node with each format, then the node that encodes with what it gives; and what `flowrun tokenize` asks.

#include <string>
#include <vector>

#include <flowrun/draft/tokenizer.h>
#include <flowrun/testing.hpp>
#include <gtest/gtest.h>

#include "tokenizers/common/pipeline/document_encoder.hpp"
#include "tokenizers/common/pipeline/tokenizer_file.hpp"

namespace {

using namespace flowrun::testing;
using flowrun::tokenizers::DocumentTokenizer;
using flowrun::tokenizers::read_text;

const std::string kTestdata = FLOWRUN_TEST_SOURCE_DIR "/testdata/";

/// Runs the node into `folder`.
void load(const std::vector<std::pair<std::string, Value>>& parameters, const std::string& folder) {
  Runner node(flowrun_plugin_v1, parameters);
  OpenOptions options;
  options.staging = folder;
  node.open({}, options);
  node.finish();
  EXPECT_TRUE(node.close().empty());
}

std::vector<std::uint32_t> encode(const std::string& folder, const std::string& model, const std::string& text) {
  DocumentTokenizer::Encoder encoder(std::make_shared<const DocumentTokenizer>(folder + "/tokenizer.json", model));
  std::vector<std::uint32_t> ids;
  encoder.encode(text, ids);
  return ids;
}

TEST(LoadNode, GivesAnArtifactOfEachFormat) {
  const struct {
    std::string file, model;
    std::vector<std::pair<std::string, Value>> more;
  } cases[] = {{"../../common/testdata/tokenizer.json", "BPE", {}}, {"small.tiktoken", "BPE", {{"pattern", "cl100k"}}}, {"small.tiktoken", "BPE", {{"expression", "\\S+|\\s+"}}},
               {"bpe.model", "BPE", {}}, {"unigram_bytes.model", "Unigram", {}}};
  for (const auto& one : cases) {
    SCOPED_TRACE(one.file);
    const TemporaryFolder folder;
    auto parameters = one.more;
    parameters.emplace_back("path", Paths({kTestdata + one.file}));
    load(parameters, folder.path());
    EXPECT_FALSE(encode(folder.path(), one.model, "First Citizen").empty());
    EXPECT_NE(read_text(folder.path() + "/tokenizer_config.json").find("tokenizer_class"), std::string::npos);
  }
}

TEST(LoadNode, GivesSpecialTokensTheirIds) {
  const TemporaryFolder folder;
  load({{"path", Paths({kTestdata + "small.tiktoken"})}, {"pattern", "gpt2"}, {"special_tokens", std::vector<std::string>{"<|a|>", "<|b|>"}}}, folder.path());
  EXPECT_EQ(flowrun::tokenizers::load_tokenizer(folder.path()).encode("<|b|>").ids, (std::vector<std::uint32_t>{321}));
}

TEST(LoadNode, RefusesAnExpressionBeforeItReads) {
  const auto [code, text] = error_of([] { Runner(flowrun_plugin_v1, {{"path", Paths({kTestdata + "absent.tiktoken"})}, {"expression", "a++b|(?<!c"}}); });
  EXPECT_EQ(code, flowrun::Code::kInvalidArgument);
  EXPECT_NE(text.find("'expression' cannot be used: the pattern has a '(' without its ')' at byte 5; supported is "), std::string::npos) << text;
}

TEST(LoadNode, NamesTheFileThatItRefuses) {
  const TemporaryFolder folder;
  const std::string path = kTestdata + "small.tiktoken";
  const auto [code, text] = error_of([&] { load({{"path", Paths({path})}}, folder.path()); });
  EXPECT_EQ(code, flowrun::Code::kInvalidArgument);
  EXPECT_NE(text.find("set 'pattern' to gpt2"), std::string::npos) << text;
  EXPECT_NE(text.find("in '" + path + "'"), std::string::npos) << text;
}

TEST(TokenizerExtension, TakesAPattern) {
  const auto* const table = static_cast<const flowrun_tokenizer*>(flowrun_plugin_v1.get_interface(FLOWRUN_TOKENIZER_DRAFT_2));
  ASSERT_NE(table, nullptr);
  Journal journal;
  LeaseBook book(journal);
  HostCall call(journal, book);
  void* tokenizer = nullptr;
  const std::string path = kTestdata + "small.tiktoken";
  EXPECT_EQ(table->load(call.table(), path.c_str(), nullptr, &tokenizer), FLOWRUN_INVALID_ARGUMENT);
  HostCall second(journal, book);
  ASSERT_EQ(table->load(second.table(), path.c_str(), "gpt2", &tokenizer), FLOWRUN_OK);
  std::uint64_t count = 0;
  EXPECT_EQ(table->encode(tokenizer, second.table(), "abc", 3, 1, [](void* context, const flowrun_encoding* encoding) { *static_cast<std::uint64_t*>(context) = encoding->count; }, &count), FLOWRUN_OK);
  EXPECT_GT(count, 0u);
  table->unload(tokenizer);
}

}  // namespace
