#include "bpe_trainer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <flowrun/error.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>

#include "tokenizers/common/byte_level.hpp"
#include "tokenizers/common/gpt2_pretokenizer.hpp"
#include "tokenizers/common/tokenizer_json.hpp"

namespace flowrun::bpe {
namespace {

using Pair = std::pair<std::uint32_t, std::uint32_t>;

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> golden_documents() {
  const std::string text = read_file(FLOWRUN_TEST_SOURCE_DIR "/testdata/corpus.txt");
  std::vector<std::string> documents;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find("\n\n", begin), text.size());
    documents.push_back(text.substr(begin, end - begin));
    begin = end + 2;
  }
  return documents;
}

BpeModel train(const std::vector<std::string>& documents, std::uint32_t vocab_size, std::uint64_t min_frequency = 0) {
  BpeTrainer trainer;
  for (const std::string& document : documents) trainer.add(document);
  BpeTrainer::Options options;
  options.vocab_size = vocab_size;
  options.min_frequency = min_frequency;
  return trainer.train(options);
}

// The definition: count all pairs anew for every merge.
std::vector<BpeMerge> train_by_definition(const std::vector<std::string>& documents, std::uint32_t vocab_size, std::uint64_t min_frequency) {
  std::map<std::uint8_t, std::uint32_t> byte_ids;
  std::uint32_t next = 3;
  for (const std::uint8_t byte : byte_level_order()) byte_ids[byte] = next++;
  std::vector<std::vector<std::uint32_t>> words;
  for (const std::string& document : documents)
    for (std::size_t begin = 0; begin < document.size();) {
      auto& word = words.emplace_back();
      for (const std::size_t end = gpt2_pretoken_end(document, begin); begin < end; ++begin) word.push_back(byte_ids[static_cast<std::uint8_t>(document[begin])]);
    }
  std::vector<BpeMerge> merges;
  while (next < vocab_size) {
    std::map<Pair, std::uint64_t> counts;
    for (const auto& word : words)
      for (std::size_t i = 0; i + 1 < word.size(); ++i) ++counts[{word[i], word[i + 1]}];
    // The map is in ascending order of pairs, so the first of the highest count is the smallest.
    const auto best = std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    if (best == counts.end() || best->second < min_frequency) break;
    const BpeMerge merge{best->first.first, best->first.second, next++};
    for (auto& word : words)
      for (std::size_t i = 0; i + 1 < word.size(); ++i)
        if (word[i] == merge.left && word[i + 1] == merge.right) {
          word[i] = merge.result;
          word.erase(word.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        }
    merges.push_back(merge);
  }
  return merges;
}

TEST(BpeTrainer, GivesTheTokenizerOfHuggingFaceByteForByte) {
  EXPECT_EQ(write_tokenizer_json(train(golden_documents(), 1200)), read_file(FLOWRUN_TEST_SOURCE_DIR "/../common/testdata/tokenizer.json"));
}

TEST(BpeTrainer, StopsAtMinFrequencyWhereHuggingFaceStops) {
  const BpeModel model = train(golden_documents(), 1200, 40);
  std::string merges;
  for (const BpeMerge& merge : model.merges)
    merges += "[\"" + byte_level_encode(model.tokens[merge.left]) + "\", \"" + byte_level_encode(model.tokens[merge.right]) + "\"]\n";
  EXPECT_EQ(merges, read_file(FLOWRUN_TEST_SOURCE_DIR "/testdata/merges_min_frequency_40.jsonl"));
  EXPECT_LT(model.tokens.size(), 1200u);
}

// Few letters and long runs give ties, overlapping pairs and pairs that a merge makes and loses again.
TEST(BpeTrainer, EqualsTheDefinitionOnRandomText) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::string> documents(1 + random() % 5);
    const std::size_t letters = 1 + random() % 3;
    for (std::string& document : documents)
      for (std::size_t size = random() % 120; document.size() < size;) document += random() % 9 == 0 ? ' ' : "abc"[random() % letters];
    const std::uint64_t min_frequency = random() % 4;
    ASSERT_EQ(train(documents, 300, min_frequency).merges, train_by_definition(documents, 300, min_frequency)) << "seed " << seed;
  }
}

TEST(BpeTrainer, OrderOfDocumentsDoesNotMatter) {
  auto documents = golden_documents();
  const BpeModel model = train(documents, 600);
  std::shuffle(documents.begin(), documents.end(), std::mt19937(1));
  EXPECT_EQ(train(documents, 600), model);
}

TEST(BpeTrainer, CountsLongAndRepeatedPretokens) {
  BpeTrainer trainer;
  const std::string longer(40, 'x');
  for (int i = 0; i < 3; ++i) trainer.add(longer + " " + longer + " short");
  EXPECT_EQ(trainer.counter().size(), 3u);
  std::map<std::string, std::uint64_t> counts;
  trainer.counter().for_each([&](std::string_view pretoken, std::uint64_t count) { counts[std::string(pretoken)] = count; });
  EXPECT_EQ(counts, (std::map<std::string, std::uint64_t>{{longer, 3}, {" " + longer, 3}, {" short", 3}}));
  EXPECT_GT(trainer.counter().memory_bytes(), 0u);
}

TEST(BpeTrainer, CountsEveryPretokenWhileItsTableGrows) {
  PretokenCounter counter;
  for (int pass = 0; pass < 2; ++pass)
    for (int i = 0; i < 50'000; ++i) counter.add(std::to_string(i) + " z");
  std::uint64_t total = 0;
  counter.for_each([&](std::string_view, std::uint64_t count) { total += count; });
  EXPECT_EQ(counter.size(), 50'001u);
  EXPECT_EQ(total, 200'000u);
}

TEST(BpeTrainer, GivesASmallerVocabularyWhereTheTextEnds) {
  const BpeModel model = train({"abc"}, 1000);
  EXPECT_EQ(model.tokens.size(), 261u);
  EXPECT_EQ(model.tokens.back(), "abc");
  EXPECT_EQ(train({}, 1000).tokens.size(), 259u);
  EXPECT_EQ(train({"abc"}, 259).merges.size(), 0u);
}

TEST(BpeTrainer, RefusesAVocabularyWithoutRoomForTheBytes) {
  try {
    train({}, 258);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_STREQ(error.what(), "'vocab_size' is 258, expected at least 259: the bytes and the special tokens");
  }
}

TEST(BpeTrainer, CanBeInterrupted) {
  BpeTrainer trainer;
  for (const std::string& document : golden_documents()) trainer.add(document);
  BpeTrainer::Options options;
  options.vocab_size = 1200;
  EXPECT_THROW(trainer.train(options, [] { throw Error(Code::kCancelled, "stopped"); }), Error);
}

}  // namespace
}  // namespace flowrun::bpe
