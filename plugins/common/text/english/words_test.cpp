#include "common/text/english/words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace flowrun::text {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> words_of(std::string_view text) {
  static const EnglishWords* const english = new EnglishWords;  // made once: 2,000 ranges and 1,343 exceptions
  WordList list;
  english->split(text, list);
  return {list.words.begin(), list.words.end()};
}

std::vector<std::string> sentences_of(std::string_view text) {
  static const EnglishWords* const english = new EnglishWords;
  const auto sentences = english->split_sentences(text);
  return {sentences.begin(), sentences.end()};
}

// Every expected list is what datatrove 0.10.1 with spaCy 3.8.18 answers to split_into_words(text) and split_into_sentences(text).

TEST(EnglishWords, CutsAtWhiteSpaceOfUnicode) {
  EXPECT_THAT(words_of("a  b\tc\n\nd\xC2\xA0" "e\xE3\x80\x80" "f\x1Cg"), ElementsAre("a", "b", "c", "d", "e", "f", "g"));
  EXPECT_THAT(words_of(""), IsEmpty());
  EXPECT_THAT(words_of(" \n\t "), IsEmpty());
}

TEST(EnglishWords, TakesPrefixesAndSuffixesOff) {
  EXPECT_THAT(words_of("(\"Hello,\" he said...)"), ElementsAre("(", "\"", "Hello", ",", "\"", "he", "said", "...", ")"));
  EXPECT_THAT(words_of("US$5 C$5 $5 5$ 5US$ +5 +a"), ElementsAre("US$", "5", "C$", "5", "$", "5", "5", "$", "5", "US$", "+5", "+", "a"));
  EXPECT_THAT(words_of("John's dog’s 5km 10km² 3GB 7% a% =x="), ElementsAre("John", "'s", "dog", "’s", "5", "km", "10", "km²", "3", "GB", "7", "%", "a%", "=", "x="));
  EXPECT_THAT(words_of("end. END. E. 20°C. x-. x²."), ElementsAre("end", ".", "END", ".", "E.", "20", "°", "C", ".", "x-", ".", "x²", "."));
  EXPECT_THAT(words_of("……wait……"), ElementsAre("…", "…", "wait", "……"));
}

TEST(EnglishWords, CutsAtInfixes) {
  EXPECT_THAT(words_of("well-known a--b a---b a----b x—y 3-4 3+4 3--4"),
              ElementsAre("well", "-", "known", "a", "--", "b", "a", "---", "b", "a----b", "x", "—", "y", "3", "-", "4", "3", "+", "4", "3", "-", "-4"));
  EXPECT_THAT(words_of("end.Start a,b 1,2 a/b x=y 1:a a:1"), ElementsAre("end", ".", "Start", "a", ",", "b", "1,2", "a", "/", "b", "x", "=", "y", "1", ":", "a", "a:1"));
  EXPECT_THAT(words_of("a...b x☃y"), ElementsAre("a", "...", "b", "x", "☃", "y"));
  EXPECT_THAT(words_of("中文,字 x-中"), ElementsAre("中文", ",", "字", "x", "-", "中"));
}

TEST(EnglishWords, KnowsExceptions) {
  EXPECT_THAT(words_of("don't can't it's U.S. a.m. I'm gonna"), ElementsAre("do", "n't", "ca", "n't", "it", "'s", "U.S.", "a.m.", "I", "'m", "gon", "na"));
  EXPECT_THAT(words_of("(don't) \"a.m.\" :-) 10am 10p.m."), ElementsAre("(", "do", "n't", ")", "\"", "a.m.", "\"", ":-)", "10", "am", "10", "p.m."));
  EXPECT_THAT(words_of("don't-go"), ElementsAre("don't", "-", "go"));
}

TEST(EnglishWords, JoinsWhatSpellsAnException) {
  EXPECT_THAT(words_of("vitamin-a. is"), ElementsAre("vitamin", "-", "a.", "is"));
  EXPECT_THAT(words_of("x-e.g.:"), ElementsAre("x", "-", "e.g.", ":"));
  EXPECT_THAT(words_of("a ."), ElementsAre("a", ".")) << "apart, they stay apart";
}

TEST(EnglishWords, KeepsUrlsWhole) {
  EXPECT_THAT(words_of("(see http://a-b.com/x-y?z=1,2)."), ElementsAre("(", "see", "http://a-b.com/x-y?z=1,2", ")", "."));
  EXPECT_THAT(words_of("me@a-b.org a-b.org:80 a-b.org:8 8.8.8.8/a-b 10.0.0.1/a-b a-b.Org"),
              ElementsAre("me@a-b.org", "a-b.org:80", "a", "-", "b.org:8", "8.8.8.8/a-b", "10.0.0.1", "/", "a", "-", "b", "a", "-", "b.", "Org"));
}

TEST(EnglishWords, TakesOutWhatBreaksSpacy) {
  EXPECT_THAT(words_of("(IS_ALPHA) xIS_ALPHA"), ElementsAre("(", ")", "x")) << "as datatrove does from the second such text on";
  EXPECT_THAT(words_of("xIS_ALPHA"), ElementsAre("xIS_ALPHA"));
}

TEST(EnglishWords, TakesLinearTime) {
  const auto start = std::chrono::steady_clock::now();
  std::string text;
  for (const char* part : {"=", "(", ")", ".", "-", "@", "a@", "1.", "x", "'", "\"a", "…"}) {
    for (int i = 0; i < 200'000; ++i) text += part;
    text += ' ';
  }
  EXPECT_GT(words_of(text).size(), 900'000u);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20)) << "a quadratic step over 200,000 characters takes minutes";
}

TEST(EnglishSentences, BeginBehindPunctuation) {
  EXPECT_THAT(sentences_of("One. Two!  Three?\" Four"), ElementsAre("One.", " Two!", "  Three?\"", " Four"));
  EXPECT_THAT(sentences_of("Dr. No. e.g. this (one.) Two"), ElementsAre("Dr. No.", " e.g. this (one.)", " Two"));
  EXPECT_THAT(sentences_of(""), SizeIs(1));
  EXPECT_THAT(sentences_of("no end"), SizeIs(1));
  EXPECT_THAT(sentences_of("字。字。"), SizeIs(1)) << "no white space, no words between";
}

}  // namespace
}  // namespace flowrun::text
