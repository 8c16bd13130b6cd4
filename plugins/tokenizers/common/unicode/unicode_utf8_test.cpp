#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "unicode_golden.hpp"
#include "utf8.hpp"

namespace flowrun::tokenizers {
namespace {

std::vector<char32_t> decoded(std::string_view text) {
  std::vector<char32_t> code_points;
  for (std::size_t begin = 0; begin < text.size();) {
    const Utf8Character c = decode_utf8(text, begin);
    code_points.push_back(c.code_point);
    begin += c.bytes;
  }
  return code_points;
}

TEST(UnicodeUtf8, GivesBackEveryScalarValue) {
  std::string text;
  std::vector<char32_t> expected;
  for (char32_t c = 0; c < kCodePoints; ++c) {
    if (is_surrogate(c)) continue;
    const std::size_t before = text.size();
    append_utf8(c, text);
    ASSERT_EQ(text.size() - before, utf8_bytes(c));
    ASSERT_EQ(text.size() - before, utf8_bytes(text, before));
    expected.push_back(c);
  }
  EXPECT_EQ(decoded(text), expected);
  EXPECT_EQ(count_code_points(text), expected.size());
  EXPECT_EQ(find_malformed_utf8(text), std::string::npos) << "U+FFFD itself is a character";
}

TEST(UnicodeUtf8, FindsTheFirstByteThatIsNoText) {
  EXPECT_EQ(find_malformed_utf8(""), std::string::npos);
  EXPECT_EQ(find_malformed_utf8("\xFF"), 0u);
  EXPECT_EQ(find_malformed_utf8("ab\xC3"), 2u);
  EXPECT_EQ(find_malformed_utf8("\xC3\xA4\xED\xA0\x80"), 2u);
  EXPECT_EQ(utf8_bytes("\xF0\x9F", 0), 2u) << "no more than there are";
}

TEST(UnicodeUtf8, TakesMalformedBytesOneByOne) {
  using CodePoints = std::vector<char32_t>;
  EXPECT_EQ(decoded("\xFF" "a"), (CodePoints{0xFFFD, U'a'}));
  EXPECT_EQ(decoded("\xC0\x80"), (CodePoints{0xFFFD, 0xFFFD}));                      // overlong
  EXPECT_EQ(decoded("\xE0\x9F\xBF"), (CodePoints{0xFFFD, 0xFFFD, 0xFFFD}));          // overlong
  EXPECT_EQ(decoded("\xED\xA0\x80"), (CodePoints{0xFFFD, 0xFFFD, 0xFFFD}));          // a surrogate
  EXPECT_EQ(decoded("\xF4\x90\x80\x80"), (CodePoints{0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD}));  // beyond U+10FFFF
  EXPECT_EQ(decoded("\xE4\xB8"), (CodePoints{0xFFFD, 0xFFFD}));                      // cut off
  EXPECT_EQ(decoded("\xE4\xB8z"), (CodePoints{0xFFFD, 0xFFFD, U'z'}));
}

// Bytes at the end of their own allocation, so that the address sanitizer sees any read beyond them.
TEST(UnicodeUtf8, NeverReadsBeyondTheText) {
  std::mt19937 random(2);
  for (int round = 0; round < 20000; ++round) {
    std::vector<char> bytes(random() % 8);
    for (char& c : bytes) c = static_cast<char>(random() % 2 == 0 ? random() : 0x80 + random() % 0x40);
    ASSERT_LE(decoded({bytes.data(), bytes.size()}).size(), bytes.size());
  }
}

}  // namespace
}  // namespace flowrun::tokenizers
