#include "tiktoken_bpe.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <flowrun/testing/errors.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>

#include "golden_test.hpp"
#include "tiktoken_ranks.hpp"
#include "tokenizers/common/bpe.hpp"

namespace flowrun::tokenizers {
namespace {

using Ids = std::vector<std::uint32_t>;

std::string golden_text() {
  std::ifstream file(FLOWRUN_TEST_SOURCE_DIR "/testdata/ranks.tiktoken", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> bytes_and(const std::vector<std::string>& more) {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  tokens.insert(tokens.end(), more.begin(), more.end());
  return tokens;
}

Ids encode(const bpe::Bpe& bpe, std::string_view text) {
  Ids ids;
  bpe::Bpe::Scratch scratch;
  if (!text.empty()) bpe.encode_pretoken(text, scratch, ids);
  return ids;
}

// tiktoken's definition: a token is itself; else join the neighbours whose bytes together have the lowest rank, the leftmost first; bytes alone are tokens.
Ids encode_by_definition(const std::map<std::string, std::uint32_t>& ranks, const std::string& text) {
  if (const auto whole = ranks.find(text); whole != ranks.end()) return {whole->second};
  std::vector<std::string> parts;
  for (const char c : text) parts.emplace_back(1, c);
  for (;;) {
    std::uint32_t best_rank = 0xFFFFFFFF;
    std::size_t best = 0;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i)
      if (const auto found = ranks.find(parts[i] + parts[i + 1]); found != ranks.end() && found->second < best_rank) best_rank = found->second, best = i;
    if (best_rank == 0xFFFFFFFF) break;
    parts[best] += parts[best + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
  Ids ids;
  for (const std::string& part : parts) ids.push_back(ranks.at(part));
  return ids;
}

TEST(TiktokenBpe, GivesTheIdsOfTiktoken) {
  const TiktokenBpe converted = tiktoken_to_bpe(read_tiktoken_ranks(golden_text()));
  EXPECT_TRUE(converted.whole_only.empty());
  const bpe::Bpe bpe(converted.model);
  EXPECT_TRUE(bpe.regular());
  EXPECT_EQ(bpe.vocab_size(), 800u);
  const auto texts = golden::strings();
  const auto ids = golden::read_lines("tiktoken_ids.jsonl");
  ASSERT_EQ(ids.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    ASSERT_EQ(encode(bpe, texts[i]), ids[i].get<Ids>()) << texts[i];
  }
}

// Tokens are two earlier ones put together, but in whatever order of ranks: many can be made in several ways, some in none.
TEST(TiktokenBpe, EqualsTheDefinitionOnRandomRanks) {
  int later = 0, whole_only = 0;
  for (unsigned seed = 0; seed < 600; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::string> pieces{"a", "b"};
    for (int i = 0; i < 3 + static_cast<int>(seed % 12); ++i) {
      const std::string token = pieces[random() % pieces.size()] + pieces[random() % pieces.size()];
      if (token.size() < 9 && std::find(pieces.begin(), pieces.end(), token) == pieces.end()) pieces.push_back(token);
    }
    pieces.erase(pieces.begin(), pieces.begin() + 2);
    if (seed % 3 == 0) std::shuffle(pieces.begin(), pieces.end(), random);
    const auto tokens = bytes_and(pieces);
    std::map<std::string, std::uint32_t> ranks;
    for (std::uint32_t rank = 0; rank < tokens.size(); ++rank) ranks[tokens[rank]] = rank;
    const TiktokenBpe converted = tiktoken_to_bpe(tokens);
    for (const bpe::BpeMerge& merge : converted.model.merges) later += std::max(merge.left, merge.right) > merge.result;
    whole_only += static_cast<int>(converted.whole_only.size());
    const bpe::Bpe bpe(converted.model);
    for (int i = 0; i < 40; ++i) {
      std::string text;
      for (std::size_t size = random() % 24; text.size() < size;) text += "ab"[random() % 2];
      const auto whole = ranks.find(text);
      ASSERT_EQ(whole == ranks.end() ? encode(bpe, text) : Ids{whole->second}, encode_by_definition(ranks, text)) << "seed " << seed << " text " << text;
    }
  }
  EXPECT_GT(later, 50);
  EXPECT_GT(whole_only, 50);
}

TEST(TiktokenBpe, NamesTokensThatOccurOnlyAsAWhole) {
  const TiktokenBpe converted = tiktoken_to_bpe(bytes_and({"xyz", "ab", "abc"}));
  EXPECT_EQ(converted.whole_only, (Ids{256}));
  EXPECT_EQ(converted.model.merges, (std::vector<bpe::BpeMerge>{{'a', 'b', 257}, {257, 'c', 258}}));
}

TEST(TiktokenBpe, MakesATokenOfThePairThatStandsThere) {
  const TiktokenBpe converted = tiktoken_to_bpe(bytes_and({"abc", "ab", "bc"}));
  EXPECT_EQ(converted.model.merges, (std::vector<bpe::BpeMerge>{{257, 'c', 256}, {'a', 'b', 257}, {'b', 'c', 258}}));
  EXPECT_TRUE(converted.whole_only.empty());
  EXPECT_EQ(encode(bpe::Bpe(converted.model), "xabc"), (Ids{'x', 256}));
}

TEST(TiktokenBpe, RefusesWhatItCannotConvert) {
  EXPECT_EQ(flowrun::testing::message_of([] { tiktoken_to_bpe({"a", "b"}); }), "byte 0 is not a token");
  EXPECT_EQ(flowrun::testing::message_of([] { tiktoken_to_bpe(bytes_and({std::string(5000, 'a')})); }),
            "the token of id 256 has 5000 atoms and is not made of two tokens of smaller ranks");
}

TEST(TiktokenBpe, ConvertsALongTokenInLittleTime) {
  std::vector<std::string> more{"aa"};
  while (more.back().size() < 1 << 20) more.push_back(more.back() + more.back());
  EXPECT_EQ(tiktoken_to_bpe(bytes_and(more)).model.merges.size(), more.size());
}

}  // namespace
}  // namespace flowrun::tokenizers
