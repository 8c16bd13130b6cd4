#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "properties.hpp"
#include "unicode_golden.hpp"

namespace flowrun::tokenizers {
namespace {

// What tokenizers 0.23.3 answers (make_unicode_golden.py), read once for all tests.
const std::map<std::string, CodePointSet>& golden() {
  static const auto sets = read_ranges("properties.txt");
  return sets;
}

// Counts the scalar values where `has` and the golden set `name` differ, and shows the first few.
void expect_equal(const std::string& name, const std::function<bool(char32_t)>& has) {
  const CodePointSet& expected = golden().at(name);
  int differences = 0;
  for (char32_t c = 0; c < kCodePoints; ++c) {
    if (is_surrogate(c) || has(c) == expected[c]) continue;
    if (++differences <= 5) ADD_FAILURE() << name << " differs at U+" << std::hex << static_cast<unsigned>(c);
  }
  EXPECT_EQ(differences, 0) << name;
}

TEST(UnicodeProperties, GeneralCategoryEqualsOnigForEveryCodePoint) {
  const std::vector<std::string> names = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe",
                                          "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn"};
  int differences = 0;
  for (char32_t c = 0; c < kCodePoints; ++c) {
    const std::string& name = names.at(static_cast<std::size_t>(general_category(c)));
    const bool equal = is_surrogate(c) ? name == "Cs" : golden().at(name)[c];
    if (!equal && ++differences <= 5) ADD_FAILURE() << name << " is wrong for U+" << std::hex << static_cast<unsigned>(c);
  }
  EXPECT_EQ(differences, 0);
}

CodePointSet united(const std::vector<std::string>& names) {
  CodePointSet all(kCodePoints);
  for (const std::string& name : names) std::transform(all.begin(), all.end(), golden().at(name).begin(), all.begin(), std::logical_or<>());
  return all;
}

TEST(UnicodeProperties, MajorClassesAreThoseOfTheirCategories) {
  const CodePointSet letters = united({"Lu", "Ll", "Lt", "Lm", "Lo"}), marks = united({"Mn", "Mc", "Me"}), numbers = united({"Nd", "Nl", "No"});
  for (char32_t c = 0; c < kCodePoints; ++c) {
    ASSERT_EQ(is_letter(c), letters[c]);
    ASSERT_EQ(is_mark(c), marks[c]);
    ASSERT_EQ(is_number(c), numbers[c]);
  }
}

TEST(UnicodeProperties, EqualTokenizersForEveryCodePoint) {
  expect_equal("white_space", is_white_space);
  expect_equal("onig_white_space", is_white_space);
  expect_equal("word", is_word);
  expect_equal("word_onig", is_word_onig);
  expect_equal("word_onig_in_brackets", is_word_onig_in_brackets);
  expect_equal("numeric", is_numeric);
  expect_equal("punctuation_bert", is_punctuation_bert);
  expect_equal("control_bert", is_control_bert);
  expect_equal("chinese_bert", is_chinese_bert);
  expect_equal("combining_mark", is_combining_mark);
  const CodePointSet& decomposes = golden().at("changed_by_nfd");
  // The golden set leaves out what NFD takes apart before the mark can be seen.
  expect_equal("nonspacing_mark_bert", [&](char32_t c) { return !decomposes[c] && is_nonspacing_mark_bert(c); });
}

TEST(UnicodeProperties, NmtEqualsTokenizersForEveryCodePoint) {
  expect_equal("removed_by_nmt", is_removed_by_nmt);
  expect_equal("space_of_nmt", [](char32_t c) { return mapped_by_nmt(c) == U' '; });
  EXPECT_EQ(mapped_by_nmt(U'x'), U'x');
}

TEST(UnicodeProperties, LowerCaseEqualsTokenizersForEveryCodePoint) {
  std::ifstream file(FLOWRUN_TEST_SOURCE_DIR "/testdata/lower_case.txt");
  std::map<char32_t, std::vector<char32_t>> expected;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    unsigned from = 0, to = 0;
    words >> std::hex >> from;
    while (words >> to) expected[from].push_back(to);
  }
  ASSERT_EQ(expected.size(), 1488u);
  for (char32_t c = 0; c < kCodePoints; ++c) {
    if (is_surrogate(c)) continue;
    const LowerCase lower = to_lowercase(c);
    const auto found = expected.find(c);
    const std::vector<char32_t> want = found != expected.end() ? found->second : std::vector<char32_t>{c};
    ASSERT_EQ(std::vector<char32_t>(lower.begin(), lower.end()), want) << std::hex << static_cast<unsigned>(c);
  }
}

TEST(UnicodeProperties, BeyondUnicodeNothingIsAssigned) {
  for (const char32_t c : {char32_t{0x110000}, char32_t{0x7FFFFFFF}, char32_t{0xFFFFFFFF}}) {
    EXPECT_EQ(general_category(c), GeneralCategory::kCn);
    EXPECT_FALSE(is_white_space(c) || is_word(c) || is_numeric(c) || is_punctuation_bert(c) || is_control_bert(c) || is_combining_mark(c));
    EXPECT_EQ(to_lowercase(c).code_points[0], c);
  }
}

}  // namespace
}  // namespace flowrun::tokenizers
