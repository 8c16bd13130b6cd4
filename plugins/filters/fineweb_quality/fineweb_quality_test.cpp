#include "fineweb_quality.hpp"

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
FineWebLimits all_off() {
  FineWebLimits limits;
  limits.line_punct_thr = 0;
  limits.short_line_thr = limits.char_duplicates_ratio = 1;
  limits.new_line_ratio = 1e9;
  return limits;
}

std::string check(const FineWebLimits& limits, std::string_view text, double* value = nullptr) {
  static const WordSplitter* const english = new WordSplitter("english");
  const auto verdict = FineWebQuality(limits).check(text, *english);
  if (verdict && value != nullptr) *value = verdict->value;
  return verdict ? verdict->reason : "kept";
}

TEST(FineWebQuality, DecidesAsDatatroveOnTheGoldenFile) {
  const WordSplitter english("english");
  const FineWebQuality rules{{}};
  std::map<std::string, int> counts;
  for (const auto& document : testing::read_golden_file(FLOWRUN_TEST_SOURCE_DIR "/testdata/golden.jsonl")) {
    const auto verdict = rules.check(document.text, english);
    EXPECT_EQ(verdict ? verdict->reason : std::string(), document.reason) << document.text;
    ++counts[document.reason];
  }
  EXPECT_THAT(counts, SizeIs(6)) << "every reason, and the kept ones";
}

TEST(FineWebQuality, LooksAtTheLastCharacterOfLines) {
  FineWebLimits limits = all_off();
  limits.line_punct_thr = 0.5;
  double value = 0;
  EXPECT_EQ(check(limits, "a.\n \n\nb"), "kept") << "half of the lines that are not blank";
  EXPECT_EQ(check(limits, "a。\nb\nc", &value), "line_punct_ratio");
  EXPECT_EQ(value, 1.0 / 3);
  EXPECT_EQ(check(limits, "a. \nb.\r\nc.", &value), "line_punct_ratio") << "white space behind it counts";
  EXPECT_EQ(check(limits, "a\"\nb'"), "line_punct_ratio") << "quotes end no line";
  limits.line_punct_exclude_zero = true;
  EXPECT_EQ(check(limits, "a\nb\nc"), "kept");
  limits.stop_chars = {"::", "b"};
  EXPECT_EQ(check(limits, "a::\nb"), "kept");
}

TEST(FineWebQuality, CountsShortLinesInCharacters) {
  FineWebLimits limits = all_off();
  limits.short_line_thr = 0.5;
  limits.short_line_length = 3;
  EXPECT_EQ(check(limits, "ééé\nabcd"), "kept");
  EXPECT_EQ(check(limits, "ééé\nabcd\nx"), "short_line_ratio");
}

TEST(FineWebQuality, ComparesLinesWithTheTextWithoutTheirEnds) {
  FineWebLimits limits = all_off();
  limits.char_duplicates_ratio = 0.25;
  double value = 0;
  EXPECT_EQ(check(limits, "ab\nab\n\n\ncdef"), "kept");
  EXPECT_EQ(check(limits, "éé\néé\ncde", &value), "char_dup_ratio");
  EXPECT_EQ(value, 2.0 / 7);
}

TEST(FineWebQuality, ComparesEndsOfLinesWithWords) {
  FineWebLimits limits = all_off();
  limits.new_line_ratio = 0.5;
  double value = 0;
  EXPECT_EQ(check(limits, "a b\nc"), "kept");
  EXPECT_EQ(check(limits, "a\nb\n", &value), "list_ratio");
  EXPECT_EQ(value, 1);
  EXPECT_EQ(check(limits, "(a)\n(b)\n"), "kept") << "two ends for six words, though only two chunks";
  EXPECT_EQ(check(limits, "x IS_ALPHA IS_ALPHA (IS_ALPHA)\n\n", &value), "list_ratio") << "three words are left of six";
  EXPECT_EQ(value, 2.0 / 3);
}

TEST(FineWebQuality, TakesTextWithoutLines) {
  EXPECT_EQ(check({}, ""), "empty");
  EXPECT_EQ(check({}, "\n \n\t"), "empty");
  EXPECT_EQ(check(all_off(), "IS_ALPHA"), "kept");
}

TEST(FineWebQualityNode, DropsWithValueAndThreshold) {
  Runner node(flowrun_plugin_v1, {{"line_punct_thr", 0.5}, {"short_line_thr", 1.0}});
  node.open({fields::documents()});
  auto out = node.process(documents_batch({{"a", "One line.", "", ""}, {"b", "No end", "", ""}}));
  EXPECT_THAT(document_rows(out[0]), SizeIs(1));
  ASSERT_THAT(node.drops(), SizeIs(1));
  EXPECT_EQ(node.drops()[0].reason, "line_punct_ratio");
  EXPECT_EQ(node.drops()[0].value, 0);
  EXPECT_EQ(node.drops()[0].threshold, 0.5);
  out.clear();
  EXPECT_THAT(node.close(), IsEmpty());
}

}  // namespace
}  // namespace flowrun::filters
