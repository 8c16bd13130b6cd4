// Every format against the software that defines it (testdata/make_goldens.py), told by content, and damage of all kinds.

#include "formats.hpp"

#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <flowrun/testing.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tokenizers/common/pipeline/document_encoder.hpp"
#include "tokenizers/common/pipeline/tokenizer_file.hpp"

namespace flowrun::tokenizers {
namespace {

using nlohmann::json;
using testing::error_of;
using testing::TemporaryFolder;
using Ids = std::vector<std::uint32_t>;

const std::string kTestdata = FLOWRUN_TEST_SOURCE_DIR "/testdata/";
const std::string kTokenizerJson = FLOWRUN_TEST_SOURCE_DIR "/../common/testdata/tokenizer.json";

struct Golden {
  std::string file, pattern, model;
  std::vector<json> texts;  // [text, ids, text of the ids]
};

std::vector<Golden> goldens() {
  std::vector<Golden> all;
  std::ifstream lines(kTestdata + "goldens.jsonl");
  for (std::string line; std::getline(lines, line);) {
    json value = json::parse(line);
    if (value.is_object()) all.push_back({value["file"], value["pattern"], value["model"], {}});
    else all.back().texts.push_back(std::move(value));
  }
  return all;
}

TEST(Formats, GiveTheIdsOfTiktokenAndSentencepiece) {
  const auto all = goldens();
  ASSERT_EQ(all.size(), 5u);
  for (const Golden& golden : all) {
    SCOPED_TRACE(golden.file);
    ASSERT_GT(golden.texts.size(), 100u);
    const TemporaryFolder folder;
    const std::string text = read_tokenizer_files(kTestdata + golden.file, {golden.pattern, "", {}}).tokenizer_json;
    const Tokenizer tokenizer = read_tokenizer(text);
    DocumentTokenizer::Encoder encoder(std::make_shared<const DocumentTokenizer>(folder.write("tokenizer.json", text), golden.model));
    for (const json& one : golden.texts) {
      const auto expected = one[1].get<Ids>();
      EXPECT_EQ(tokenizer.encode(one[0].get<std::string>(), {.split_special = true}).ids, expected) << one[0];
      Ids ids;
      encoder.encode(one[0].get<std::string>(), ids);
      EXPECT_EQ(ids, expected) << one[0];
      // sentencepiece leaves out the U+2581 that a text itself begins with, too; Strip counts.
      if (one[0].get<std::string>().find("\xE2\x96\x81") > 1) { EXPECT_EQ(tokenizer.decode(expected, false), one[2].get<std::string>()) << one[0]; }
    }
  }
}

TEST(Formats, AreToldByContent) {
  const TemporaryFolder folder;
  for (const Golden& golden : goldens()) {
    SCOPED_TRACE(golden.file);
    const RankOptions options{golden.pattern, "", {}};
    const std::string renamed = folder.write("tokenizer.json", read_text(kTestdata + golden.file));
    EXPECT_EQ(read_tokenizer_files(renamed, options).tokenizer_json, read_tokenizer_files(kTestdata + golden.file, options).tokenizer_json);
  }
  const std::string json_text = read_text(kTokenizerJson);
  EXPECT_EQ(read_tokenizer_files(folder.write("tokenizer.model", "\n\t " + json_text), {}).tokenizer_json, "\n\t " + json_text);
}

TEST(Formats, SayWhatAnUnknownFileBeginsWith) {
  const TemporaryFolder folder;
  const auto [code, text] = error_of([&] { read_tokenizer_files(folder.write("tokenizer.json", "#version: 0.2\xFF\na b\n"), {}); });
  EXPECT_EQ(code, Code::kCorruptData);
  EXPECT_NE(text.find("found a file that begins with '#version: 0.2??a', expected a tokenizer.json, which begins with '{', ranks of tiktoken, lines of base64, a space and a number, or a model of "
                      "sentencepiece, a message of protobuf\n  in '" +
                      folder.path()),
            std::string::npos)
      << text;
  EXPECT_NE(error_of([&] { read_tokenizer_files(folder.write("tokenizer.json", ""), {}); }).second.find("found an empty file, expected"), std::string::npos);
  EXPECT_EQ(error_of([&] { read_tokenizer_files(folder.path() + "/nothing.model", {}); }).first, Code::kNotFound);
  EXPECT_EQ(read_tokenizer_files(folder.write("tokenizer.json", "{damaged"), {}).tokenizer_json, "{damaged");  // refused as JSON, with its place
  EXPECT_NE(error_of([&] { read_tokenizer_files(folder.write("tokenizer.json", "\n{\npdamaged"), {}); }).second.find("sentencepiece model: "), std::string::npos);
}

TEST(Formats, TakeTheFirstFileOfAFolder) {
  const TemporaryFolder folder;
  const auto [code, text] = error_of([&] { read_tokenizer_files(folder.path(), {}); });
  EXPECT_EQ(code, Code::kNotFound);
  EXPECT_EQ(text, "the folder '" + folder.path() + "' has no tokenizer, expected tokenizer.json, tokenizer.model, spiece.model, sentencepiece.bpe.model or *.tiktoken");
  // From the last to the first, so that each goes before those that are there.
  const std::string ranks = read_text(kTestdata + "small.tiktoken"), bpe = read_text(kTestdata + "bpe.model"), unigram = read_text(kTestdata + "unigram.model");
  const RankOptions gpt2{"gpt2", "", {}};
  const auto type = [&](const RankOptions& options = {}) { return json::parse(read_tokenizer_files(folder.path(), options).tokenizer_json)["model"]["type"]; };
  folder.write("b.tiktoken", "damaged");
  folder.write("a.tiktoken", ranks);
  EXPECT_EQ(type(gpt2), "BPE");
  folder.write("sentencepiece.bpe.model", unigram);
  EXPECT_EQ(type(), "Unigram");
  folder.write("spiece.model", bpe);
  EXPECT_EQ(type(), "BPE");
  folder.write("tokenizer.model", unigram);
  EXPECT_EQ(type(), "Unigram");
  folder.write("tokenizer.model", ranks);  // as Llama 3 has it
  EXPECT_EQ(type(gpt2), "BPE");
  folder.write("tokenizer.json", R"({"model": {"type": "other"}})");
  EXPECT_EQ(type(), "other");
}

TEST(Formats, KeepTheConfigurationOfATokenizerJsonAlone) {
  const TemporaryFolder folder;
  folder.write("tokenizer_config.json", "{\"own\": 1}");
  folder.write("tokenizer.json", "{}");
  EXPECT_EQ(read_tokenizer_files(folder.path(), {}).tokenizer_config_json, "{\"own\": 1}");
  EXPECT_EQ(json::parse(read_tokenizer_files(folder.write("other.json", "{}"), {}).tokenizer_config_json), json({{"tokenizer_class", "PreTrainedTokenizerFast"}}));
  const json converted = json::parse(read_tokenizer_files(folder.write("tokenizer.model", read_text(kTestdata + "bpe.model")), {}).tokenizer_config_json);
  EXPECT_EQ(converted["bos_token"], "<s>");
  EXPECT_EQ(converted["unk_token"], "<unk>");
}

TEST(Formats, RefuseOptionsThatAreForRanks) {
  for (const std::string& path : {kTokenizerJson, kTestdata + "bpe.model"}) {
    const auto [code, text] = error_of([&] { read_tokenizer_files(path, {"gpt2", "", {}}); });
    EXPECT_EQ(code, Code::kInvalidArgument);
    EXPECT_NE(text.find("which says its pattern and special tokens itself: 'pattern', 'expression' and 'special_tokens' are for ranks of tiktoken"), std::string::npos) << text;
  }
}

// Bytes are changed, cut out and doubled: a file is refused or gives a tokenizer that works.
TEST(Formats, AnyDamageIsRefusedOrHarmless) {
  const TemporaryFolder folder;
  std::mt19937 random(20261124);
  int loaded = 0, refused = 0;
  for (const Golden& golden : goldens()) {
    const std::string whole = read_text(kTestdata + golden.file);
    for (int round = 0; round < 200; ++round) {
      SCOPED_TRACE(golden.file + " round " + std::to_string(round));
      std::string damaged = whole;
      for (std::size_t n = random() % 3; n > 0; --n) damaged[random() % damaged.size()] = static_cast<char>(random());
      const std::size_t begin = random() % damaged.size(), bytes = random() % 40;
      if (random() % 4 == 0) damaged.erase(begin, bytes);
      if (random() % 4 == 0) damaged.insert(begin, damaged.substr(random() % damaged.size(), bytes));
      if (random() % 10 == 0) damaged.resize(random() % damaged.size());
      try {
        const Tokenizer tokenizer = read_tokenizer(read_tokenizer_files(folder.write("file", damaged), {golden.pattern, "", {}}).tokenizer_json);
        tokenizer.decode(tokenizer.encode("First Citizen: <sep> 東京 \xF0\x9F\x98\x80  1234").ids, false);
        ++loaded;
      } catch (const Error& error) {
        EXPECT_NE(error.code(), Code::kInternal) << error.what();
        ++refused;
      }
    }
  }
  EXPECT_GT(loaded, 100);
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace flowrun::tokenizers
