#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "filters/common/golden_file.hpp"
#include "python_pattern.hpp"

namespace flowrun::filters {
namespace {

using flowrun::testing::documents_batch;
using flowrun::testing::Runner;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// Whether the filter drops the text.
bool drops(const std::string& pattern, const std::string& text, bool unicode = true) {
  Runner node(flowrun_plugin_v1, {{"pattern", pattern}, {"unicode", unicode}});
  node.open({fields::documents()});
  node.process(documents_batch({{"a", text, "", ""}}));
  return !node.drops().empty();
}

std::string refusal(const std::string& pattern) {
  try {
    Runner node(flowrun_plugin_v1, {{"pattern", pattern}});
    return "";
  } catch (const Error& error) {
    return error.message();
  }
}

// What Python 3.11's re.search says; patterns and texts by the thousand are compared by bench/peers/compare_filters.py.
TEST(RegexNode, DecidesAsDatatroveOnTheGoldenFile) {
  std::map<std::string, int> counts;
  for (const auto& document : testing::read_golden_file(FLOWRUN_TEST_SOURCE_DIR "/testdata/golden.jsonl")) {
    EXPECT_EQ(drops("(?i)[aeiou]{2}\\w{,3}\\.$", document.text) ? "regex" : "", document.reason) << document.text;
    ++counts[document.reason];
  }
  EXPECT_THAT(counts, SizeIs(2));
}

TEST(RegexNode, KnowsLettersAndDigitsOfEveryScript) {
  EXPECT_TRUE(drops("^\\w+$", "é中٣_"));
  EXPECT_FALSE(drops("^\\w+$", "é中", false));
  EXPECT_TRUE(drops("^\\d$", "٣"));
  EXPECT_FALSE(drops("\\D", "٣"));
  EXPECT_TRUE(drops("^[\\d-]+$", "٣-4"));
  EXPECT_TRUE(drops("^\\s$", "\xE3\x80\x80"));
  EXPECT_TRUE(drops("^\\s$", "\v", false)) << "RE2's own \\s has no vertical tab";
  EXPECT_FALSE(drops("\\S", " \xC2\xA0\x1C"));
  EXPECT_TRUE(drops("^[^\\s]$", "x"));
  EXPECT_TRUE(drops("\\W", "!"));
}

TEST(RegexNode, EndsWhereTextsEnd) {
  EXPECT_TRUE(drops("a$", "a\n"));
  EXPECT_FALSE(drops("a$", "a\n\n"));
  EXPECT_FALSE(drops("a$", "a\nb"));
  EXPECT_TRUE(drops("(?m)a$", "a\nb"));
  EXPECT_FALSE(drops("a\\Z", "a\n"));
  EXPECT_TRUE(drops("[$]", "$"));
}

TEST(RegexNode, ReadsPythonsSpellings) {
  EXPECT_TRUE(drops("^\\u00e9\\U0001F600$", "é😀"));
  EXPECT_TRUE(drops("^a{,2}$", "aa"));
  EXPECT_FALSE(drops("^a{,2}$", "aaa"));
  EXPECT_TRUE(drops("^[[:alpha:]]$", ":]")) << "a set of '[', ':' and letters, and a ']'";
  EXPECT_TRUE(drops("^[]a]+$", "]a"));
  EXPECT_TRUE(drops("\\bno\\b", "o no!", false));
}

TEST(RegexNode, RefusesWhatItCannotFind) {
  EXPECT_THAT(refusal("(?=a)"), HasSubstr("'pattern' is '(?=a)', which RE2 refuses: "));
  EXPECT_THAT(refusal("(a)\\1"), HasSubstr("RE2 refuses"));
  EXPECT_THAT(refusal("("), HasSubstr("RE2 refuses"));
  EXPECT_THAT(refusal("x\\bno"), HasSubstr("\\b and \\B at byte 1 know letters of ASCII alone in RE2: set unicode = false"));
  EXPECT_THAT(refusal("[\\W]"), HasSubstr("\\W inside [...] at byte 1"));
  EXPECT_THAT(refusal("\\"), HasSubstr("RE2 refuses"));
}

}  // namespace
}  // namespace flowrun::filters
