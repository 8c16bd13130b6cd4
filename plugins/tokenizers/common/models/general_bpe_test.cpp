#include "general_bpe.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <flowrun/error.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "golden_test.hpp"
#include "tokenizers/common/bpe.hpp"
#include "tokenizers/common/byte_level.hpp"
#include "tokenizers/common/tokenizer_json.hpp"

namespace flowrun::tokenizers {
namespace {

using golden::spelt;
using golden::tokenize;
using Names = std::vector<std::string>;

GeneralBpe make_golden(const nlohmann::json& model) {
  GeneralBpe::Options options;
  const auto text = [&](const char* key) -> std::optional<std::string> {
    if (model.at(key).is_null()) return std::nullopt;
    return model.at(key).get<std::string>();
  };
  options.unk_token = text("unk_token");
  options.continuing_subword_prefix = text("continuing_subword_prefix");
  options.end_of_word_suffix = text("end_of_word_suffix");
  options.fuse_unk = model.at("fuse_unk");
  options.byte_fallback = model.at("byte_fallback");
  options.ignore_merges = model.at("ignore_merges");
  return {golden::vocabulary(model), model.at("merges").get<GeneralBpe::Merges>(), options};
}

void expect_golden(const std::string& name) {
  const auto lines = golden::read_lines(name);
  golden::expect_equal(make_golden(lines[0]), lines, golden::strings());
}

std::vector<VocabularyEntry> numbered(const Names& tokens) {
  std::vector<VocabularyEntry> entries;
  for (const std::string& token : tokens) entries.push_back({token, static_cast<std::uint32_t>(entries.size())});
  return entries;
}

void expect_error(const Names& tokens, const GeneralBpe::Merges& merges, const GeneralBpe::Options& options, Code code, const std::string& message) {
  try {
    tokenize(GeneralBpe(numbered(tokens), merges, options), "x");
    FAIL() << message;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    EXPECT_EQ(error.what(), message);
  }
}

TEST(GeneralBpe, GivesLlamasTokensWithByteFallback) { expect_golden("llama.jsonl"); }

TEST(GeneralBpe, MixesUnknownAndByteTokensAsHuggingFaceDoes) { expect_golden("llama_partial.jsonl"); }

TEST(GeneralBpe, GivesClipsTokensWithASuffix) { expect_golden("clip.jsonl"); }

TEST(GeneralBpe, GivesTheTokensOfAPrefixAndASuffix) { expect_golden("prefix_and_suffix.jsonl"); }

// Several merges make one token, and some pairs stand twice.
TEST(GeneralBpe, GivesTheTokensOfMergesInNoOrderOfATraining) { expect_golden("ambiguous.jsonl"); }

TEST(GeneralBpe, GivesTheTokensOfByteLevelText) {
  const auto lines = golden::read_lines("gpt.jsonl");
  auto texts = golden::strings();
  for (std::string& text : texts) text = bpe::byte_level_encode(text);
  golden::expect_equal(make_golden(lines[0]), lines, texts);
}

// Llama 3: byte-level, with tokens that no merge makes.
TEST(GeneralBpe, EqualsByteLevelBpeWithALookUpWhereMergesAreIgnored) {
  std::ifstream file(FLOWRUN_TEST_SOURCE_DIR "/../testdata/tokenizer.json");
  bpe::BpeModel model = bpe::read_byte_level_model(nlohmann::json::parse(file));
  for (const char* token : {" the king", "thx", "ee", "\xC3", "\u4e2d\u6587"}) {
    if (std::find(model.tokens.begin(), model.tokens.end(), token) == model.tokens.end()) model.tokens.emplace_back(token);
  }
  std::vector<VocabularyEntry> vocabulary;
  for (const std::string& token : model.tokens) vocabulary.push_back({bpe::byte_level_encode(token), static_cast<std::uint32_t>(vocabulary.size())});
  GeneralBpe::Merges merges;
  for (const bpe::BpeMerge& merge : model.merges) merges.push_back({vocabulary[merge.left].token, vocabulary[merge.right].token});
  GeneralBpe::Options options;
  options.ignore_merges = true;
  const GeneralBpe general(vocabulary, merges, options);
  const bpe::Bpe bytes(model);
  const Vocabulary whole(vocabulary);
  bpe::Bpe::Scratch scratch;
  auto texts = golden::strings();
  texts.insert(texts.end(), model.tokens.begin(), model.tokens.end());
  for (const std::string& text : texts) {
    if (text.empty()) continue;
    const std::string pretoken = bpe::byte_level_encode(text);
    std::vector<std::uint32_t> expected, ids;
    if (const auto id = whole.id(pretoken)) expected.push_back(*id);
    else bytes.encode_pretoken(text, scratch, expected);
    for (const Token& token : tokenize(general, pretoken)) ids.push_back(token.id);
    ASSERT_EQ(ids, expected) << text;
  }
}

TEST(GeneralBpe, FusesUnknownCharactersOnlyWhereAsked) {
  GeneralBpe::Options options;
  options.unk_token = "<unk>";
  const auto vocabulary = numbered({"<unk>", "a"});
  EXPECT_EQ(tokenize(GeneralBpe(vocabulary, {}, options), "éxa"), (std::vector<Token>{{0, 0, 2}, {0, 2, 3}, {1, 3, 4}}));
  options.fuse_unk = true;
  EXPECT_EQ(tokenize(GeneralBpe(vocabulary, {}, options), "éxa"), (std::vector<Token>{{0, 0, 3}, {1, 3, 4}}));
}

TEST(GeneralBpe, DropsUnknownCharactersWithoutAnUnknownToken) {
  EXPECT_EQ(tokenize(GeneralBpe(numbered({"b", "a"}), {}, {}), "éab"), (std::vector<Token>{{1, 0, 1}, {0, 1, 2}}));
}

TEST(GeneralBpe, KeepsOffsetsWithinThePretokenWhereASuffixBecomesBytes) {
  Names tokens;
  for (const char* byte : {"61", "5F", "C3", "A9"}) tokens.push_back(std::string("<0x") + byte + ">");
  GeneralBpe::Options options;
  options.byte_fallback = true;
  options.end_of_word_suffix = "_";
  EXPECT_EQ(tokenize(GeneralBpe(numbered(tokens), {}, options), "aé"), (std::vector<Token>{{0, 0, 1}, {2, 1, 2}, {3, 2, 3}, {1, 3, 3}}));
}

TEST(GeneralBpe, TakesTheLastOfTwoMergesOfOnePair) {
  // With its first rank, (a, b) would go before (b, c).
  const GeneralBpe model(numbered({"a", "b", "c", "ab", "bc"}), {{"a", "b"}, {"b", "c"}, {"a", "b"}}, {});
  EXPECT_EQ(spelt(model, "abc"), (Names{"a", "bc"}));
}

TEST(GeneralBpe, EncodesAMillionEqualLetters) {
  Names tokens{"a"};
  GeneralBpe::Merges merges;
  for (int i = 0; i < 10; ++i) {
    merges.push_back({tokens.back(), tokens.back()});
    tokens.push_back(tokens.back() + tokens.back());
  }
  const GeneralBpe model(numbered(tokens), merges, {});
  const auto found = tokenize(model, std::string(1'000'001, 'a'));
  EXPECT_EQ(found.size(), 976u + 3u);  // 1,000,001 = 976 * 1024 + 512 + 64 + 1
  EXPECT_EQ(found.back().end, 1'000'001u);
}

TEST(GeneralBpe, RefusesWhatItCannotDo) {
  GeneralBpe::Options options;
  options.dropout = 0.5;
  expect_error({"a"}, {}, options, Code::kUnsupported, "dropout is 0.500000, expected 0 or null: ids must not depend on chance");
  options = {};
  options.unk_token = "<unk>";
  expect_error({"a"}, {}, options, Code::kInvalidArgument,
               "the text has a piece that is not in the vocabulary, and the unknown token '<unk>' is not in it either");
  expect_error({"a", "b"}, {{"a", "b"}}, {}, Code::kCorruptData, "merges[0] needs the token 'ab', which is not in the vocabulary");
  expect_error({"a", "aa"}, {{"a", "a"}, {"a", "b"}}, {}, Code::kCorruptData, "merges[1] needs the token 'b', which is not in the vocabulary");
  options.continuing_subword_prefix = "##";
  expect_error({"a", "aa"}, {{"a", "a"}}, options, Code::kCorruptData,
               "merges[0] has 'a' on the right, which is shorter than continuing_subword_prefix");
}

// Bytes that are no UTF-8 give some tokens, never a crash.
TEST(GeneralBpe, IsSafeOnAnyBytes) {
  const GeneralBpe model = make_golden(golden::read_lines("llama_partial.jsonl")[0]);
  for (int byte = 0; byte < 256; ++byte)
    for (const std::string& text : {std::string(3, static_cast<char>(byte)), std::string("\xE4\xB8") + static_cast<char>(byte) + "a"})
      EXPECT_FALSE(tokenize(model, text).empty());
}

}  // namespace
}  // namespace flowrun::tokenizers
