#include <gtest/gtest.h>

#include <flowrun/testing.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tokenizers/common/bpe.hpp"
#include "tokenizers/common/tokenizer_json.hpp"

namespace {

using namespace flowrun::testing;
using flowrun::bpe::Bpe;

const std::string kTestdata = FLOWRUN_TEST_SOURCE_DIR "/../common/testdata";

OpenOptions with_artifact(const std::string& folder) {
  OpenOptions options;
  options.artifacts["tokenizer"] = folder;
  return options;
}

std::vector<Document> random_documents() {
  std::vector<Document> documents;
  for (int i = 0; i < 50; ++i) {
    std::string text;
    for (int word = 0; word < i * 7; ++word) text.append(word % 5 ? " " : "\n").append(std::to_string(word * i)).append(" river's mill");
    documents.push_back({"id" + std::to_string(i), text, i % 2 ? "books" : "web", "file#" + std::to_string(i)});
  }
  return documents;
}

TEST(BpeNode, GivesTokensAndKeepsOtherColumns) {
  Runner node(flowrun_plugin_v1);
  auto input = with_column(documents_batch({{"a", "The mill", "books", "b.txt"}, {"b", "", "web", "w.txt"}}), flowrun::fields::float64("score.quality"),
                           flowrun::make_column(std::vector<double>{0.5, 0.25}));
  node.open({input.schema, std::nullopt}, with_artifact(kTestdata));
  EXPECT_EQ(node.output_schema().children.size(), 6u);
  {
    const auto out = node.process(std::move(input));
    const auto rows = token_rows(out[0]);
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].id, "a");
    EXPECT_EQ(rows[0].domain, "books");
    EXPECT_EQ(rows[0].bytes, 8);
    EXPECT_EQ(Bpe(flowrun::bpe::read_byte_level_model(nlohmann::json::parse(flowrun::testing::read_file(kTestdata + "/tokenizer.json")))).decode(rows[0].input_ids), "The mill");
    EXPECT_EQ(rows[1], (TokenRow{"b", "web", 0, {}}));
    const flowrun::BatchView view(out[0].array.get(), out[0].schema);
    EXPECT_EQ(view.strings("source")[1], "w.txt");
    EXPECT_EQ(view.values<double>("score.quality", "g")[1], 0.25);
  }
  EXPECT_TRUE(node.close().empty());
}

TEST(BpeNode, SliceOfABatchGivesItsRows) {
  const auto documents = random_documents();
  Runner node(flowrun_plugin_v1);
  node.open({flowrun::fields::documents(), std::nullopt}, with_artifact(kTestdata));
  {
    const auto whole = token_rows(node.process(documents_batch(documents))[0]);
    const auto part = token_rows(node.process(slice(documents_batch(documents), 20, 5))[0]);
    EXPECT_EQ(part, std::vector<TokenRow>(whole.begin() + 20, whole.begin() + 25));
  }
  EXPECT_TRUE(node.close().empty());
}

TEST(BpeNode, ManyThreadsGiveTheSameIds) {
  const auto documents = random_documents();
  Runner node(flowrun_plugin_v1);
  node.open({flowrun::fields::documents(), std::nullopt}, with_artifact(kTestdata));
  {
    const auto expected = token_rows(node.process(documents_batch(documents))[0]);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&] {
        for (int round = 0; round < 10; ++round) EXPECT_EQ(token_rows(node.process(documents_batch(documents))[0]), expected);
      });
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_TRUE(node.close().empty());
}

TEST(BpeNode, ReadsTheFileThatAParameterNames) {
  Runner node(flowrun_plugin_v1, {{"tokenizer_path", Paths({kTestdata + "/tokenizer.json"})}});
  node.open({flowrun::fields::documents(), std::nullopt});
  EXPECT_FALSE(token_rows(node.process(documents_batch({{"a", "x", "d", "s"}}))[0])[0].input_ids.empty());
}

TEST(BpeNode, NamesTheTokenizerThatItRefuses) {
  const TemporaryFolder folder;
  const std::string path = folder.write("tokenizer.json", R"({"version": "1.0", "normalizer": {"type": "NFQ"}, "model": {"type": "BPE"}})");
  Runner node(flowrun_plugin_v1);
  try {
    node.open({flowrun::fields::documents(), std::nullopt}, with_artifact(folder.path()));
    FAIL();
  } catch (const flowrun::Error& error) {
    EXPECT_EQ(error.code(), flowrun::Code::kUnsupported);
    EXPECT_STREQ(error.what(), ("tokenizer.json: 'normalizer.type' is \"NFQ\", which is not known here\n  in '" + path + "'").c_str());
  }
}

TEST(BpeNode, NamesThePluginForATokenizerOfAnotherModel) {
  const TemporaryFolder folder;
  folder.write("tokenizer.json", R"({"version": "1.0", "model": {"type": "WordLevel", "vocab": {"a": 0, "[UNK]": 1}, "unk_token": "[UNK]"}})");
  Runner node(flowrun_plugin_v1);
  const auto [code, text] = error_of([&] { node.open({flowrun::fields::documents(), std::nullopt}, with_artifact(folder.path())); });
  EXPECT_EQ(code, flowrun::Code::kInvalidArgument);
  EXPECT_NE(text.find("its model is WordLevel, expected BPE: use plugin \"tokenizers/wordlevel\""), std::string::npos) << text;
}

// Packers take 0 for the token that ends a document unless the tokens have the column `endoftext_id`.
TEST(BpeNode, NamesTheTokenThatEndsADocument) {
  const auto end_of = [](const std::string& config) {
    const TemporaryFolder folder;
    folder.write("tokenizer.json", R"({"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 0, "</s>": 1, "[SEP]": 2, "<|endoftext|>": 3}, "merges": []}})");
    if (!config.empty()) folder.write("tokenizer_config.json", config);
    Runner node(flowrun_plugin_v1);
    node.open({flowrun::fields::documents(), std::nullopt}, with_artifact(folder.path()));
    const auto out = node.process(documents_batch({{"x", "aa", "d", "s"}, {"y", "a", "d", "s"}}));
    if (out[0].schema.find("endoftext_id") < 0) return -1;
    const auto* const ends = flowrun::BatchView(out[0].array.get(), out[0].schema).values<std::uint32_t>("endoftext_id", "I");
    EXPECT_EQ(ends[1], ends[0]);
    return static_cast<int>(ends[0]);
  };
  EXPECT_EQ(end_of(R"({"eos_token": "</s>", "sep_token": "[SEP]"})"), 1);
  EXPECT_EQ(end_of(R"({"eos_token": null, "sep_token": {"content": "[SEP]", "lstrip": false}})"), 2);
  EXPECT_EQ(end_of(R"({"eos_token": "absent"})"), 3);
  EXPECT_EQ(end_of(""), 3);
  EXPECT_EQ(end_of(R"({"eos_token": "a"})"), -1) << "0 needs no column";
  EXPECT_THROW(end_of("[]"), flowrun::Error);
}

}  // namespace
