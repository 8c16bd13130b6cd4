#pragma once

// Reads the golden files of the models' tests.

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "model.hpp"
#include "vocabulary.hpp"

namespace flowrun::tokenizers {

// Where googletest looks for it.
inline void PrintTo(const Token& token, std::ostream* os) { *os << token.id << ':' << token.begin << '-' << token.end; }

}  // namespace flowrun::tokenizers

namespace flowrun::tokenizers::golden {

inline std::vector<nlohmann::json> read_lines(const std::string& name) {
  std::ifstream file(FLOWRUN_TEST_SOURCE_DIR "/testdata/" + name);
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  EXPECT_FALSE(lines.empty()) << name;
  return lines;
}

inline std::vector<std::string> strings() {
  std::vector<std::string> texts;
  for (const auto& line : read_lines("strings.jsonl")) texts.push_back(line.get<std::string>());
  return texts;
}

inline std::vector<VocabularyEntry> vocabulary(const nlohmann::json& model) {
  std::vector<VocabularyEntry> entries;
  for (const auto& [token, id] : model.at("vocab").items()) entries.push_back({token, id.get<std::uint32_t>()});
  return entries;
}

inline std::vector<Token> tokenize(const Model& model, std::string_view text) {
  std::vector<Token> tokens;
  const auto scratch = model.make_scratch();
  model.tokenize(text, tokens, *scratch);
  return tokens;
}

inline std::vector<std::string> spelt(const Model& model, std::string_view text) {
  std::vector<std::string> names;
  for (const Token& token : tokenize(model, text)) names.emplace_back(*model.id_to_token(token.id));
  return names;
}

/// Expects of each text the tokens that the golden file has, and of each token of the vocabulary its id.
inline void expect_equal(const Model& model, const std::vector<nlohmann::json>& lines, const std::vector<std::string>& texts) {
  ASSERT_EQ(lines.size(), texts.size() + 1);
  const auto scratch = model.make_scratch();
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    tokens.clear();
    model.tokenize(texts[i], tokens, *scratch);
    std::vector<Token> expected;
    for (std::size_t k = 0; k < lines[i + 1].size(); k += 2)
      expected.push_back({lines[i + 1][k].get<std::uint32_t>(), expected.empty() ? 0 : expected.back().end, lines[i + 1][k + 1].get<std::uint32_t>()});
    ASSERT_EQ(tokens, expected) << texts[i];
  }
  for (const auto& [token, id] : lines[0].at("vocab").items()) {
    EXPECT_EQ(model.token_to_id(token), id.get<std::uint32_t>());
    EXPECT_EQ(model.id_to_token(id.get<std::uint32_t>()), token);
  }
  EXPECT_EQ(model.vocab_size(), lines[0].at("vocab").size());
}

}  // namespace flowrun::tokenizers::golden
