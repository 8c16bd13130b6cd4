#include "bpe.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <flowrun/error.hpp>
#include <fstream>
#include <random>
#include <set>
#include <string>

#include "byte_level.hpp"

namespace flowrun::bpe {
namespace {

using Ids = std::vector<std::uint32_t>;

BpeModel bytes_only() {
  BpeModel model;
  for (const std::uint8_t byte : byte_level_order()) model.tokens.emplace_back(1, static_cast<char>(byte));
  return model;
}

std::uint32_t id_of(const BpeModel& model, const std::string& token) {
  return static_cast<std::uint32_t>(std::find(model.tokens.begin(), model.tokens.end(), token) - model.tokens.begin());
}

// By value: a caller may pass tokens of the vector that grows here.
void add_merge(BpeModel& model, std::string left, std::string right) {
  if (id_of(model, left + right) == model.tokens.size()) model.tokens.push_back(left + right);
  model.merges.push_back({id_of(model, left), id_of(model, right), id_of(model, left + right)});
}

// The definition, word for word: quadratic.
Ids encode_by_definition(const BpeModel& model, const std::string& text) {
  Ids ids;
  for (const char c : text) ids.push_back(id_of(model, std::string(1, c)));
  for (;;) {
    std::size_t best_rank = model.merges.size(), best = 0;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i)
      for (std::size_t rank = 0; rank < best_rank; ++rank)
        if (model.merges[rank].left == ids[i] && model.merges[rank].right == ids[i + 1]) {
          best_rank = rank;
          best = i;
        }
    if (best_rank == model.merges.size()) return ids;
    ids[best] = model.merges[best_rank].result;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

// Merges of two letters that occur in the order of a training: each new token is found by encoding, so the list is regular.
BpeModel random_trained_model(std::mt19937& random, int merges) {
  BpeModel model = bytes_only();
  std::string text;
  for (int i = 0; i < 400; ++i) text += "ab"[random() % 4 == 0];
  for (int i = 0; i < merges; ++i) {
    const Ids ids = encode_by_definition(model, text);
    if (ids.size() < 2) break;
    const std::size_t at = random() % (ids.size() - 1);
    add_merge(model, model.tokens[ids[at]], model.tokens[ids[at + 1]]);
  }
  return model;
}

std::string random_text(std::mt19937& random, std::size_t size_max) {
  std::string text(1 + random() % size_max, 'a');
  for (char& c : text) c = "ab"[random() % 3 == 0];
  return text;
}

TEST(Bpe, SearchAndHeapEqualTheDefinitionOnRandomModels) {
  int regular = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const BpeModel model = random_trained_model(random, 1 + static_cast<int>(seed) % 30);
    const Bpe bpe(model);
    regular += bpe.regular();
    Bpe::Scratch scratch;
    for (int i = 0; i < 40; ++i) {
      const std::string text = random_text(random, 40);
      Ids by_heap, ids;
      bpe.encode_by_heap(text, scratch, by_heap);
      bpe.encode_pretoken(text, scratch, ids);
      ASSERT_EQ(by_heap, encode_by_definition(model, text)) << "seed " << seed << ", text " << text;
      ASSERT_EQ(ids, by_heap) << "seed " << seed << ", text " << text;
      ASSERT_EQ(bpe.decode(ids), text);
    }
  }
  EXPECT_GT(regular, 100) << "the search was hardly tested";
}

TEST(Bpe, FallsBackToTheHeapWhereTheMergesAreInNoTrainingOrder) {
  int irregular = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    BpeModel model = random_trained_model(random, 12);
    std::shuffle(model.merges.begin(), model.merges.end(), random);
    const Bpe bpe(model);
    irregular += !bpe.regular();
    Bpe::Scratch scratch;
    for (int i = 0; i < 20; ++i) {
      const std::string text = random_text(random, 30);
      Ids ids;
      bpe.encode_pretoken(text, scratch, ids);
      ASSERT_EQ(ids, encode_by_definition(model, text)) << "seed " << seed << ", text " << text;
    }
  }
  EXPECT_GT(irregular, 100);
}

TEST(Bpe, KnowsATokenThatTwoMergesMake) {
  BpeModel model = bytes_only();
  add_merge(model, "a", "b");
  add_merge(model, "b", "c");
  add_merge(model, "ab", "c");
  add_merge(model, "a", "bc");
  const Bpe bpe(model);
  EXPECT_FALSE(bpe.regular());
  Bpe::Scratch scratch;
  Ids ids;
  bpe.encode_pretoken("abcbc", scratch, ids);
  EXPECT_EQ(ids, (Ids{id_of(model, "abc"), id_of(model, "bc")}));
}

// Four million bytes of one pre-token: a quadratic encoder would take hours, either of ours takes far below the limit on any machine.
TEST(Bpe, EncodesALetterRepeatedMillionsOfTimes) {
  BpeModel model = bytes_only();
  std::string token = "a";
  for (int i = 0; i < 6; ++i, token += token) add_merge(model, token, token);
  const Bpe bpe(model);
  ASSERT_TRUE(bpe.regular());
  const std::string text(4'000'003, 'a');
  Bpe::Scratch scratch;
  Ids by_search, by_heap;
  bpe.encode_pretoken(text, scratch, by_search);
  bpe.encode_by_heap(text, scratch, by_heap);
  EXPECT_EQ(by_search, by_heap);
  EXPECT_EQ(by_search.size(), 4'000'000u / 64 + 2);  // and "aa", "a"
}

TEST(Bpe, RefusesIdsAndModelsOutOfRange) {
  BpeModel model = bytes_only();
  const Bpe bpe(model);
  const Ids unknown{0, 256};
  try {
    bpe.decode(unknown);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_STREQ(error.what(), "token id 256 is not in the vocabulary of 256");
  }
  model.merges.push_back({0, 1, 256});
  EXPECT_THROW(Bpe{model}, Error);
  model = bytes_only();
  model.tokens[65] = "long";
  EXPECT_THROW(Bpe{model}, Error);
}

TEST(ByteLevel, SpellsEveryByteAsOneCharacterAndBack) {
  std::set<std::string> spellings;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string bytes(1, static_cast<char>(byte));
    const std::string spelling = byte_level_encode(bytes);
    spellings.insert(spelling);
    EXPECT_EQ(byte_level_decode(spelling), bytes);
  }
  EXPECT_EQ(spellings.size(), 256u);
  EXPECT_EQ(byte_level_encode(" \n\xC3\xA9"), "\xC4\xA0\xC4\x8A\xC3\x83\xC2\xA9");  // "ĠĊÃ©"
  EXPECT_EQ(byte_level_decode("a b"), std::nullopt);                                // a space is spelled "Ġ"
  EXPECT_EQ(byte_level_decode("\xE2\x96\x81"), std::nullopt);
  EXPECT_EQ(byte_level_decode("\xC4"), std::nullopt);
}

}  // namespace
}  // namespace flowrun::bpe
