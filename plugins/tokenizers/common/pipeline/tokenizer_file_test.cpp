// What a tokenizer.json may not be: refused with its place. And damage of all kinds, which never does more than that.

#include "tokenizer_file.hpp"

#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <utility>

#include <flowrun/testing/errors.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models_file.hpp"

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
      {changed("gpt2", ("/" + std::string(100, 'k')).c_str(), 1), Code::kUnsupported, "'kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk...' is not a key"},
      {changed("gpt2", "/model/merges/3", {"a", std::string("z\0z", 3)}), Code::kCorruptData, "merges[3] needs the token 'z?z', which is not in the vocabulary\n  in 'model'"},
      {R"({"version":"1.0","a\u0000b":1})", Code::kUnsupported, "'a\\u0000b' is not a key"},
      {changed("gpt2", "/pre_tokenizer/type", "ByteLvl"), Code::kUnsupported, "'pre_tokenizer.type' is \"ByteLvl\", which is not known here"},
      {changed("gpt2", "/pre_tokenizer/extra", 1), Code::kUnsupported, "'pre_tokenizer.extra' is not a key"},
      {changed("llama3", "/pre_tokenizer/pretokenizers/0/behavior", "Isolate"), Code::kCorruptData, "'pre_tokenizer.pretokenizers[0].behavior' is \"Isolate\", expected Removed"},
      {changed("llama3", "/pre_tokenizer/pretokenizers/0/pattern", {{"Regex", "(a)\\1"}}), Code::kUnsupported, "pre_tokenizer.pretokenizers[0].pattern.Regex"},
      {changed("llama3", "/pre_tokenizer/pretokenizers/0/pattern", {{"Regex", "a(b"}}), Code::kCorruptData, "pre_tokenizer.pretokenizers[0].pattern.Regex': the pattern has a '(' without its ')' at byte 1"},
      {changed("llama2", "/normalizer/normalizers/1/pattern", 3), Code::kCorruptData, "'normalizer.normalizers[1].pattern' is 3, expected an object"},
      {changed("bert_cased", "/post_processor/sep", {"[SEP]"}), Code::kCorruptData, "'post_processor.sep' is [\"[SEP]\"], expected a token and its id"},
      {changed("t5", "/post_processor/single/1/SpecialToken/id", "</t>"), Code::kCorruptData, "'post_processor.single[1].SpecialToken.id' names \"</t>\""},
      {changed("t5", "/model/vocab/3", {"x"}), Code::kCorruptData, "'model.vocab[3]' is [\"x\"], expected a token and its score"},
      {changed("t5", "/model/unk_id", 100000), Code::kCorruptData, "tokenizer.json: 'model': 'unk_id' is 100000, expected less than "},
      {changed("gpt2", "/model/merges/3", {"a", "zzzz"}), Code::kCorruptData, "merges[3]"},
      {changed("whitespace", "/model/vocab/of", 0), Code::kCorruptData, "'model.vocab[\"of\"]' is 0, which is the id of \"[UNK]\" too"},
      {changed("gpt2", "/decoder/trim_offsets", " "), Code::kCorruptData, "'decoder.trim_offsets' is \" \", expected true or false"},
      {changed("gpt2", "/model/dropout", 0.1), Code::kUnsupported, "'model.dropout' is 0.1, expected null or 0"},
      {changed("gpt2", "/model/type", "LSTM"), Code::kUnsupported, "'model.type' is \"LSTM\", expected BPE"},
      {changed("added", "/added_tokens/0/id", -1), Code::kCorruptData, "'added_tokens[0].id' is -1, expected an id"},
      {changed("added", "/added_tokens/0/lstrip", nullptr), Code::kCorruptData, "'added_tokens[0].lstrip' is null, expected true or false"},
      {changed("limited", "/truncation/strategy", "OnlySecond"), Code::kUnsupported, "'truncation.strategy' is \"OnlySecond\""},
      {changed("limited", "/truncation/stride", 1 << 20), Code::kCorruptData, "'truncation.stride' is 1048576, expected less than 'truncation.max_length'"},
      {changed("limited", "/padding/strategy", {{"Fixed", 1e18}}), Code::kCorruptData, "'padding.strategy.Fixed' is"},
      {changed("limited", "/padding/strategy", {{"Fixed", 1048577}}), Code::kUnsupported, "'padding.strategy.Fixed' is 1048577, expected at most 1048576"},
      {changed("limited", "/padding/pad_to_multiple_of", 1 << 21), Code::kUnsupported, "'padding.pad_to_multiple_of' is 2097152, expected at most 1048576"},
      {changed("limited", "/padding/pad_token", std::string(257, 'p')), Code::kUnsupported, "'padding.pad_token' has 257 bytes, expected at most 256"},
      {changed("t5", "/post_processor/single/1", {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}), Code::kUnsupported, "'post_processor.single[1]' is a sequence that stands there before"},
  };
  for (const auto& one : cases) {
    const auto [code, text] = error_of([&] { read_tokenizer(one.file); });
    EXPECT_EQ(code, one.code) << text;
    EXPECT_NE(text.find(one.text), std::string::npos) << text << "\nexpected: " << one.text;
  }
}

// tokenizers 0.23.3 takes these files, and gives other tokens than anyone would want: with a template of [C] $A before BertProcessing, "a b" is [C] [C] [S] a b [S].
TEST(TokenizerFile, RefusesWhatTheLibraryMakesNonsenseOf) {
  const json piece = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}, end = {{"SpecialToken", {{"id", "[S]"}, {"type_id", 0}}}};
  const json bert = {{"type", "BertProcessing"}, {"sep", {"[S]", 1}}, {"cls", {"[C]", 2}}};
  const json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
  const auto framed = [&](json pieces) {
    return json{{"type", "TemplateProcessing"}, {"single", std::move(pieces)}, {"pair", json::array({piece})}, {"special_tokens", {{"[S]", {{"id", "[S]"}, {"ids", {1}}, {"tokens", {"[S]"}}}}}}};
  };
  const auto sequence = [](json steps) { return json{{"type", "Sequence"}, {"processors", std::move(steps)}}; };
  const auto error_with = [&](const json& processors) { return error_of([&] { read_tokenizer(changed("gpt2", "/post_processor", sequence(processors))); }).second; };
  const json two = framed({piece, end}), one = framed({piece});
  EXPECT_EQ(error_with({two, bert}), "tokenizer.json: 'post_processor.processors[1].type' is \"BertProcessing\" behind the template of 'post_processor.processors[0]', expected ByteLevel or nothing there");
  EXPECT_EQ(error_with({sequence({two}), byte_level, two}),
            "tokenizer.json: 'post_processor.processors[2].type' is \"TemplateProcessing\" behind the template of 'post_processor.processors[0].processors[0]', expected ByteLevel or nothing there");
  for (const json& good : {json{bert, two, byte_level}, json{one, bert}, json{two}}) EXPECT_NO_THROW(read_tokenizer(changed("gpt2", "/post_processor", sequence(good)))) << good;
  // An added token that is nothing in normalized text is found between any two characters there.
  json file = golden_files().at("gpt2");
  file["normalizer"] = {{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}};
  file["added_tokens"] = json::array({{{"id", 0}, {"content", "  "}, {"single_word", false}, {"lstrip", false}, {"rstrip", false}, {"normalized", true}, {"special", false}}});
  EXPECT_EQ(error_of([&] { read_tokenizer(file.dump()); }).second,
            "tokenizer.json: 'added_tokens[0].content' is \"  \", of which the normalizer leaves nothing; set \"normalized\" to false, or take the token out");
  file["added_tokens"][0]["normalized"] = false;
  EXPECT_NO_THROW(read_tokenizer(file.dump()));
}

TEST(TokenizerFile, RefusesATemplateOfManyTokens) {
  json file = golden_files().at("t5");
  json& special = file["post_processor"]["special_tokens"]["</s>"];
  special["ids"] = std::vector<int>(600, 1);
  special["tokens"] = std::vector<std::string>(600, "</s>");
  EXPECT_EQ(error_of([&] { read_tokenizer(file.dump()); }).second, "tokenizer.json: 'post_processor.pair' adds more than 1024 special tokens");
}

/// Returns the golden tokenizer with `count` components in a sequence at `key`, each of which doubles every "a".
std::string doubling(const char* key, const char* steps, int count) {
  json file = golden_files().at("characters_nfc");
  const json step = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}};
  file[key] = {{"type", "Sequence"}, {steps, std::vector<json>(static_cast<std::size_t>(count), step)}};
  return file.dump();
}

TEST(TokenizerFile, BoundsWhatReplacementsMakeOfAText) {
  const Tokenizer few = read_tokenizer(doubling("normalizer", "normalizers", 10));
  EXPECT_EQ(few.encode("a").size(), 1024u);
  const Tokenizer many = read_tokenizer(doubling("normalizer", "normalizers", 40));
  EXPECT_EQ(error_of([&] { many.encode("a"); }), (std::pair(Code::kUnsupported, std::string("the normalizer or pre-tokenizer makes more than 65664 bytes of a text of 1"))));
}

TEST(TokenizerFile, BoundsWhatADecoderMakesOfTokens) {
  const std::vector<std::uint32_t> ids = {1};  // "a"
  EXPECT_EQ(read_tokenizer(doubling("decoder", "decoders", 10)).decode(ids, false), std::string(1024, 'a'));
  const Tokenizer many = read_tokenizer(doubling("decoder", "decoders", 40));
  EXPECT_EQ(error_of([&] { many.decode(ids, false); }), (std::pair(Code::kUnsupported, std::string("the decoder makes more of the tokens than 128 times their bytes"))));
}

TEST(TokenizerFile, NumbersAddedTokensAsTheLibraryDoes) {
  // tokenizers 0.23.3: a token of the vocabulary has its id, others the next ones, and what the file says counts for nothing.
  json file = golden_files().at("whitespace");
  json token = file["added_tokens"][0];
  for (const char* const content : {"[A]", "[B]", "the"}) {
    token["content"] = content;
    token["id"] = 7000;
    file["added_tokens"].push_back(token);
  }
  const Tokenizer tokenizer = read_tokenizer(file.dump());
  EXPECT_EQ(tokenizer.token_to_id("[A]"), 190u);
  EXPECT_EQ(tokenizer.token_to_id("[B]"), 191u);
  EXPECT_EQ(tokenizer.token_to_id("the"), file["model"]["vocab"]["the"].get<std::uint32_t>());
  EXPECT_EQ(tokenizer.id_to_token(7000), std::nullopt);
}

/// Returns a tokenizer that has a space as an added token, with a flag.
Tokenizer with_space_token(const char* flag) {
  json file = golden_files().at("characters_nfc");
  json token = {{"id", 2}, {"content", " "}, {"single_word", false}, {"lstrip", false}, {"rstrip", false}, {"normalized", false}, {"special", false}};
  token[flag] = true;
  file["added_tokens"] = json::array({token});
  return read_tokenizer(file.dump());
}

TEST(TokenizerFile, ReadsRunsOfAddedTokensThatAreWhiteSpaceOnce) {
  // Square time would be hours here.
  const Encoding encoding = with_space_token("lstrip").encode("a" + std::string(1'000'000, ' '));
  EXPECT_EQ(encoding.size(), 1'000'001u);
  EXPECT_EQ(encoding.ids.back(), 2u);
}

TEST(TokenizerFile, BoundsTheWhiteSpaceThatAddedTokensShare) {
  const Tokenizer tokenizer = with_space_token("rstrip");
  EXPECT_EQ(tokenizer.encode("a   ").offsets, (std::vector<Range>{{0, 1}, {1, 4}, {2, 4}, {3, 4}}));  // as tokenizers 0.23.3 has it
  EXPECT_EQ(error_of([&] { tokenizer.encode(std::string(100'000, ' ')); }),
            (std::pair(Code::kUnsupported, std::string("added tokens that take white space with them overlap too often in a text of 100000 bytes"))));
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

// As tokenizers 0.23.3 does it: an empty text stands before, between and behind the characters.
TEST(TokenizerFile, AnEmptyPatternStandsBetweenCharacters) {
  json file = json::parse(R"({"added_tokens": [], "normalizer": {"type": "Replace", "pattern": {"String": ""}, "content": "a"},
    "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(?m:.)|\\n"}, "behavior": "Isolated", "invert": false},
    "model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "a": 1, " ": 2}, "unk_token": "[UNK]"}})");
  const std::vector<std::uint32_t> replaced{1, 2, 1}, split{1, 0, 2, 1};
  EXPECT_EQ(read_tokenizer(file.dump()).encode(" ").ids, replaced);
  file["normalizer"] = nullptr;
  file["pre_tokenizer"]["pattern"] = {{"String", ""}};
  EXPECT_EQ(read_tokenizer(file.dump()).encode("ab a").ids, split);
  // Where the library indexes behind its text and ends, the text is refused.
  json lost = golden_files().at("gpt2");
  lost["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", ""}}}, {"content", "aa"}};
  EXPECT_EQ(error_of([&] { read_tokenizer(lost.dump()).encode("hello"); }).first, Code::kInvalidArgument);
  file["added_tokens"] = nullptr;
  EXPECT_THROW(read_tokenizer(file.dump()), Error);
}

// What tokenizers 0.23.3 gives: its subtraction of the special tokens wraps round, so that nothing is cut.
TEST(TokenizerFile, CutsNothingWhereSpecialTokensHaveNoRoom) {
  for (const auto& [max_length, expected] : {std::pair(0, std::vector<std::uint32_t>{0, 2, 3, 2, 3, 1}), {1, {0, 2, 3, 2, 3, 1}}, {2, {0, 1}}, {3, {0, 2, 1}}}) {
    const json file = {{"truncation", {{"direction", "Right"}, {"max_length", max_length}, {"strategy", "LongestFirst"}, {"stride", 0}}},
                       {"pre_tokenizer", {{"type", "Whitespace"}}},
                       {"post_processor", {{"type", "BertProcessing"}, {"sep", {"[SEP]", 1}}, {"cls", {"[CLS]", 0}}}},
                       {"model", {{"type", "WordLevel"}, {"vocab", {{"[CLS]", 0}, {"[SEP]", 1}, {"a", 2}, {"b", 3}, {"[UNK]", 4}}}, {"unk_token", "[UNK]"}}}};
    EXPECT_EQ(read_tokenizer(file.dump()).encode("a b a b").ids, expected) << max_length;
  }
}

// Scores that were written to a file, and what Tokenizer.to_str() of tokenizers 0.23.3 wrote after it had read the file.
TEST(TokenizerFile, ScoresAreThoseThatTheLibraryReads) {
  for (const auto& [written, read] : {std::pair(-15.275492379532281, -15.27549237953228), {-9.908701741838819, -9.90870174183882}, {-1.8771917354846979, -1.877191735484698},
                                      {-14.429688151665367, -14.429688151665369}, {-11.780045159651033, -11.780045159651031}, {-14.067641772076719, -14.06764177207672},
                                      {-9.182634638213367, -9.182634638213369}, {-0.11418258900785849, -0.11418258900785848}, {-14.810068236663927, -14.810068236663929},
                                      {-2.6872848822480244, -2.6872848822480244}, {-16.948674738744653, -16.948674738744653}, {-8.989821295774762, -8.989821295774762},
                                      {-1e-300, -1e-300}, {-5e-324, -5e-324}, {-1.7976931348623157e308, -1.7976931348623157e308}, {-3.3333333333333337e-18, -3.3333333333333337e-18},
                                      {-6.666666666666666e+21, -6.666666666666666e+21}, {0.0, 0.0}, {-1.0, -1.0}, {-12.5, -12.5}})
    EXPECT_EQ(score_as_read_by_tokenizers(written), read) << written;
}

}  // namespace
}  // namespace flowrun::tokenizers
