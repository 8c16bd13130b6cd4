#include "unigram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <flowrun/testing/errors.hpp>

namespace flowrun::tokenizers {
namespace {

using flowrun::testing::error_of;
using flowrun::testing::message_of;
using Tokens = std::vector<Unigram::Token>;

Tokens encode(const Unigram& model, std::string_view text) {
  Unigram::Scratch scratch;
  Tokens tokens;
  model.encode(text, scratch, tokens);
  return tokens;
}

Unigram read_vocabulary(const nlohmann::json& row) {
  UnigramVocabulary vocabulary;
  for (const auto& piece : row["pieces"]) vocabulary.pieces.emplace_back(piece[0].get<std::string>(), piece[1].get<double>());
  if (!row["unk_id"].is_null()) vocabulary.unk_id = row["unk_id"].get<std::uint32_t>();
  vocabulary.byte_fallback = row["byte_fallback"].get<bool>();
  return Unigram(std::move(vocabulary));
}

TEST(Unigram, GivesTheTokensOfTokenizers) {
  std::ifstream file(FLOWRUN_TEST_SOURCE_DIR "/testdata/unigram.jsonl");
  std::optional<Unigram> model;
  std::size_t texts = 0, refused = 0;
  Unigram::Scratch scratch;
  Tokens tokens;
  for (std::string line; std::getline(file, line);) {
    const auto row = nlohmann::json::parse(line);
    if (row.contains("vocabulary")) {
      model.emplace(read_vocabulary(row));
      continue;
    }
    const auto text = row["text"].get<std::string>();
    ++texts;
    tokens.clear();
    if (row["tokens"].is_null()) {
      EXPECT_THROW(model->encode(text, scratch, tokens), Error) << line;
      EXPECT_TRUE(tokens.empty());
      ++refused;
      continue;
    }
    model->encode(text, scratch, tokens);
    std::vector<std::uint32_t> numbers;
    for (const Unigram::Token& token : tokens) numbers.insert(numbers.end(), {token.id, token.begin, token.end});
    EXPECT_EQ(numbers, row["tokens"].get<std::vector<std::uint32_t>>()) << line;
  }
  EXPECT_GT(texts, 3000u);
  EXPECT_GT(refused, 20u);
}

TEST(Unigram, PrefersTheEarlierBeginOfEqualSums) {
  const Unigram model({{{"<unk>", 0}, {"a", -1}, {"b", -1}, {"c", -1}, {"ab", -2}, {"bc", -2}}, 0, false});
  EXPECT_EQ(encode(model, "abc"), (Tokens{{1, 0, 1}, {5, 1, 3}}));
}

TEST(Unigram, JoinsUnknownCharactersAndGivesTheirBytesTheOffsetsOfTheRun) {
  const std::vector<std::pair<std::string, double>> pieces = {{"<unk>", 0}, {"a", -1}, {"<0xC3>", -9}, {"<0xA9>", -9}};
  EXPECT_EQ(encode(Unigram({pieces, 0, false}), "aéxa"), (Tokens{{1, 0, 1}, {0, 1, 4}, {1, 4, 5}}));
  EXPECT_EQ(encode(Unigram({pieces, 0, true}), "aéa"), (Tokens{{1, 0, 1}, {2, 1, 3}, {3, 1, 3}, {1, 3, 4}}));
  EXPECT_EQ(encode(Unigram({pieces, 0, true}), "aéx"), (Tokens{{1, 0, 1}, {0, 1, 4}})) << "x has no byte piece";
}

TEST(Unigram, TakesTheLastOfEqualPieces) {
  const Unigram model({{{"a", -1}, {"b", -1}, {"a", -2}}, std::nullopt, false});
  EXPECT_EQ(model.token_to_id("a"), 2u);
  EXPECT_EQ(model.id_to_token(0), "a");
  EXPECT_EQ(encode(model, "ab"), (Tokens{{2, 0, 1}, {1, 1, 2}}));
}

TEST(Unigram, FindsPiecesByTextAndById) {
  const Unigram model({{{"<unk>", 0}, {"", -1}, {std::string("\0x", 2), -1}, {"é", -1}}, 0, false});
  EXPECT_EQ(model.vocab_size(), 4u);
  for (std::uint32_t id = 0; id < 4; ++id) EXPECT_EQ(model.token_to_id(*model.id_to_token(id)), id);
  EXPECT_EQ(model.id_to_token(4), std::nullopt);
  EXPECT_EQ(model.token_to_id("\xC3"), std::nullopt);
  EXPECT_EQ(encode(model, std::string_view("\0x\0", 3)), (Tokens{{2, 0, 2}, {0, 2, 3}}));
  EXPECT_TRUE(encode(model, "").empty());
}

TEST(Unigram, RefusesUnknownTextWithoutAnUnknownPiece) {
  const Unigram model({{{"a", -1}}, std::nullopt, false});
  const auto [code, text] = error_of([&] { encode(model, "aéa"); });
  EXPECT_EQ(code, Code::kInvalidArgument);
  EXPECT_EQ(text, "the character at byte 1 is not in the vocabulary, and the model has no 'unk_id'");
}

TEST(Unigram, RefusesBadVocabularies) {
  EXPECT_EQ(message_of([] { Unigram({{{"a", -1}}, 1, false}); }), "'unk_id' is 1, expected less than 1");
  EXPECT_EQ(message_of([] { Unigram({{}, 0, false}); }), "'unk_id' is 0, expected less than 0");
  EXPECT_EQ(message_of([] { Unigram({{{"a", std::numeric_limits<double>::quiet_NaN()}}, 0, false}); }), "the score of piece 0 is not finite");
}

TEST(Unigram, ReadsAMillionEqualLettersInLinearTimeWithoutNewMemory) {
  UnigramVocabulary vocabulary{{{"<unk>", 0}}, 0, false};
  for (std::size_t length = 1; length <= 16; ++length) vocabulary.pieces.emplace_back(std::string(length, 'a'), -1.0);
  const Unigram model(std::move(vocabulary));
  const std::string text(1'000'000, 'a');
  Unigram::Scratch scratch;
  Tokens tokens;
  model.encode(text, scratch, tokens);
  EXPECT_EQ(tokens.size(), text.size() / 16);
  EXPECT_LE(scratch.trie_steps, text.size() * 17);
  const auto* const nodes = scratch.nodes.data();
  const auto* const out = tokens.data();
  tokens.clear();
  model.encode(text, scratch, tokens);
  EXPECT_EQ(scratch.nodes.data(), nodes);
  EXPECT_EQ(tokens.data(), out);
}

TEST(Unigram, NeverReadsOutsideOfBytesThatAreNotUtf8) {
  const Unigram model({{{"<unk>", 0}, {"a", -1}, {"é", -1}, {"日", -1}}, 0, false});
  for (const std::string_view text : {"\xE6", "a\xC3", "\xF0\x9F", "\xA9\xA9", "\xFF\xFE", "日\xE6\x97"}) {
    const std::string copy(text);  // its end is the end of its memory, so a sanitizer sees what goes beyond
    const Tokens tokens = encode(model, copy);
    ASSERT_FALSE(tokens.empty());
    EXPECT_EQ(tokens.front().begin, 0u);
    EXPECT_EQ(tokens.back().end, copy.size());
  }
}

TEST(DoubleArray, FindsEachKeyOfALargeSetAndNoOther) {
  std::vector<std::string> texts;
  for (int i = 0; i < 20000; ++i) texts.push_back(std::to_string(i * 7919));
  std::sort(texts.begin(), texts.end());
  std::vector<DoubleArray::Key> keys;
  for (std::uint32_t i = 0; i < texts.size(); ++i) keys.emplace_back(texts[i], i);
  const DoubleArray trie(keys);
  for (const auto& [key, value] : keys) {
    EXPECT_EQ(trie.find(key), value);
    EXPECT_EQ(trie.find(std::string(key) + "x"), std::nullopt);
  }
  EXPECT_EQ(trie.find(""), std::nullopt);
  std::swap(keys[0], keys[1]);
  EXPECT_EQ(message_of([&] { DoubleArray{keys}; }), "key 1 of a trie is not above the one before it");
}

}  // namespace
}  // namespace flowrun::tokenizers
