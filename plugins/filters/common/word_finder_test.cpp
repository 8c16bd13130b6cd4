#include "filters/common/word_finder.hpp"

#include <flowrun/error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

namespace flowrun::filters {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAreArray;

using Found = std::vector<std::pair<std::string, std::size_t>>;  // word, end

Found find_all(const std::vector<std::string>& words, std::string_view text) {
  Found found;
  const bool stopped = WordFinder(words).find(text, [&](std::uint32_t word, std::size_t end) {
    found.emplace_back(words[word], end);
    return false;
  });
  EXPECT_FALSE(stopped);
  return found;
}

TEST(WordFinder, FindsOverlappingWords) {
  EXPECT_THAT(find_all({"he", "she", "his", "hers"}, "ushers"), ElementsAre(Pair("she", 4), Pair("he", 4), Pair("hers", 6)));
  EXPECT_THAT(find_all({"a", "aa"}, "aaa"), ElementsAre(Pair("a", 1), Pair("aa", 2), Pair("a", 2), Pair("aa", 3), Pair("a", 3)));
  EXPECT_THAT(find_all({"abcd", "bc"}, "abce"), ElementsAre(Pair("bc", 3)));
}

TEST(WordFinder, FindsNothingInNothing) {
  EXPECT_THAT(find_all({}, "abc"), IsEmpty());
  EXPECT_THAT(find_all({"a"}, ""), IsEmpty());
}

TEST(WordFinder, StopsWhenToldTo) {
  int calls = 0;
  EXPECT_TRUE(WordFinder({"a"}).find("aaa", [&](std::uint32_t, std::size_t) { return ++calls == 2; }));
  EXPECT_EQ(calls, 2);
}

TEST(WordFinder, FindsWhatASearchForEachWordFinds) {
  std::mt19937 draw(3);
  const auto random_text = [&](std::size_t length, unsigned letters) {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) text += static_cast<char>("abc\xC3\xFF"[draw() % letters]);
    return text;
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> words;
    for (unsigned i = 0; i < 1 + draw() % 12; ++i) {
      std::string word = random_text(1 + draw() % 5, 5);
      if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(std::move(word));
    }
    const std::string text = random_text(draw() % 80, 2 + draw() % 4);
    Found expected;
    for (const std::string& word : words)
      for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) expected.emplace_back(word, at + word.size());
    EXPECT_THAT(find_all(words, text), UnorderedElementsAreArray(expected)) << round;
  }
}

TEST(WordFinder, RefusesAListThatWouldTakeTooMuch) {
  std::vector<std::string> words(256, std::string(1 << 14, 'x'));
  for (int i = 0; i < 256; ++i) words[static_cast<std::size_t>(i)][0] = static_cast<char>(i);
  EXPECT_THROW(WordFinder{words}, Error);
}

}  // namespace
}  // namespace flowrun::filters
