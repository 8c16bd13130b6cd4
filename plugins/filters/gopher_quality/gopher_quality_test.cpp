#include "gopher_quality.hpp"

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
using flowrun::testing::Parameters;
using flowrun::testing::Runner;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Only the rules that a test sets are on.
GopherLimits all_off() {
  GopherLimits limits;
  limits.min_doc_words = limits.max_doc_words = limits.min_stop_words = 0;
  limits.min_avg_word_length = limits.max_avg_word_length = 0;
  limits.max_symbol_word_ratio = limits.max_bullet_lines_ratio = limits.max_ellipsis_lines_ratio = limits.max_non_alpha_words_ratio = 0;
  return limits;
}

struct Decision {
  std::string reason;
  double value = 0, threshold = 0;
  bool operator==(const Decision&) const = default;
};

Decision check(const GopherLimits& limits, std::string_view text, const char* words = "whitespace") {
  WordList list;
  WordSplitter(words).split(text, list);
  const auto verdict = GopherQuality(limits).check(text, list.words);
  return verdict ? Decision{verdict->reason, verdict->value, verdict->threshold} : Decision{"kept"};
}

void PrintTo(const Decision& decision, std::ostream* out) { *out << decision.reason << " " << decision.value << " of " << decision.threshold; }

const Decision kKept{"kept"};

TEST(GopherQuality, DecidesAsDatatroveOnTheGoldenFile) {
  std::map<std::string, int> counts;
  const WordSplitter splitter("english");
  const GopherQuality rules{{}};
  for (const auto& document : testing::read_golden_file(FLOWRUN_TEST_SOURCE_DIR "/testdata/golden.jsonl")) {
    WordList words;
    splitter.split(document.text, words);
    const auto verdict = rules.check(document.text, words.words);
    EXPECT_EQ(verdict ? verdict->reason : std::string(), document.reason) << document.text;
    ++counts[document.reason];
  }
  EXPECT_THAT(counts, SizeIs(10)) << "nine reasons and the kept ones; no document is long enough for gopher_long_doc";
}

TEST(GopherQuality, TakesWordsAsTheyAreCut) {
  GopherLimits limits = all_off();
  limits.min_doc_words = 4;
  EXPECT_EQ(check(limits, "well-known, (don't)", "whitespace"), (Decision{"gopher_short_doc", 2, 4}));
  EXPECT_EQ(check(limits, "well-known, (don't)", "english"), kKept) << "well - known , ( do n't )";
}

TEST(GopherQuality, CountsWordsThatAreNotAllPunctuation) {
  GopherLimits limits = all_off();
  limits.min_doc_words = 3;
  EXPECT_EQ(check(limits, "one -- ... two"), (Decision{"gopher_short_doc", 2, 3}));
  EXPECT_EQ(check(limits, "one two\u3000three"), kKept);
  limits.min_doc_words = 0;
  limits.max_doc_words = 2;
  EXPECT_EQ(check(limits, "one two three"), (Decision{"gopher_long_doc", 3, 2}));
  EXPECT_EQ(check(limits, "one -- two"), kKept);
}

TEST(GopherQuality, MeasuresWordsInCharacters) {
  GopherLimits limits = all_off();
  limits.min_avg_word_length = 3;
  EXPECT_EQ(check(limits, "éé éééé"), kKept);
  EXPECT_EQ(check(limits, "éé ééé --------"), (Decision{"gopher_below_avg_threshold", 2.5, 3}));
  limits.max_avg_word_length = 4;
  EXPECT_EQ(check(limits, "abcde abcd"), (Decision{"gopher_above_avg_threshold", 4.5, 4}));
}

TEST(GopherQuality, ComparesSymbolsWithAllWords) {
  GopherLimits limits = all_off();
  limits.max_symbol_word_ratio = 0.5;
  EXPECT_EQ(check(limits, "#a b"), kKept) << "a ratio on the threshold is kept";
  EXPECT_EQ(check(limits, "##a b"), (Decision{"gopher_too_many_hashes", 1, 0.5}));
  EXPECT_EQ(check(limits, "a... b…"), (Decision{"gopher_too_many_ellipsis", 1, 0.5}));
  EXPECT_EQ(check(limits, "a..... b"), kKept);
}

TEST(GopherQuality, LooksAtBothEndsOfLines) {
  GopherLimits limits = all_off();
  limits.max_bullet_lines_ratio = 0.5;
  limits.max_ellipsis_lines_ratio = 0.5;
  EXPECT_EQ(check(limits, "- a\n b\n"), kKept);
  EXPECT_EQ(check(limits, "- a\n\t• b\nc"), (Decision{"gopher_too_many_bullets", 2.0 / 3, 0.5}));
  EXPECT_EQ(check(limits, "a...\nb…  \nc"), (Decision{"gopher_too_many_end_ellipsis", 2.0 / 3, 0.5}));
}

TEST(GopherQuality, WantsLettersAndStopWords) {
  GopherLimits limits = all_off();
  limits.max_non_alpha_words_ratio = 0.75;
  EXPECT_EQ(check(limits, "a1 b c 2"), kKept);
  EXPECT_EQ(check(limits, "a 1 2 b"), (Decision{"gopher_below_alpha_threshold", 0.5, 0.75}));
  limits.min_stop_words = 2;
  EXPECT_EQ(check(limits, "the the The"), (Decision{"gopher_enough_stop_words", 1, 2}));
  EXPECT_EQ(check(limits, "of the"), kKept);
  limits.stop_words = {"le", "le", "la"};
  EXPECT_EQ(check(limits, "le of"), (Decision{"gopher_enough_stop_words", 1, 2}));
}

TEST(GopherQuality, AppliesRulesInDatatrovesOrder) {
  GopherLimits limits;
  limits.min_doc_words = 2;
  EXPECT_EQ(check(limits, "#").reason, "gopher_short_doc");
  EXPECT_EQ(check(limits, "#a #b").reason, "gopher_below_avg_threshold");
  EXPECT_EQ(check(limits, "- ###...abc ###...def").reason, "gopher_too_many_hashes");
}

TEST(GopherQuality, TakesTextWithoutWords) {
  EXPECT_EQ(check({}, "").reason, "gopher_short_doc");
  EXPECT_EQ(check(all_off(), ""), kKept);
  GopherLimits limits;
  limits.min_doc_words = 0;
  EXPECT_EQ(check(limits, " \n ").reason, "gopher_below_alpha_threshold");
}

TEST(GopherQualityNode, DropsWithValueAndThreshold) {
  Runner node(flowrun_plugin_v1, {{"words", "whitespace"}, {"min_doc_words", 3}, {"min_stop_words", 1}, {"stop_words", std::vector<std::string>{"und"}}});
  node.open({fields::documents()});
  auto out = node.process(documents_batch({{"a", "hund und katze", "", ""}, {"b", "hund und", "", ""}, {"c", "dog and cat", "", ""}}));
  ASSERT_THAT(document_rows(out[0]), SizeIs(1));
  ASSERT_THAT(node.drops(), SizeIs(2));
  EXPECT_EQ(node.drops()[0].reason, "gopher_short_doc");
  EXPECT_EQ(node.drops()[0].value, 2);
  EXPECT_EQ(node.drops()[0].threshold, 3);
  EXPECT_EQ(node.drops()[1].reason, "gopher_enough_stop_words");
  out.clear();
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(GopherQualityNode, HasEnglishWordsUnlessToldOtherwise) {
  const auto kept = [](Parameters parameters) {
    Runner node(flowrun_plugin_v1, parameters);
    node.open({fields::documents()});
    return document_rows(node.process(documents_batch({{"a", "the well-known (don't) of", "", ""}}))[0]).size();
  };
  EXPECT_EQ(kept({{"min_doc_words", 6}, {"min_avg_word_length", 0}, {"max_non_alpha_words_ratio", 0.1}}), 1u) << "the well known do n't of, beside punctuation";
  EXPECT_EQ(kept({{"min_doc_words", 6}, {"min_avg_word_length", 0}, {"max_non_alpha_words_ratio", 0.1}, {"words", "whitespace"}}), 0u);
}

TEST(GopherQualityNode, ScoresInsteadOfDropping) {
  Runner node(flowrun_plugin_v1, {{"mode", "score"}, {"words", "whitespace"}, {"min_doc_words", 3}, {"min_stop_words", 0}});
  node.open({fields::documents()});
  auto out = node.process(flowrun::testing::slice(documents_batch({{"x", "", "", ""}, {"a", "hund und katze", "", ""}, {"b", "hund und", "", ""}}), 1, 2));
  ASSERT_THAT(document_rows(out[0]), SizeIs(2)) << "a batch may begin behind its buffers' start";
  EXPECT_THAT(node.drops(), IsEmpty());
  const Field& schema = out[0].schema;
  const ArrowArray& batch = out[0].array.get();
  const ArrowArray& keep = *batch.children[schema.find("gopher_quality.keep")];
  EXPECT_TRUE(flowrun::detail::bit(keep.buffers[1], keep.offset));
  EXPECT_FALSE(flowrun::detail::bit(keep.buffers[1], keep.offset + 1));
  const StringColumn reasons = BatchView(batch, schema).strings("gopher_quality.reason");
  EXPECT_EQ(reasons[0], "");
  EXPECT_EQ(reasons[1], "gopher_short_doc");
  out.clear();
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(GopherQualityNode, ScoresOnlyOnce) {
  Runner node(flowrun_plugin_v1, {{"mode", "score"}});
  auto schema = fields::documents();
  schema.children.push_back(fields::utf8("gopher_quality.reason"));
  try {
    node.open({schema});
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("the input has a column 'gopher_quality.reason' already"));
  }
}

}  // namespace
}  // namespace flowrun::filters
