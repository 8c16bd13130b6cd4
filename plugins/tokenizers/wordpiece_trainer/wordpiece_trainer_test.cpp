#include "wordpiece_trainer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <flowrun/error.hpp>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include <flowrun/testing.hpp>

#include "alphabet.hpp"
#include "word_merging.hpp"

namespace flowrun::tokenizers {
namespace {

using Names = std::vector<std::string>;
using Counts = std::map<std::string, std::uint64_t>;

Names train(const Counts& counts, const WordPieceTrainerOptions& options, const WordCounter::Options& memory = {}) {
  WordCounter words(memory);
  for (const auto& [word, count] : counts) words.add(word, count);
  return train_word_piece(words, options);
}

WordPieceTrainerOptions options_of(std::size_t vocab_size, std::uint64_t min_frequency = 0) {
  WordPieceTrainerOptions options;
  options.vocab_size = vocab_size;
  options.min_frequency = min_frequency;
  options.specials = {"[UNK]"};
  return options;
}

// The definition, where no merge makes a token that is there: all pairs are counted anew for every merge.
Names train_by_definition(const Counts& counts, const WordPieceTrainerOptions& options) {
  Names tokens = options.specials;
  const auto id_of = [&](const std::string& token) {
    const auto at = std::find(tokens.begin(), tokens.end(), token);
    if (at == tokens.end()) tokens.push_back(token);
    return static_cast<std::size_t>(std::find(tokens.begin(), tokens.end(), token) - tokens.begin());
  };
  std::string alphabet;
  for (const auto& [word, count] : counts) alphabet += word;
  std::sort(alphabet.begin(), alphabet.end());
  for (const char c : alphabet) id_of(std::string(1, c));
  std::vector<std::pair<std::vector<std::size_t>, std::uint64_t>> words;
  for (const auto& [word, count] : counts) {  // a map is in byte order
    words.push_back({{}, count});
    for (std::size_t i = 0; i < word.size(); ++i) words.back().first.push_back(id_of((i > 0 ? "##" : "") + word.substr(i, 1)));
  }
  while (tokens.size() < options.vocab_size) {
    std::map<std::pair<std::size_t, std::size_t>, std::uint64_t> pairs;
    for (const auto& [ids, count] : words)
      for (std::size_t i = 0; i + 1 < ids.size(); ++i) pairs[{ids[i], ids[i + 1]}] += count;
    const auto best = std::max_element(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    if (best == pairs.end() || best->second < std::max<std::uint64_t>(options.min_frequency, 1)) break;
    const auto [left, right] = best->first;
    const std::size_t result = id_of(tokens[left] + tokens[right].substr(2));
    for (auto& [ids, count] : words)
      for (std::size_t i = 0; i + 1 < ids.size(); ++i)
        if (ids[i] == left && ids[i + 1] == right) {
          ids[i] = result;
          ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        }
  }
  return tokens;
}

void expect_error(const Counts& counts, const WordPieceTrainerOptions& options, Code code, const std::string& message) {
  try {
    train(counts, options);
    FAIL() << message;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    EXPECT_EQ(error.what(), message);
  }
}

TEST(WordPieceTrainer, GivesTheVocabulariesOfHuggingFace) {
  std::ifstream file(FLOWRUN_TEST_SOURCE_DIR "/testdata/vocabularies.jsonl");
  int cases = 0;
  for (std::string line; std::getline(file, line); ++cases) {
    const auto golden = nlohmann::json::parse(line);
    WordPieceTrainerOptions options = options_of(golden["vocab_size"], golden["min_frequency"]);
    options.specials = golden["specials"].get<Names>();
    if (!golden["limit_alphabet"].is_null()) options.limit_alphabet = golden["limit_alphabet"].get<std::size_t>();
    for (const auto& c : golden["initial_alphabet"].get<Names>())
      options.initial_alphabet += c == "x" ? U'x' : c == "é" ? U'é' : c == "😀" ? U'😀' : c == "ß" ? U'ß' : U'中';
    options.continuing_subword_prefix = golden["prefix"];
    options.end_of_word_suffix = golden["suffix"];
    ASSERT_EQ(train(golden["words"].get<Counts>(), options), golden["vocabulary"].get<Names>()) << "line " << cases + 1;
  }
  EXPECT_EQ(cases, 64);
}

TEST(WordPieceTrainer, EqualsTheDefinitionOnRandomWords) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    const std::size_t letters = 1 + random() % 4;
    Counts counts;
    for (std::size_t n = random() % 30; n > 0; --n) {
      std::string word;
      for (std::size_t size = 1 + random() % 12; word.size() < size;) word += "abcd"[random() % letters];
      counts[word] += 1 + random() % 5;
    }
    auto options = options_of(10 + random() % 60, random() % 4);
    options.first_threshold = random() % 20;
    ASSERT_EQ(train(counts, options), train_by_definition(counts, options)) << "seed " << seed;
  }
}

// Both ways to merge give the same where no merge makes a token again; special tokens that merges make are no such case, as they stand in no word.
TEST(WordPieceTrainer, MergesByPairsAndByWordsAlike) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    WordCounter words({});
    for (std::size_t n = random() % 60; n > 0; --n) {
      std::string word;
      for (std::size_t size = 1 + random() % 14; word.size() < size;) word += "abc"[random() % 3];
      words.add(word, 1 + random() % 5);
    }
    WordPieceTrainerOptions options = options_of(0);
    options.specials = {"[UNK]", "ab", "##ca"};
    const WordPieceVocabulary initial(CharacterUses(words), options);
    const Spelling spelling = [&](std::string_view word, std::vector<std::uint32_t>& symbols) { initial.spell(word, symbols); };
    PairMergingOptions merging{10 + random() % 80, random() % 4};
    merging.first_threshold = random() % 20;
    WordPieceVocabulary by_pairs = initial, by_words = initial;
    ASSERT_TRUE(merge_pairs(words, spelling, by_pairs, merging, [](std::size_t, std::uint64_t) {}));
    merge_words(words, spelling, by_words, merging, [](std::size_t, std::uint64_t) {});
    ASSERT_EQ(std::move(by_pairs).take(), std::move(by_words).take()) << "seed " << seed;
  }
}

// "#" and "###" make "##", and that with "##b" makes "##b", which stands there already: then pairs are merged word by word, as the library does.
TEST(WordPieceTrainer, BeginsAgainWhereAMergeMakesATokenAgain) {
  WordCounter words({});
  for (const char* const word : {"##b", "#a##", "##", "ab"}) words.add(word, 3);
  const WordPieceVocabulary initial(CharacterUses(words), options_of(0));
  const Spelling spelling = [&](std::string_view word, std::vector<std::uint32_t>& symbols) { initial.spell(word, symbols); };
  WordPieceVocabulary by_pairs = initial, by_words = initial;
  const PairMergingOptions merging{100};
  EXPECT_FALSE(merge_pairs(words, spelling, by_pairs, merging, [](std::size_t, std::uint64_t) {}));
  merge_words(words, spelling, by_words, merging, [](std::size_t, std::uint64_t) {});
  EXPECT_EQ(train_word_piece(words, options_of(100)), std::move(by_words).take());
}

// Whatever is followed first, and whatever is on disk; with and without tokens that are made again.
TEST(WordPieceTrainer, GivesTheSameVocabularyForAnyThresholdAndMemory) {
  const testing::TemporaryFolder folder;
  for (const std::string letters : {"etaoinsrhl", "ea#"}) {
    std::mt19937 random(3);
    Counts counts;
    for (int i = 0; i < 4000; ++i) {
      std::string word;
      for (std::size_t size = 1 + random() % 12; word.size() < size;) word += letters[random() % letters.size()];
      counts[word] += 1 + random() % 50;
    }
    auto options = options_of(900);
    const Names expected = train(counts, options);
    ASSERT_EQ(expected.size(), 900u);
    for (const std::uint64_t threshold : {1, 7, 1'000'000})
      for (const std::size_t memory_bytes : {std::size_t{1}, std::size_t{1} << 16}) {
        options.first_threshold = threshold;
        ASSERT_EQ(train(counts, options, {memory_bytes, folder.path()}), expected) << letters << ", threshold " << threshold << ", " << memory_bytes << " bytes";
      }
  }
}

TEST(WordPieceTrainer, NumbersPiecesInTheByteOrderOfWords) {
  EXPECT_EQ(train({{"ba", 1}, {"abc", 2}}, options_of(7)), (Names{"[UNK]", "a", "b", "c", "##b", "##c", "##a"}));
  EXPECT_EQ(train({{"ba", 1}, {"abc", 2}}, options_of(9)), (Names{"[UNK]", "a", "b", "c", "##b", "##c", "##a", "ab", "abc"}));
}

TEST(WordPieceTrainer, OrderOfWordsDoesNotMatter) {
  std::mt19937 random(1);
  std::vector<std::string> texts;
  for (int i = 0; i < 500; ++i) {
    std::string& text = texts.emplace_back();
    for (std::size_t size = 1 + random() % 9; text.size() < size;) text += "etaoin"[random() % 6];
  }
  const auto train_in_order = [&] {
    WordCounter words({});
    for (const std::string& text : texts) words.add(text, 1 + text.size() % 3);  // some words stand twice
    return train_word_piece(words, options_of(200));
  };
  const Names vocabulary = train_in_order();
  EXPECT_EQ(vocabulary.size(), 200u);
  std::shuffle(texts.begin(), texts.end(), random);
  EXPECT_EQ(train_in_order(), vocabulary);
}

TEST(WordPieceTrainer, LimitsTheAlphabetToTheMostFrequent) {
  auto options = options_of(100);
  options.limit_alphabet = 2;
  // Of b and c, which are as frequent, c goes; so does it from the middle of its word.
  EXPECT_EQ(train({{"acb", 1}, {"a", 5}}, options), (Names{"[UNK]", "a", "b", "##b", "ab"}));
  options.initial_alphabet = U"zé";
  EXPECT_EQ(train({{"acb", 1}, {"a", 5}}, options), (Names{"[UNK]", "z", "é"}));
  options.specials.push_back("a");  // a special token of one character lets it in
  EXPECT_EQ(train({{"acb", 1}, {"a", 5}}, options), (Names{"[UNK]", "a", "z", "é"}));
}

TEST(WordPieceTrainer, StopsBelowMinFrequency) {
  EXPECT_EQ(train({{"ab", 3}, {"cd", 2}}, options_of(100, 3)).back(), "ab");
  EXPECT_EQ(train({{"ab", 3}, {"cd", 2}}, options_of(100, 2)).back(), "cd");
  EXPECT_EQ(train({{"ab", 0}}, options_of(100)), Names{"[UNK]"}) << "a word that does not occur";
}

TEST(WordPieceTrainer, CountsIn64Bits) {
  const std::uint64_t many = std::uint64_t{1} << 40;
  EXPECT_EQ(train({{"ab", many}, {"cd", many + 1}}, options_of(100)).back(), "ab");
  expect_error({{"ab", std::uint64_t{1} << 62}}, options_of(100), Code::kUnsupported, "the words have 2^63 characters or more, repetitions counted");
}

TEST(WordPieceTrainer, KeepsSpecialsAndAlphabetInASmallVocabulary) {
  EXPECT_EQ(train({{"ab", 1}}, options_of(0)), (Names{"[UNK]", "a", "b", "##b"}));
  EXPECT_EQ(train({}, options_of(10)), Names{"[UNK]"});
}

TEST(WordPieceTrainer, RefusesWhatIsNotText) {
  for (const char* bad : {"\x80", "a\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xF4\x90\x80\x80", "\xE4\xB8" "a"})
    EXPECT_THROW(train({{bad, 1}}, options_of(10)), Error) << bad;
  expect_error({{"a\xC3", 1}}, options_of(10), Code::kCorruptData, "a word is not UTF-8 at byte 1");
  auto options = options_of(10);
  options.initial_alphabet = {static_cast<char32_t>(0xD800)};
  expect_error({}, options, Code::kInvalidArgument, "the initial alphabet has 55296, which is no character");
}

TEST(WordPieceTrainer, CanBeInterrupted) {
  WordCounter words({});
  words.add("ab");
  EXPECT_THROW(train_word_piece(words, options_of(100), [](std::size_t, std::uint64_t) { throw Error(Code::kCancelled, "stopped"); }), Error);
}

}  // namespace
}  // namespace flowrun::tokenizers
