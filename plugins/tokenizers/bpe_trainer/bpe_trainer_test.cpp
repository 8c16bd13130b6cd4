#include "bpe_trainer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <flowrun/error.hpp>
#include <flowrun/testing.hpp>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <random>
#include <string>

#include "tokenizers/common/byte_level.hpp"
#include "tokenizers/common/gpt2_pretokenizer.hpp"
#include "tokenizers/common/tokenizer_json.hpp"

namespace flowrun::bpe {
namespace {

using tokenizers::WordCounter;
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

WordCounter count(const std::vector<std::string>& documents) {
  WordCounter pretokens({});
  for (const std::string& document : documents) count_pretokens(document, gpt2_pretoken_end, pretokens);
  return pretokens;
}

BpeModel train(const std::vector<std::string>& documents, BpeTrainerOptions options) {
  WordCounter pretokens = count(documents);
  return train_bpe(pretokens, options);
}

BpeModel train(const std::vector<std::string>& documents, std::uint32_t vocab_size, std::uint64_t min_frequency = 0) {
  return train(documents, {.vocab_size = vocab_size, .min_frequency = min_frequency});
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
    const BpeTrainerOptions options{.vocab_size = 300, .min_frequency = min_frequency, .first_threshold = random() % 20};
    ASSERT_EQ(train(documents, options).merges, train_by_definition(documents, 300, min_frequency)) << "seed " << seed;
  }
}

TEST(BpeTrainer, OrderOfDocumentsDoesNotMatter) {
  auto documents = golden_documents();
  const BpeModel model = train(documents, 600);
  std::shuffle(documents.begin(), documents.end(), std::mt19937(1));
  EXPECT_EQ(train(documents, 600), model);
}

// Whatever is followed first, and whatever is on disk.
TEST(BpeTrainer, GivesTheSameMergesForAnyThresholdAndMemory) {
  const auto documents = golden_documents();
  const BpeModel expected = train(documents, 3000);
  const testing::TemporaryFolder folder;
  for (const std::uint64_t threshold : {1, 2, 7, 100, 1'000'000})
    for (const std::size_t memory : {std::size_t{1}, std::size_t{1} << 16, std::size_t{1} << 28})
      EXPECT_EQ(train(documents, {.vocab_size = 3000, .memory_bytes = memory, .folder = folder.path(), .first_threshold = threshold}), expected)
          << "threshold " << threshold << ", " << memory << " bytes";
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
  WordCounter pretokens = count(golden_documents());
  std::vector<std::size_t> calls;
  std::uint64_t last = std::numeric_limits<std::uint64_t>::max();
  const auto stop_at_200 = [&](std::size_t merges, std::uint64_t count) {
    calls.push_back(merges);
    EXPECT_EQ(count == 0, merges == 0);
    if (merges > 0) {
      EXPECT_LE(count, last) << "pairs are merged in the order of their counts";
      last = count;
    }
    if (merges == 200) throw Error(Code::kCancelled, "stopped");
  };
  EXPECT_THROW(train_bpe(pretokens, {.vocab_size = 1200}, stop_at_200), Error);
  EXPECT_EQ(calls, (std::vector<std::size_t>{0, 100, 200}));
}

}  // namespace
}  // namespace flowrun::bpe
