#include "word_piece.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <flowrun/error.hpp>
#include <map>
#include <random>
#include <string>

#include "golden_test.hpp"
#include "word_level.hpp"

namespace flowrun::tokenizers {
namespace {

using golden::spelt;
using golden::tokenize;
using Names = std::vector<std::string>;

std::vector<VocabularyEntry> numbered(const Names& tokens) {
  std::vector<VocabularyEntry> entries;
  for (const std::string& token : tokens) entries.push_back({token, static_cast<std::uint32_t>(entries.size())});
  return entries;
}

WordPiece make_golden(const nlohmann::json& model) {
  return {golden::vocabulary(model), {model["unk_token"], model["continuing_subword_prefix"], model["max_input_chars_per_word"]}};
}

void expect_error(const Model& model, std::string_view text, const std::string& message) {
  try {
    tokenize(model, text);
    FAIL() << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_EQ(error.what(), message);
  }
}

// The definition: at each place the longest token, tried from the longest on. Text of one-byte characters.
std::vector<Token> by_definition(const Names& tokens, const std::string& prefix, const std::string& word) {
  std::map<std::string, std::uint32_t> ids;
  for (const VocabularyEntry& entry : numbered(tokens)) ids[entry.token] = entry.id;
  std::vector<Token> found;
  for (std::size_t begin = 0; begin < word.size();) {
    std::size_t end = word.size();
    while (end > begin && !ids.contains((begin > 0 ? prefix : "") + word.substr(begin, end - begin))) --end;
    if (end == begin) return {{0, 0, static_cast<std::uint32_t>(word.size())}};
    found.push_back({ids[(begin > 0 ? prefix : "") + word.substr(begin, end - begin)], static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
    begin = end;
  }
  return found;
}

TEST(WordPiece, GivesTheTokensOfHuggingFace) {
  const auto lines = golden::read_lines("bert.jsonl");
  golden::expect_equal(make_golden(lines[0]), lines, golden::strings());
}

TEST(WordPiece, GivesTheTokensOfHuggingFaceForOddVocabularies) {
  const auto lines = golden::read_lines("bert_odd.jsonl");
  golden::expect_equal(make_golden(lines[0]), lines, golden::strings());
}

TEST(WordPiece, EqualsTheDefinitionOnRandomVocabularies) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    std::mt19937 random(seed);
    const std::string letters = seed % 2 == 0 ? "ab#" : "abc";
    const std::string prefix = seed % 5 == 0 ? "" : seed % 7 == 0 ? "#" : "##";
    const auto word = [&](std::size_t size) {
      std::string text;
      while (text.size() < size) text += letters[random() % letters.size()];
      return text;
    };
    Names tokens{"[UNK]"};
    for (std::size_t n = 3 + random() % 20; tokens.size() < n;) {
      const std::string token = (random() % 2 ? prefix : "") + word(random() % 6);
      if (std::find(tokens.begin(), tokens.end(), token) == tokens.end()) tokens.push_back(token);
    }
    const WordPiece model(numbered(tokens), {"[UNK]", prefix, 100});
    for (int i = 0; i < 50; ++i) {
      const std::string text = word(random() % 20);
      ASSERT_EQ(tokenize(model, text), by_definition(tokens, prefix, text)) << "seed " << seed << " text " << text;
    }
  }
}

TEST(WordPiece, TakesTheLongestPiece) {
  const WordPiece model(numbered({"[UNK]", "un", "unaff", "##aff", "##able", "##a", "##ffable"}), {});
  EXPECT_EQ(spelt(model, "unaffable"), (Names{"unaff", "##able"}));
  EXPECT_EQ(tokenize(model, "unaffable"), (std::vector<Token>{{2, 0, 5}, {4, 5, 9}}));
  EXPECT_EQ(spelt(model, "unaff"), (Names{"unaff"}));
}

TEST(WordPiece, IsUnknownAsAWholeWhereAnyPartIs) {
  const WordPiece model(numbered({"[UNK]", "un", "##a"}), {});
  EXPECT_EQ(tokenize(model, "unab"), (std::vector<Token>{{0, 0, 4}}));
  EXPECT_EQ(tokenize(model, ""), std::vector<Token>{});
}

TEST(WordPiece, CountsCharactersNotBytes) {
  const WordPiece model(numbered({"[UNK]", "é", "##é"}), {"[UNK]", "##", 3});
  EXPECT_EQ(spelt(model, "ééé"), (Names{"é", "##é", "##é"}));
  EXPECT_EQ(spelt(model, "éééé"), (Names{"[UNK]"}));
}

TEST(WordPiece, AppendsAndLeavesWhatWasThere) {
  const WordPiece model(numbered({"[UNK]", "a", "##b"}), {});
  std::vector<Token> tokens{{7, 1, 2}};
  Scratch scratch;
  model.tokenize("abx", tokens, scratch);
  model.tokenize("ab", tokens, scratch);
  EXPECT_EQ(tokens, (std::vector<Token>{{7, 1, 2}, {0, 0, 3}, {1, 0, 1}, {2, 1, 2}}));
}

// A token of 200,000 letters and a word that nearly is it: time or memory that grows with the square would not end.
TEST(WordPiece, IsLinearInTokensAndWords) {
  const std::size_t n = 200'000;
  const WordPiece model(numbered({"[UNK]", std::string(n, 'a'), "a", "##a", "##" + std::string(n, 'a')}), {"[UNK]", "##", 10 * n});
  EXPECT_EQ(tokenize(model, std::string(n, 'a')).size(), 1u);
  EXPECT_EQ(tokenize(model, std::string(n - 1, 'a')).size(), n - 1);
  EXPECT_EQ(tokenize(model, std::string(5 * n - 1, 'a')).size(), 4 + n - 1);
  EXPECT_EQ(tokenize(model, std::string(5 * n, 'a') + "b").size(), 1u);
}

TEST(WordPiece, SaysThatTheUnknownTokenIsMissing) {
  const WordPiece model(numbered({"a"}), {});
  EXPECT_EQ(spelt(model, "a"), Names{"a"});
  expect_error(model, "b", "the text has a piece that is not in the vocabulary, and the unknown token '[UNK]' is not in it either");
}

TEST(WordLevel, GivesTheTokensOfHuggingFace) {
  const auto lines = golden::read_lines("word_level.jsonl");
  golden::expect_equal(WordLevel(golden::vocabulary(lines[0]), lines[0]["unk_token"]), lines, golden::strings());
}

TEST(WordLevel, SaysThatTheUnknownTokenIsMissing) {
  const WordLevel model(numbered({"a"}), "<unk>");
  EXPECT_EQ(spelt(model, "a"), Names{"a"});
  expect_error(model, "b", "the text has a piece that is not in the vocabulary, and the unknown token '<unk>' is not in it either");
}

TEST(Vocabulary, KeepsTheLastIdOfATokenAndTheFirstTokenOfAnId) {
  const Vocabulary vocabulary({{"a", 5}, {"b", 1}, {"a", 9}, {"c", 9}, {"", 4'000'000'000}});
  EXPECT_EQ(vocabulary.size(), 4u);
  EXPECT_EQ(vocabulary.id("a"), 9u);
  EXPECT_EQ(vocabulary.token(9), "a");
  EXPECT_EQ(vocabulary.token(5), std::nullopt);
  EXPECT_EQ(vocabulary.token(4'000'000'000), "");
  EXPECT_EQ(vocabulary.id("d"), std::nullopt);
  EXPECT_THROW(Vocabulary({{"a", 0xFFFFFFFF}}), Error);
}

}  // namespace
}  // namespace flowrun::tokenizers
