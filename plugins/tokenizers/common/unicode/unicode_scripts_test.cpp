#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "scripts.hpp"
#include "unicode_golden.hpp"

namespace flowrun::tokenizers {
namespace {

// The library tells classes apart but does not name them to Python: equal are partitions, and the class that is never cut off.
TEST(UnicodeScripts, ClassesEqualTokenizersForEveryCodePoint) {
  const auto classes = read_ranges("scripts.txt");
  ASSERT_EQ(classes.size(), detail::kScriptCount);
  std::set<ScriptClass> seen;
  std::vector<int> expected(kCodePoints, -1);
  for (const auto& [name, code_points] : classes) {
    const ScriptClass script = script_class(std::stoul(name, nullptr, 16));
    EXPECT_TRUE(seen.insert(script).second) << name << " has the class of another";
    for (char32_t c = 0; c < kCodePoints; ++c) {
      if (code_points[c]) expected[c] = script;
    }
  }
  for (char32_t c = 0; c < kCodePoints; ++c) {
    if (is_surrogate(c)) continue;
    ASSERT_EQ(script_class(c), expected[c]) << std::hex << static_cast<unsigned>(c);
  }
}

TEST(UnicodeScripts, TakesJapaneseForHanAndSpaceForAny) {
  const ScriptClass han = script_class(U'\u4EAC');
  for (const char32_t c : {U'\u3044', U'\u30B0', U'\u30FC', U'\u592A'}) EXPECT_EQ(script_class(c), han);
  EXPECT_EQ(script_class(U' '), kAnyScript);
  EXPECT_EQ(script_class(U'\u0378'), kAnyScript);
  EXPECT_EQ(script_class(U'0'), script_class(U'\u3002'));
  EXPECT_NE(script_class(U'0'), script_class(U'a'));
  EXPECT_EQ(script_class(0xFFFFFFFF), kAnyScript);
}

}  // namespace
}  // namespace flowrun::tokenizers
