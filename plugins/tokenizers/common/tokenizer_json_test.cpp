#include "tokenizer_json.hpp"

#include <gtest/gtest.h>

#include <flowrun/error.hpp>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "bpe_encoder.hpp"
#include "byte_level.hpp"
#include "json_object.hpp"

namespace flowrun::bpe {
namespace {

using Json = nlohmann::json;

std::string golden_text() {
  std::ifstream file(FLOWRUN_TEST_SOURCE_DIR "/testdata/tokenizer.json", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A tokenizer of the bytes, "ab" and "abc".
BpeModel small_model() {
  BpeModel model{{kEndOfText, kPad, kMask}, {}, {{0, kEndOfText}, {1, kPad}, {2, kMask}}};
  for (const std::uint8_t byte : byte_level_order()) model.tokens.emplace_back(1, static_cast<char>(byte));
  const auto id_of = [&](char c) { return static_cast<std::uint32_t>(std::find(model.tokens.begin(), model.tokens.end(), std::string(1, c)) - model.tokens.begin()); };
  model.tokens.insert(model.tokens.end(), {"ab", "abc"});
  model.merges = {{id_of('a'), id_of('b'), 259}, {259, id_of('c'), 260}};
  return model;
}

BpeModel read_model(std::string_view text) { return read_byte_level_model(tokenizers::parse_json(text)); }

Json small_json() { return Json::parse(write_tokenizer_json(small_model())); }

void expect_refused(const std::string& text, Code code, const std::string& message) {
  try {
    read_model(text);
    ADD_FAILURE() << "was read, expected: " << message;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_EQ(error.message().substr(0, message.size()), message);
  }
}

TEST(TokenizerJson, WritesByteForByteWhatHuggingFaceSaves) {
  const std::string text = golden_text();
  const BpeModel model = read_model(text);
  EXPECT_EQ(model.tokens.size(), 1200u);
  EXPECT_EQ(model.specials, (std::vector<SpecialToken>{{0, "<|endoftext|>"}, {1, "<|pad|>"}, {2, "<|mask|>"}}));
  EXPECT_EQ(write_tokenizer_json(model), text);
}

TEST(TokenizerJson, ReadsBackWhatItWrites) {
  EXPECT_EQ(read_model(write_tokenizer_json(small_model())), small_model());
  BpeModel without = small_model();
  without.specials.clear();
  without.tokens[0] = "zz", without.tokens[1] = "zy", without.tokens[2] = "zx";
  without.merges.clear();
  EXPECT_EQ(read_model(write_tokenizer_json(without)), without);
}

TEST(TokenizerJson, ReadsOlderFormsOfTheSameModel) {
  Json json = small_json();
  json["model"]["merges"] = {"a b", "ab c"};
  json["model"].erase("type");
  json["model"]["unk_token"] = json["model"]["continuing_subword_prefix"] = json["model"]["end_of_word_suffix"] = "";
  EXPECT_EQ(read_model(json.dump()), small_model());
  json["added_tokens"][2]["id"] = 261;  // one that the model's vocabulary lacks
  json["model"]["vocab"].erase("<|mask|>");
  json["model"]["vocab"]["zz"] = 2;
  EXPECT_EQ(read_model(json.dump()).tokens[261], "<|mask|>");
}

TEST(TokenizerJson, ReadsTheModelWhateverIsAroundIt) {
  Json json = small_json();
  for (const char* const key : {"normalizer", "truncation", "padding", "post_processor", "decoder"}) json[key] = Json::object();
  json["pre_tokenizer"] = {{"type", "Whitespace"}};
  json["model"]["ignore_merges"] = true;
  json["added_tokens"][1]["special"] = false;
  EXPECT_EQ(read_model(json.dump()), small_model());
}

TEST(TokenizerJson, LeavesTokensEmptyWhereIdsHaveGaps) {
  Json json = small_json();
  json["model"]["vocab"]["zz"] = 270;
  const BpeModel model = read_model(json.dump());
  EXPECT_EQ(model.tokens.size(), 271u);
  EXPECT_EQ(model.tokens[270], "zz");
  EXPECT_EQ(model.tokens[265], "");
}

TEST(TokenizerJson, RefusesByNameWhatWouldGiveOtherIds) {
  const auto refused = [](const std::string& pointer, const Json& value, const std::string& message) {
    Json json = small_json();
    json[Json::json_pointer(pointer)] = value;
    expect_refused(json.dump(), Code::kUnsupported, "tokenizer.json: " + message);
  };
  refused("/model/type", "WordPiece", R"('model.type' is "WordPiece", expected "BPE")");
  refused("/model/dropout", 0.1, "'model.dropout' is 0.1, expected null");
  refused("/model/continuing_subword_prefix", "##", R"('model.continuing_subword_prefix' is "##", expected null)");
  refused("/model/end_of_word_suffix", "</w>", R"('model.end_of_word_suffix' is "</w>", expected null)");
  refused("/model/byte_fallback", true, "'model.byte_fallback' is true, expected false");
  refused("/model/novelty", 1, "'model.novelty' is not a key that is known here");
  refused("/model/vocab/a b", 261, R"(the token "a b" is not made of the characters of byte-level BPE)");
  refused("/model/merges/1", {"a", "b"}, R"('model.merges[1]' is ["a","b"], which stands twice)");
}

TEST(TokenizerJson, RefusesADamagedFileByPlace) {
  const auto corrupt = [](const std::string& pointer, const Json& value, const std::string& message) {
    Json json = small_json();
    json[Json::json_pointer(pointer)] = value;
    expect_refused(json.dump(), Code::kCorruptData, "tokenizer.json: " + message);
  };
  corrupt("/model", 3, "'model' is 3, expected an object");
  corrupt("/model/vocab", Json::array(), "'model.vocab' is [], expected an object");
  corrupt("/model/vocab/ab", -1, R"('model.vocab["ab"]' is -1, expected an id from 0 below 2^31)");
  corrupt("/model/vocab/ab", 4294967296, R"('model.vocab["ab"]' is 4294967296, expected an id from 0 below 2^31)");
  corrupt("/model/vocab/ab", 100000, R"(the id 100000 of "ab" is not below the number of tokens, 261)");
  corrupt("/model/vocab/ab", 260, "the id 260 stands for two tokens");
  corrupt("/model/merges/0", "ab", R"('model.merges[0]' is "ab", expected two tokens)");
  corrupt("/model/merges/0", {"a", "x"}, R"('model.merges[0]' needs the token "ax", which is not in 'model.vocab')");
  corrupt("/added_tokens/0/id", 9, "'added_tokens[0].id' is 9, expected 0 as in 'model.vocab'");
  corrupt("/added_tokens/1", small_json()["added_tokens"][0], "the id 0 stands twice in 'added_tokens'");
  expect_refused("", Code::kCorruptData, "tokenizer.json: is not JSON");
  expect_refused("[]", Code::kCorruptData, "tokenizer.json: the file is [], expected an object");
  expect_refused("{}", Code::kCorruptData, "tokenizer.json: 'model' is missing");
  expect_refused(R"({"model": {}, "model": {}})", Code::kCorruptData, R"(tokenizer.json: the key "model" stands twice in one object)");
  expect_refused(std::string(100'000, '['), Code::kCorruptData, "tokenizer.json: is nested deeper than 16");
  Json json = small_json();
  json["model"]["vocab"].erase("z");
  json["model"]["vocab"]["zz"] = small_json()["model"]["vocab"]["z"];
  expect_refused(json.dump(), Code::kUnsupported, R"(tokenizer.json: 'model.vocab' lacks byte 122, spelled "z")");
}

// Any damage gives an Error of the two codes, or a model that still encodes and decodes.
TEST(TokenizerJson, SurvivesMutations) {
  const std::string original = write_tokenizer_json(small_model());
  const std::size_t before_vocab = original.find("\"vocab\"");
  const std::string pieces[] = {"\"", "{", "}", "[", "]", ",", ":", "null", "-1", "1e9", "99999999999999999999", "\\u0000", "\\ud800", "\xff", "\"ab\"", "259", "a b"};
  int read = 0;
  for (unsigned seed = 0; seed < 5000; ++seed) {
    std::mt19937 random(seed);
    std::string text = original;
    for (unsigned edits = 1 + random() % 4; edits > 0; --edits) {
      if (text.empty()) break;
      // Half of the edits go before the vocabulary, which fills most of the file.
      const std::size_t at = random() % (random() % 2 ? text.size() : std::min(text.size(), before_vocab));
      switch (random() % 4) {
        case 0: text[at] = static_cast<char>(random()); break;
        case 1: text.erase(at, 1 + random() % 8); break;
        case 2: text.insert(at, pieces[random() % std::size(pieces)]); break;
        default: text.resize(at + 1);
      }
    }
    try {
      const auto bpe = std::make_shared<const Bpe>(read_model(text));
      BpeEncoder encoder(bpe);
      std::vector<std::uint32_t> ids;
      encoder.encode("abcab \xC3\xA9", ids);
      ASSERT_EQ(bpe->decode(ids), "abcab \xC3\xA9") << "seed " << seed;
      ++read;
    } catch (const Error& error) {
      ASSERT_TRUE(error.code() == Code::kCorruptData || error.code() == Code::kUnsupported) << "seed " << seed << ": " << error.what();
    }
  }
  EXPECT_GT(read, 0);
  EXPECT_LT(read, 4000);
}

TEST(TokenizerConfigJson, NamesTheSpecialTokens) {
  const Json config = Json::parse(write_tokenizer_config_json(2048));
  EXPECT_EQ(config["tokenizer_class"], "PreTrainedTokenizerFast");
  EXPECT_EQ(config["bos_token"], "<|endoftext|>");
  EXPECT_EQ(config["eos_token"], "<|endoftext|>");
  EXPECT_EQ(config["pad_token"], "<|pad|>");
  EXPECT_EQ(config["mask_token"], "<|mask|>");
  EXPECT_EQ(config["model_max_length"], 2048);
  EXPECT_FALSE(Json::parse(write_tokenizer_config_json(0)).contains("model_max_length"));
}

}  // namespace
}  // namespace flowrun::bpe
