#include "common/text/python_lower.hpp"

#include <gtest/gtest.h>

namespace flowrun::text {
namespace {

// What Python 3.11 prints; every code point is compared by bench/peers/compare_filters.py check lower.
TEST(PythonLower, ChangesLettersOfAnyScript) {
  EXPECT_EQ(python_lower("Ab9 ÉÑ ПР ß ǅ Ⅷ \xE2\x84\xAA"), "ab9 éñ пр ß ǆ ⅷ k");
  EXPECT_EQ(python_lower("\xC4\xB0I"), "i\xCC\x87i") << "U+0130 is two code points then";
  EXPECT_EQ(python_lower(""), "");
}

TEST(PythonLower, EndsWordsWithAFinalSigma) {
  EXPECT_EQ(python_lower("ΟΔΟΣ ΣΑΣ"), "οδος σας");
  EXPECT_EQ(python_lower("ΑΣΑ Σ 1Σ"), "ασα σ 1σ");
  EXPECT_EQ(python_lower("Α.Σ ΑΣ'Α ΑΣ'"), "α.ς ασ'α ας'") << "a full stop or an apostrophe is looked past";
}

}  // namespace
}  // namespace flowrun::text
