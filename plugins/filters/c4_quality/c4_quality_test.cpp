#include "c4_quality.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "filters/common/golden_file.hpp"

namespace flowrun::filters {
namespace {

using flowrun::testing::document_rows;
using flowrun::testing::documents_batch;
using flowrun::testing::Runner;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Only the rules that a test sets are on.
C4Rules all_off() {
  C4Rules rules;
  rules.remove_citations = rules.filter_no_terminal_punct = false;
  rules.min_num_sentences = rules.min_words_per_line = rules.max_word_length = -1;
  rules.filter_lorem_ipsum = rules.filter_javascript = rules.filter_curly_bracket = rules.filter_policy = false;
  return rules;
}

/// The text that stays, or the reason in brackets.
std::string rewrite(const C4Rules& rules, std::string_view text) {
  const auto result = C4Quality(rules).rewrite(text);
  return result.verdict ? "(" + std::string(result.verdict->reason) + ")" : result.text;
}

TEST(C4Quality, DecidesAndRewritesAsDatatroveOnTheGoldenFile) {
  const C4Quality rules{{}};
  std::map<std::string, int> counts;
  int changed = 0;
  for (const auto& document : testing::read_golden_file(FLOWRUN_TEST_SOURCE_DIR "/testdata/golden.jsonl")) {
    const auto result = rules.rewrite(document.text);
    EXPECT_EQ(result.verdict ? result.verdict->reason : std::string(), document.reason) << document.text;
    EXPECT_EQ(result.text, document.reason.empty() ? document.after : std::string());
    ++counts[document.reason];
    changed += document.after != document.text;
  }
  EXPECT_THAT(counts, SizeIs(4)) << "every reason, and the kept ones";
  EXPECT_GT(changed, 2);
}

TEST(C4Quality, JoinsStrippedLines) {
  EXPECT_EQ(rewrite(all_off(), " \n\xE3\x80\x80" "a b \r\n\n c"), "a b\n\nc");
  EXPECT_EQ(rewrite(all_off(), "a\xC2\x85" "b"), "a\nb");
  EXPECT_EQ(rewrite(all_off(), ""), "");
}

TEST(C4Quality, LeavesOutLinesByTheirEnd) {
  C4Rules rules = all_off();
  rules.filter_no_terminal_punct = true;
  EXPECT_EQ(rewrite(rules, "a.\nb?\nc!\nd\"\ne'\nf\ng...\nh…\ni;"), "a.\nb?\nc!\nd\"\ne'");
}

TEST(C4Quality, LeavesOutLinesByTheirWords) {
  C4Rules rules = all_off();
  rules.min_words_per_line = 3;
  EXPECT_EQ(rewrite(rules, "a b\na b c"), "a b c");
  rules = all_off();
  rules.max_word_length = 4;
  EXPECT_EQ(rewrite(rules, "éééé x\nééééé x"), "éééé x");
}

TEST(C4Quality, TakesCitationsOutBeforeTheEndIsLookedAt) {
  C4Rules rules = all_off();
  rules.remove_citations = true;
  EXPECT_EQ(rewrite(rules, "a[1]b[]c[edit]d[citation needed]e[1a]f[[2]]g[\xD9\xA1]h["), "abcde[1a]f[]gh[");
  rules.filter_no_terminal_punct = true;
  rules.min_words_per_line = 3;
  EXPECT_EQ(rewrite(rules, "Yes. [1] [2]"), "") << "three words, but what is left ends with a space";
  EXPECT_EQ(rewrite(rules, "Yes it is.[1]"), "Yes it is.");
}

TEST(C4Quality, FindsPhrasesInAnyCase) {
  C4Rules rules = all_off();
  rules.filter_javascript = rules.filter_policy = true;
  EXPECT_EQ(rewrite(rules, "no JavaScript\nyes\nTerms Of Use\nuse coo\xE2\x84\xAA" "ies\nuse  cookies"), "yes\nuse  cookies") << "U+212A is k in lower case";
  rules.filter_lorem_ipsum = rules.filter_curly_bracket = true;
  EXPECT_EQ(rewrite(rules, "a\nLorem Ipsum"), "(lorem_ipsum)");
  EXPECT_EQ(rewrite(rules, "a\n{b"), "(curly_bracket)");
  EXPECT_EQ(rewrite(rules, "javascript {"), "") << "a line that is left out drops nothing";
}

TEST(C4Quality, CountsSentencesOfTheLinesThatStay) {
  C4Rules rules = all_off();
  rules.min_num_sentences = 4;
  EXPECT_EQ(rewrite(rules, "One. Two.\nThree. Four."), "One. Two.\nThree. Four.");
  const auto result = C4Quality(rules).rewrite("One. Two.\nThree.");
  ASSERT_TRUE(result.verdict.has_value());
  EXPECT_STREQ(result.verdict->reason, "too_few_sentences");
  EXPECT_EQ(result.verdict->value, 3);
  EXPECT_EQ(result.verdict->threshold, 4);
}

TEST(C4Quality, TakesSentencesForLines) {
  C4Rules rules = all_off();
  rules.split_paragraph = false;
  rules.filter_javascript = true;
  rules.min_num_sentences = 2;
  EXPECT_EQ(rewrite(rules, "One is\nhere. No JavaScript. Two."), "One is\nhere. Two.");
  EXPECT_EQ(rewrite(rules, "One is here. No JavaScript."), "(too_few_sentences)");
}

TEST(C4QualityNode, GivesTheTextThatStays) {
  const auto batch = [] { return documents_batch({{"a", "One two three.\nno end", "d", "s"}, {"b", "x", "d", "s"}, {"c", "One two three.", "d", "s"}}); };
  Runner node(flowrun_plugin_v1, {{"min_num_sentences", 1}});
  node.open({fields::documents()});
  auto out = node.process(batch());
  EXPECT_THAT(document_rows(out[0]), ::testing::ElementsAre(flowrun::testing::Document{"a", "One two three.", "d", "s"}, flowrun::testing::Document{"c", "One two three.", "d", "s"}));
  ASSERT_THAT(node.drops(), SizeIs(1));
  EXPECT_EQ(node.drops()[0].reason, "too_few_sentences");
  out.clear();
  EXPECT_THAT(node.close(), IsEmpty());

  Runner scoring(flowrun_plugin_v1, {{"min_num_sentences", 1}, {"mode", "score"}});
  scoring.open({fields::documents()});
  EXPECT_EQ(document_rows(scoring.process(batch())[0])[0].text, "One two three.\nno end") << "scores change no text";
}

}  // namespace
}  // namespace flowrun::filters
