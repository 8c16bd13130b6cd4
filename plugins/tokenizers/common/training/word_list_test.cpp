#include "word_list.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include <flowrun/testing.hpp>

namespace flowrun::tokenizers {
namespace {

using Counts = std::vector<std::pair<std::string, std::uint64_t>>;

Counts counts_of(const WordList& list) {
  Counts counts;
  for (const auto [word, count] : list) counts.emplace_back(word, count);
  return counts;
}

TEST(WordList, KeepsWordsInTheirOrder) {
  WordList list = {{"b", 2}, {"", 7}, {std::string_view("a\0", 2), 1}, {"b", 3}};
  list.add("long enough for a second look", std::uint64_t{1} << 40);
  EXPECT_EQ(counts_of(list), (Counts{{"b", 2}, {std::string("a\0", 2), 1}, {"b", 3}, {"long enough for a second look", std::uint64_t{1} << 40}}));
  EXPECT_EQ(list.text(), std::string("b\0a\0\0b\0long enough for a second look\0", 37));
  EXPECT_TRUE(WordList().empty());
  EXPECT_EQ(counts_of(WordList()), Counts());
}

TEST(WordList, TakesTheWordsOfACounterWhateverItsMemory) {
  const testing::TemporaryFolder folder;
  for (const std::size_t memory_bytes : {std::size_t{1}, std::size_t{256} << 20}) {
    WordCounter counter({memory_bytes, folder.path()});
    std::mt19937 random(2);
    std::map<std::string, std::uint64_t> expected;
    for (int i = 0; i < 100'000; ++i) {
      std::string word(1 + random() % 25, 'a');
      for (char& c : word) c = static_cast<char>('a' + random() % 20);
      ++expected[word];
      counter.add(word);
    }
    EXPECT_EQ(counter.runs() > 0, memory_bytes == 1);
    EXPECT_EQ(counts_of(take_words(counter, folder.path())), Counts(expected.begin(), expected.end()));
    // It is as new.
    EXPECT_EQ(counter.runs(), 0u);
    EXPECT_EQ(counter.words(), 0u);
    EXPECT_LT(counter.memory_bytes(), std::size_t{1} << 20);
    counter.add("again", 3);
    EXPECT_EQ(counts_of(take_words(counter, folder.path())), (Counts{{"again", 3}}));
  }
}

}  // namespace
}  // namespace flowrun::tokenizers
