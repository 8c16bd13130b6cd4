#include "gopher_repetition.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "filters/common/golden_file.hpp"
#include "filters/common/word_splitter.hpp"

namespace flowrun::filters {
namespace {

using flowrun::testing::document_rows;
using flowrun::testing::documents_batch;
using flowrun::testing::Runner;
using flowrun::testing::Value;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Only the rules that a test sets are on.
RepetitionLimits all_off() { return {0, 0, 0, 0, {}, {}}; }

std::string check(const RepetitionLimits& limits, std::string_view text, double* value = nullptr) {
  const GopherRepetition rules(limits);
  auto verdict = rules.check_lines(text);
  if (!verdict) {
    WordList words;
    WordSplitter("whitespace").split(text, words);
    verdict = rules.check_n_grams(text, words.words);
  }
  if (verdict && value != nullptr) *value = verdict->value;
  return verdict ? verdict->reason : "kept";
}

TEST(GopherRepetition, DecidesAsDatatroveOnTheGoldenFile) {
  const WordSplitter splitter("english");
  const GopherRepetition rules{{}};
  std::map<std::string, int> counts;
  for (const auto& document : testing::read_golden_file(FLOWRUN_TEST_SOURCE_DIR "/testdata/golden.jsonl")) {
    auto verdict = rules.check_lines(document.text);
    if (!verdict) {
      WordList words;
      splitter.split(document.text, words);
      verdict = rules.check_n_grams(document.text, words.words);
    }
    EXPECT_EQ(verdict ? verdict->reason : std::string(), document.reason) << document.text;
    ++counts[document.reason];
  }
  EXPECT_THAT(counts, SizeIs(::testing::Ge(12))) << "nearly every reason, and the kept ones";
}

TEST(GopherRepetition, ComparesParagraphsOfTheStrippedText) {
  RepetitionLimits limits = all_off();
  limits.dup_para_frac = 0.5;
  EXPECT_EQ(check(limits, "\n\na\n\na\n\n\n\nb\n\nb\n\n"), "kept") << "half of them is allowed";
  double value = 0;
  EXPECT_EQ(check(limits, "a\n\na\n\na\n\nb", &value), "kept");
  EXPECT_EQ(check(limits, "a\n\na\n\na", &value), "dup_para_frac");
  EXPECT_EQ(value, 2.0 / 3);
  limits = all_off();
  limits.dup_para_char_frac = 0.25;
  EXPECT_EQ(check(limits, "éé\n\néé\n\nxx"), "kept") << "2 of 10 characters";
  EXPECT_EQ(check(limits, "ééé\n\nééé\n\nx", &value), "dup_para_char_frac");
  EXPECT_EQ(value, 3.0 / 11);
}

TEST(GopherRepetition, ComparesLinesOfTheWholeText) {
  RepetitionLimits limits = all_off();
  limits.dup_line_frac = 0.3;
  double value = 0;
  EXPECT_EQ(check(limits, "\na\n\nb\n", &value), "kept") << "the text before the first end of line and after the last are two equal lines of four";
  EXPECT_EQ(check(limits, "\na\n", &value), "dup_line_frac");
  EXPECT_EQ(value, 1.0 / 3);
  limits = all_off();
  limits.dup_line_char_frac = 0.25;
  EXPECT_EQ(check(limits, "ab\nab\ncdef", &value), "kept");
  EXPECT_EQ(check(limits, "ab\nab\nc", &value), "dup_line_char_frac");
}

TEST(GopherRepetition, TakesTheFirstOfTheMostFrequentNGrams) {
  RepetitionLimits limits = all_off();
  limits.top_n_grams = {{2, 0.5}};
  double value = 0;
  EXPECT_EQ(check(limits, "a b c a b d", &value), "top_2_gram");
  EXPECT_EQ(value, 6.0 / 11) << "\"a b\" twice";
  EXPECT_EQ(check(limits, "a bb ccccccccc", &value), "kept") << "every 2-gram is there once, and the first is not the longest";
  EXPECT_EQ(check(limits, "aaaaaa b c", &value), "top_2_gram") << "once is enough where the text is short";
  EXPECT_EQ(check(limits, "a", &value), "kept");
}

TEST(GopherRepetition, CountsRepeatedNGramsFromLeftToRight) {
  RepetitionLimits limits = all_off();
  limits.dup_n_grams = {{2, 0.3}};
  double value = 0;
  EXPECT_EQ(check(limits, "a b a b a b", &value), "duplicated_2_n_grams");
  EXPECT_EQ(value, 4.0 / 11) << "two more times \"ab\": behind a repeated one the search goes on after it";
  EXPECT_EQ(check(limits, "ab c a bc", &value), "duplicated_2_n_grams") << "equal when joined, as in datatrove";
  EXPECT_EQ(value, 3.0 / 9);
  EXPECT_EQ(check(limits, "ab c ab d e f", &value), "kept");
}

TEST(GopherRepetition, AppliesRulesFromTheSmallestNUp) {
  RepetitionLimits limits = all_off();
  limits.top_n_grams = {{4, 0.1}, {3, 0.1}};
  limits.dup_n_grams = {{10, 0.1}, {5, 0.1}};
  EXPECT_EQ(check(limits, "a b c d e a b c d e a b c d e"), "top_3_gram");
  limits.top_n_grams = {};
  EXPECT_EQ(check(limits, "a b c d e a b c d e a b c d e"), "duplicated_5_n_grams");
}

TEST(GopherRepetition, TakesTextWithoutWords) {
  EXPECT_EQ(check({}, ""), "empty");
  EXPECT_EQ(check(all_off(), " \n "), "kept");
}

TEST(GopherRepetitionNode, ReadsItsRules) {
  Runner node(flowrun_plugin_v1, {{"dup_line_frac", 0.0}, {"top_n_grams", Value::Table{}}, {"dup_n_grams", Value::Table{{"3", 0.2}}}});
  node.open({fields::documents()});
  auto out = node.process(documents_batch({{"a", "one two three\none two three", "", ""}, {"b", "one two three four five", "", ""}}));
  EXPECT_THAT(document_rows(out[0]), SizeIs(1));
  ASSERT_THAT(node.drops(), SizeIs(1));
  EXPECT_EQ(node.drops()[0].id, "a");
  EXPECT_EQ(node.drops()[0].reason, "dup_line_char_frac");
  out.clear();
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(GopherRepetitionNode, RefusesNGramsThatAreNone) {
  const auto message = [](Value::Table table) {
    try {
      Runner(flowrun_plugin_v1, {{"dup_n_grams", std::move(table)}});
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(message({{"five", 0.1}}), HasSubstr("'dup_n_grams' has the key 'five', expected a number of words from 1 to 1000"));
  EXPECT_THAT(message({{"0", 0.1}}), HasSubstr("has the key '0'"));
  EXPECT_THAT(message({{"5", -0.1}}), HasSubstr("expected at least 0"));
}

}  // namespace
}  // namespace flowrun::filters
