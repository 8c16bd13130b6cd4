#include "unigram_trainer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <flowrun/testing.hpp>
#include <flowrun/testing/errors.hpp>

#include "lattice.hpp"
#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

using flowrun::testing::error_of;
using flowrun::testing::message_of;

std::vector<std::string> texts_of(const UnigramVocabulary& vocabulary) {
  std::vector<std::string> texts;
  for (const auto& [piece, score] : vocabulary.pieces) texts.push_back(piece);
  return texts;
}

// The words of the BPE trainer's corpus, and what tokenizers made of them.
struct Golden {
  std::vector<std::pair<std::string, std::uint64_t>> words;
  UnigramTrainerOptions options;
  UnigramVocabulary vocabulary;
};

template <class Words>
WordCounter counter_of(const Words& words, const WordCounter::Options& memory = {}) {
  WordCounter counter(memory);
  for (const auto& [word, count] : words) counter.add(word, count);
  return counter;
}

using Words = std::vector<std::pair<std::string, std::uint64_t>>;

PieceList seeds_of(WordCounter words, std::size_t max_piece_length, std::size_t seed_size) {
  CharacterCounts characters;
  words.for_each([&](std::string_view word, std::uint64_t count) {
    for (std::size_t at = 0; at < word.size();) characters.add(next_code_point(word, at), count);
  });
  PieceList pieces;
  add_seed_pieces(words, characters, max_piece_length, seed_size, [] {}, pieces);
  return pieces;
}

PieceList seeds_of(const Words& words, std::size_t max_piece_length, std::size_t seed_size) { return seeds_of(counter_of(words), max_piece_length, seed_size); }

UnigramVocabulary train(WordCounter words, const UnigramTrainerOptions& options, const std::function<void()>& interrupt = [] {}) {
  return train_unigram(words, options, interrupt);
}

UnigramVocabulary train(const Words& words, const UnigramTrainerOptions& options, const std::function<void()>& interrupt = [] {}) {
  return train(counter_of(words), options, interrupt);
}

Golden read_golden() {
  std::ifstream file(FLOWRUN_TEST_SOURCE_DIR "/testdata/trained.json");
  const auto json = nlohmann::json::parse(file);
  Golden golden;
  for (const auto& word : json["words"]) golden.words.emplace_back(word[0].get<std::string>(), word[1].get<std::uint64_t>());
  golden.options.vocab_size = json["vocab_size"].get<std::uint32_t>();
  golden.options.special_tokens = json["special_tokens"].get<std::vector<std::string>>();
  golden.options.unk_token = json["unk_token"].get<std::string>();
  for (const auto& piece : json["pieces"]) golden.vocabulary.pieces.emplace_back(piece[0].get<std::string>(), piece[1].get<double>());
  golden.vocabulary.unk_id = json["unk_id"].get<std::uint32_t>();
  return golden;
}

// Repeats by their definition: what occurs twice and is not always followed by the same character, which includes the end of a word.
std::map<std::string, std::uint64_t> repeats_of(const std::vector<std::string>& words, std::size_t max_length) {
  std::string text;
  for (const std::string& word : words) text += word + '\0';
  std::map<std::string, std::uint64_t> repeats;
  std::map<std::string, std::multiset<char>> next;
  for (std::size_t begin = 0; begin < text.size(); ++begin)
    for (std::size_t length = 2; length <= max_length && begin + length < text.size(); ++length) next[text.substr(begin, length)].insert(text[begin + length]);
  for (const auto& [piece, characters] : next)
    if (piece.find('\0') == std::string::npos && std::set<char>(characters.begin(), characters.end()).size() > 1) repeats[piece] = characters.size();
  return repeats;
}

// The seeds of tokenizers' own test (UnigramTrainer, test_unigram_chars).
TEST(SeedPieces, AreThoseOfTokenizers) {
  const PieceList seeds = seeds_of({{"This is a", 1}, {"こんにちは友達", 1}}, 16, 1000);
  const std::vector<std::string> expected = {"s", "i", " ", "達", "友", "ん", "は", "に", "ち", "こ", "h", "a", "T", "is ", "s "};
  ASSERT_EQ(seeds.size(), expected.size());
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    EXPECT_EQ(seeds[i].piece, expected[i]);
    const double score = i < 3 ? std::log(2.0 / 26) : i < 13 ? std::log(1.0 / 26) : i == 13 ? std::log(6.0 / 26) : std::log(4.0 / 26);
    EXPECT_NEAR(seeds[i].score, score, 1e-12);
  }
}

TEST(SeedPieces, AreTheRepeatsOfRandomWords) {
  std::mt19937 random(5);
  for (int round = 0; round < 50; ++round) {
    std::set<std::string> distinct;
    for (int i = 0; i < 30; ++i) {
      std::string word;
      for (unsigned k = 0; k <= random() % 8; ++k) word += "abc"[random() % 3];
      distinct.insert(word);
    }
    const std::vector<std::string> texts(distinct.begin(), distinct.end());
    Words words;
    for (const std::string& text : texts) words.emplace_back(text, 1);
    double sum = 0;
    for (const std::string& text : texts) sum += static_cast<double>(text.size());
    const std::map<std::string, std::uint64_t> expected = repeats_of(texts, 5);
    for (const auto& [piece, frequency] : expected) sum += static_cast<double>(frequency * piece.size());
    std::set<std::string> found;
    for (const ScoredPiece seed : seeds_of(words, 5, 100000)) {
      if (seed.piece.size() == 1) continue;
      const std::string piece(seed.piece);
      found.insert(piece);
      ASSERT_TRUE(expected.contains(piece)) << piece;
      EXPECT_NEAR(seed.score, std::log(static_cast<double>(expected.at(piece) * piece.size()) / sum), 1e-12) << piece;
    }
    EXPECT_EQ(found.size(), expected.size());
  }
}

TEST(SeedPieces, CutNoCharacterAndStopAtTheSeedSize) {
  const Words words = {{"あいう", 1}, {"あいえ", 1}, {"xあい", 1}};
  std::vector<std::string> texts;
  for (const ScoredPiece seed : seeds_of(words, 16, 1000)) texts.emplace_back(seed.piece);
  EXPECT_EQ(texts, (std::vector<std::string>{"い", "あ", "え", "う", "x", "あい"}));
  EXPECT_EQ(seeds_of(words, 1, 1000).size(), 5u);
  EXPECT_EQ(seeds_of(Words(), 16, 10).size(), 0u);
}

// The best of a few are those of all, whatever is thrown away on the way.
TEST(SeedPieces, AreTheFirstOfAllWhereTheyAreFew) {
  std::mt19937 random(6);
  Words words;
  for (int i = 0; i < 2000; ++i) {
    std::string word;
    for (unsigned k = 0; k <= random() % 9; ++k) word += "abcde"[random() % 5];
    words.emplace_back(word, 1 + random() % 3);
  }
  const PieceList all = seeds_of(words, 16, 100000);
  ASSERT_GT(all.size(), 600u);
  for (const std::size_t seed_size : {1, 5, 6, 50, 300}) {
    const PieceList seeds = seeds_of(words, 16, seed_size);
    ASSERT_EQ(seeds.size(), std::max<std::size_t>(seed_size, 6)) << "five characters, and one substring at least";
    for (std::size_t i = 0; i < seeds.size(); ++i) EXPECT_EQ(seeds[i].piece, all[i].piece) << i;
  }
}

// Words of syllables, of which some are frequent; letters take one to four bytes.
Words random_words(std::size_t n) {
  std::mt19937 random(8);
  std::vector<std::string> syllables(800);
  for (std::string& syllable : syllables)
    for (unsigned size = 2 + random() % 4; size > 0; --size) append_utf8(U"aeiotéあ字😀bcdnrsl"[random() % 16], syllable);
  Words words;
  for (std::size_t i = 0; i < n; ++i) {
    std::string word;
    for (unsigned size = 1 + random() % 6; size > 0; --size) word += syllables[random() % (1 + random() % syllables.size())];
    words.emplace_back(word, 1 + random() % 9);
  }
  return words;
}

// What is counted goes to disk where it does not fit, words as well as suffixes.
TEST(SeedPieces, AreTheSameWhateverTheMemory) {
  const testing::TemporaryFolder folder;
  const Words words = random_words(40'000);
  WordCounter tight = counter_of(words, {1, folder.path()});
  ASSERT_GT(tight.runs(), 1u);
  const PieceList expected = seeds_of(words, 16, 5000), found = seeds_of(std::move(tight), 16, 5000);
  ASSERT_EQ(expected.size(), 5000u);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].piece, expected[i].piece) << i;
    ASSERT_EQ(found[i].score, expected[i].score) << i;
  }
}

TEST(PieceList, SelectsPiecesAndKeepsThemSorted) {
  PieceList pieces = {{"", 0}, {"b", -1}, {"ab", -2}, {"c", -3}, {"a", -4}};
  EXPECT_EQ(pieces.sorted(), (std::vector<std::uint32_t>{0, 4, 2, 1, 3}));
  const PieceList some = pieces.select({0, 3, 4, 2});
  ASSERT_EQ(some.size(), 4u);
  EXPECT_EQ(some[1].piece, "c");
  EXPECT_EQ(some[3].piece, "ab");
  EXPECT_EQ(some.scores(), (std::vector<double>{0, -3, -4, -2}));
  EXPECT_EQ(some.sorted(), (std::vector<std::uint32_t>{0, 2, 3, 1}));
}

// All ways to cut a word, one by one.
void add_all_ways(const std::map<std::string, std::pair<std::uint32_t, double>>& pieces, std::string_view rest, double score, std::vector<std::uint32_t>& way,
                  double& total, std::vector<double>& expected) {
  if (rest.empty()) {
    total += std::exp(score);
    for (const std::uint32_t id : way) expected[id] += std::exp(score);
  }
  for (std::size_t length = 1; length <= rest.size(); ++length) {
    const auto found = pieces.find(std::string(rest.substr(0, length)));
    if (found == pieces.end()) continue;
    way.push_back(found->second.first);
    add_all_ways(pieces, rest.substr(length), score + found->second.second, way, total, expected);
    way.pop_back();
  }
}

TEST(Lattice, ExpectsWhatTheSumOverAllWaysGives) {
  const PieceList pieces = {{"", 0}, {"a", -1.5}, {"b", -2}, {"ab", -2.5}, {"ba", -3}, {"aba", -4}, {"bb", -2.2}};
  std::map<std::string, std::pair<std::uint32_t, double>> by_text;
  for (std::uint32_t id = 1; id < pieces.size(); ++id) by_text[std::string(pieces[id].piece)] = {id, pieces[id].score};
  const TrainingModel model(pieces, TrainingModel::Use::kSums);
  Lattice lattice(model);
  for (const std::string word : {"a", "ab", "ababba", "bbbabaab"}) {
    std::vector<double> expected(pieces.size()), found(pieces.size());
    std::vector<std::uint32_t> way;
    double total = 0;
    add_all_ways(by_text, word, 0, way, total, expected);
    lattice.set_word(word);
    EXPECT_NEAR(lattice.add_expected(3, found), std::log(total), 1e-12);
    for (std::size_t id = 0; id < pieces.size(); ++id) EXPECT_NEAR(found[id], 3 * expected[id] / total, 1e-12);  // some rounding of sums of 1
  }
}

// Of a word that is too long for products, whose probability is below the smallest number.
TEST(Lattice, ExpectsEveryCharacterOfALongWordOnce) {
  const PieceList pieces = {{"", 0}, {"a", -1.5}, {"b", -2}, {"ab", -2.5}, {"aba", -4}};
  const TrainingModel model(pieces, TrainingModel::Use::kSums);
  Lattice lattice(model);
  std::string word;
  for (int i = 0; i < 500; ++i) word += i % 7 == 0 ? "abx" : "ab";
  std::vector<double> expected(pieces.size()), part(pieces.size());
  lattice.set_word(word);
  const double probability = lattice.add_expected(2, expected);
  EXPECT_LT(probability, -1000);
  double characters = 0;
  for (std::size_t id = 0; id < pieces.size(); ++id) characters += expected[id] * static_cast<double>(std::max<std::size_t>(1, pieces[id].piece.size()));
  EXPECT_NEAR(characters, 2.0 * static_cast<double>(word.size()), 1e-8);
  // x is only ever alone, so the parts between are independent, and each of them is short.
  double sum = 0;
  for (std::size_t begin = 0; begin < word.size();) {
    const std::size_t end = std::min(word.find('x', begin), word.size());
    lattice.set_word(std::string_view(word).substr(begin, end - begin));
    sum += lattice.add_expected(2, part);
    if (end < word.size()) {
      lattice.set_word("x");
      sum += lattice.add_expected(2, part);
    }
    begin = end + 1;
  }
  EXPECT_NEAR(sum, probability, 1e-8);
  for (std::size_t id = 0; id < pieces.size(); ++id) EXPECT_NEAR(expected[id], part[id], 1e-8);
}

TEST(Lattice, FindsTheBestWayWithAndWithoutTheWhole) {
  const PieceList pieces = {{"", 0}, {"a", -1}, {"b", -1}, {"ab", -1.5}, {"abx", -1}};
  const TrainingModel model(pieces, TrainingModel::Use::kSums);
  Lattice lattice(model);
  std::vector<std::uint32_t> path;
  lattice.set_word("abx");
  lattice.best_path(path);
  EXPECT_EQ(path, (std::vector<std::uint32_t>{4}));
  lattice.best_path(path, true);
  EXPECT_EQ(path, (std::vector<std::uint32_t>{0, 3})) << "from the last to the first, x is unknown";
}

// The library gives characters that lost their pieces to scores in the order of a hash map; all else must be equal, but for rounding.
TEST(UnigramTrainer, LearnsThePiecesOfTokenizers) {
  const Golden golden = read_golden();
  const UnigramVocabulary vocabulary = train(golden.words, golden.options);
  EXPECT_EQ(vocabulary.unk_id, golden.vocabulary.unk_id);
  const std::map<std::string, double> ours(vocabulary.pieces.begin(), vocabulary.pieces.end());
  const std::map<std::string, double> theirs(golden.vocabulary.pieces.begin(), golden.vocabulary.pieces.end());
  EXPECT_EQ(ours.size(), vocabulary.pieces.size());
  ASSERT_EQ(ours.size(), theirs.size());
  double score_min = 0;
  for (const auto& [piece, score] : theirs) score_min = std::min(score_min, score);
  const double added_max = score_min + 0.01;  // up to 100 characters, 0.0001 apart
  for (const auto& [piece, score] : theirs) {
    ASSERT_TRUE(ours.contains(piece)) << piece;
    EXPECT_NEAR(ours.at(piece), score, score < added_max ? 0.01 : 1e-9) << piece;
  }
}

TEST(UnigramTrainer, DependsOnTheCountsAlone) {
  Golden golden = read_golden();
  const UnigramVocabulary vocabulary = train(golden.words, golden.options);
  std::shuffle(golden.words.begin(), golden.words.end(), std::mt19937(1));
  const auto half = std::pair(golden.words[3].first, std::uint64_t{1});
  golden.words[3].second -= 1;
  golden.words.push_back(half);
  golden.words.emplace_back("", 7);
  EXPECT_EQ(train(golden.words, golden.options).pieces, vocabulary.pieces);
}

TEST(UnigramTrainer, GivesTheSamePiecesWhateverTheMemory) {
  const testing::TemporaryFolder folder;
  const Words words = random_words(30'000);
  UnigramTrainerOptions options;
  options.vocab_size = 600;
  options.seed_size = 4000;
  WordCounter tight = counter_of(words, {1, folder.path()});
  ASSERT_GT(tight.runs(), 1u);
  const UnigramVocabulary expected = train(words, options);
  EXPECT_EQ(expected.pieces.size(), 600u);
  EXPECT_EQ(train(std::move(tight), options).pieces, expected.pieces);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(UnigramTrainer, PutsSpecialTokensFirstAndKeepsEveryCharacter) {
  UnigramTrainerOptions options;
  options.vocab_size = 9;
  options.special_tokens = {"<s>", "a"};
  options.unk_token = "<unk>";
  options.initial_alphabet = {U'é', U'z'};
  const std::uint64_t many = std::uint64_t{1} << 40;
  const UnigramVocabulary vocabulary = train({{"abab", many}, {"abc", many}, {"cabab", 1}}, options);
  const std::vector<std::string> texts = texts_of(vocabulary);
  EXPECT_EQ((std::vector<std::string>(texts.begin(), texts.begin() + 3)), (std::vector<std::string>{"<unk>", "<s>", "a"}));
  EXPECT_EQ(vocabulary.unk_id, 0u);
  EXPECT_LE(texts.size(), 9u);
  for (const char* const character : {"b", "c", "é", "z"}) EXPECT_EQ(std::count(texts.begin(), texts.end(), character), 1) << character;
  EXPECT_EQ(std::count(texts.begin(), texts.end(), "a"), 1) << "it is a special token";
  for (std::size_t i = 3; i + 1 < texts.size(); ++i) EXPECT_GE(vocabulary.pieces[i].second, vocabulary.pieces[i + 1].second);
}

TEST(UnigramTrainer, RefusesWhatCannotBe) {
  const auto message = [](const Words& words, UnigramTrainerOptions options) { return message_of([&] { train(words, options); }); };
  UnigramTrainerOptions options;
  options.vocab_size = 4;
  options.special_tokens = {"<s>"};
  options.unk_token = "<unk>";
  EXPECT_EQ(message({{"abc", 1}}, options), "the text has 3 different characters, and 'vocab_size' has room for 2");
  options.vocab_size = 1;
  EXPECT_EQ(message({}, options), "'vocab_size' is 1, expected at least the 2 special tokens");
  options.special_tokens = {"x", "x"};
  EXPECT_EQ(message({}, options), "a special token is there twice");
  options = {};
  options.shrinking_factor = 1;
  EXPECT_EQ(message({}, options), "'shrinking_factor' is 1.000000, expected above 0 and below 1");
  options = {};
  options.n_sub_iterations = 0;
  EXPECT_EQ(message({}, options), "'n_sub_iterations' is 0, expected at least 1");
}

TEST(UnigramTrainer, GivesUpWhenInterrupted) {
  const Golden golden = read_golden();
  EXPECT_EQ(error_of([&] { train(golden.words, golden.options, [] { throw Error(Code::kCancelled, "stop"); }); }).first, Code::kCancelled);
}

TEST(UnigramTrainer, RefusesWordsThatAreNotUtf8) {
  UnigramTrainerOptions options;
  EXPECT_EQ(message_of([&] { train({{"a", 1}, {"b\xE6\x97", 3}}, options); }), "a word is not UTF-8 at byte 1");
  options.initial_alphabet = {0xD800};
  EXPECT_EQ(message_of([&] { train({{"a", 1}}, options); }), "a code point of 'initial_alphabet' is 55296");
}

TEST(SeedPieces, NeverReadOutsideOfWordsThatAreNotUtf8) {
  std::mt19937 random(9);
  for (int round = 0; round < 100; ++round) {
    Words words = {{"\xE6\x97", 3}, {"a\xFF\xE6\x97", 2}, {"\xA9\xA9", 1}, {std::string("a\0b", 3), 2}};
    for (unsigned i = 0; i < random() % 20; ++i) {
      std::string word;
      for (unsigned k = 0; k < random() % 12; ++k) word += "a\xE6\x97\xA9\xF0\xC3"[random() % 6];
      words.emplace_back(word, 1);
    }
    EXPECT_FALSE(seeds_of(words, 16, 1000).empty());
  }
}

}  // namespace
}  // namespace flowrun::tokenizers
