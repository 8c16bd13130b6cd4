// What a tokenizer.json may not be: refused with its place. And damage of all kinds, which never does more than that.

#include "tokenizer_file.hpp"

#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include <flowrun/testing/errors.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace flowrun::tokenizers {
namespace {

using nlohmann::json;
using testing::error_of;

const json& golden_files() {
  static const json files = [] {
    std::ifstream file(std::string(FLOWRUN_TEST_SOURCE_DIR) + "/testdata/tokenizers.json", std::ios::binary);
    return json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
  }();
  return files;
}

/// Returns the golden tokenizer with the value at `pointer` replaced.
std::string changed(const char* name, const char* pointer, const json& value) {
  json file = golden_files().at(name);
  file[json::json_pointer(pointer)] = value;
  return file.dump();
}

TEST(TokenizerFile, RefusesWithThePlace) {
  const struct {
    std::string file;
    Code code;
    const char* text;
  } cases[] = {
      {"[]", Code::kCorruptData, "the file is [], expected an object"},
      {"{\"version\":\"1.0\"", Code::kCorruptData, "is not JSON"},
      {changed("gpt2", "/version", "2.0"), Code::kUnsupported, "'version' is \"2.0\", expected \"1.0\""},
      {changed("gpt2", "/something", 1), Code::kUnsupported, "'something' is not a key that is known here"},
      {changed("gpt2", "/pre_tokenizer/type", "ByteLvl"), Code::kUnsupported, "'pre_tokenizer.type' is \"ByteLvl\", which is not known here"},
      {changed("gpt2", "/pre_tokenizer/extra", 1), Code::kUnsupported, "'pre_tokenizer.extra' is not a key"},
      {changed("llama3", "/pre_tokenizer/pretokenizers/0/behavior", "Isolate"), Code::kCorruptData, "'pre_tokenizer.pretokenizers[0].behavior' is \"Isolate\", expected Removed"},
      {changed("llama3", "/pre_tokenizer/pretokenizers/0/pattern", {{"Regex", "(a)\\1"}}), Code::kUnsupported, "pre_tokenizer.pretokenizers[0].pattern.Regex"},
      {changed("llama2", "/normalizer/normalizers/1/pattern", 3), Code::kCorruptData, "'normalizer.normalizers[1].pattern' is 3, expected an object"},
      {changed("bert_cased", "/post_processor/sep", {"[SEP]"}), Code::kCorruptData, "'post_processor.sep' is [\"[SEP]\"], expected a token and its id"},
      {changed("t5", "/post_processor/single/1/SpecialToken/id", "</t>"), Code::kCorruptData, "'post_processor.single[1].SpecialToken.id' names \"</t>\""},
      {changed("t5", "/model/vocab/3", {"x"}), Code::kCorruptData, "'model.vocab[3]' is [\"x\"], expected a token and its score"},
      {changed("t5", "/model/unk_id", 100000), Code::kInvalidArgument, "in 'model' of tokenizer.json"},
      {changed("gpt2", "/model/merges/3", {"a", "zzzz"}), Code::kCorruptData, "merges[3]"},
      {changed("gpt2", "/model/dropout", 0.1), Code::kUnsupported, "'model.dropout' is 0.1, expected null or 0"},
      {changed("gpt2", "/model/type", "LSTM"), Code::kUnsupported, "'model.type' is \"LSTM\", expected BPE"},
      {changed("added", "/added_tokens/0/id", -1), Code::kCorruptData, "'added_tokens[0].id' is -1, expected an id"},
      {changed("added", "/added_tokens/0/lstrip", nullptr), Code::kCorruptData, "'added_tokens[0].lstrip' is null, expected true or false"},
      {changed("limited", "/truncation/strategy", "OnlySecond"), Code::kUnsupported, "'truncation.strategy' is \"OnlySecond\""},
      {changed("limited", "/padding/strategy", {{"Fixed", 1e18}}), Code::kCorruptData, "'padding.strategy.Fixed' is"},
  };
  for (const auto& one : cases) {
    const auto [code, text] = error_of([&] { read_tokenizer(one.file); });
    EXPECT_EQ(code, one.code) << text;
    EXPECT_NE(text.find(one.text), std::string::npos) << text << "\nexpected: " << one.text;
  }
}

TEST(TokenizerFile, NamesAMissingFile) {
  EXPECT_EQ(error_of([] { load_tokenizer("/nowhere/tokenizer.json"); }).first, Code::kNotFound);
}

/// Changes, removes or doubles one value somewhere in the file, or flips bytes of its text.
std::string mutated(const json& file, std::mt19937_64& random) {
  json copy = file;
  json* at = &copy;
  while (at->is_structured() && !at->empty() && random() % 8 != 0) at = &*std::next(at->begin(), static_cast<long>(random() % at->size()));
  const json values[] = {nullptr, true, -1, 0, 1e30, 4294967296u, "", "x", "\xEF\xBF\xBD", json::array(), json::object(), json::array({1, "a"}), std::string(300, 'y')};
  switch (random() % 5) {
    case 0: *at = values[random() % std::size(values)]; break;
    case 1:
      if (at->is_object()) (*at)["extra"] = 1;
      else if (at->is_array()) at->push_back(values[random() % std::size(values)]);
      break;
    case 2:
      if (at->is_structured() && !at->empty()) at->erase(std::next(at->begin(), static_cast<long>(random() % at->size())));
      break;
    default: break;
  }
  std::string text = copy.dump();
  for (std::uint64_t flips = random() % 3; flips > 0; --flips) text[random() % text.size()] = static_cast<char>(random());
  if (random() % 10 == 0) text.resize(random() % text.size());
  return text;
}

TEST(TokenizerFile, AnyDamageIsRefusedOrHarmless) {
  std::mt19937_64 random(20261124);
  std::vector<json> files;
  for (const auto& [name, file] : golden_files().items()) files.push_back(file);
  int loaded = 0, refused = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::string text = mutated(files[random() % files.size()], random);
    SCOPED_TRACE(i);
    try {
      const Tokenizer tokenizer = read_tokenizer(text);
      ++loaded;
      tokenizer.decode(tokenizer.encode("Straße 東京 don't [MASK] 42 <s> \xF0\x9F\x98\x80").ids, false);
    } catch (const Error& error) {
      ++refused;
      EXPECT_FALSE(std::string(error.what()).empty());
    }
  }
  EXPECT_GT(loaded, 300);
  EXPECT_GT(refused, 300);
}

}  // namespace
}  // namespace flowrun::tokenizers
