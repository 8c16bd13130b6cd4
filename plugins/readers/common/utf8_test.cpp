#include "readers/common/utf8.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace flowrun::readers {
namespace {

constexpr std::size_t kValid = std::string_view::npos;

std::string encode(std::uint32_t code) {
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 63))};
  if (code < 0x10000) return {static_cast<char>(0xE0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 63)), static_cast<char>(0x80 | (code & 63))};
  return {static_cast<char>(0xF0 | code >> 18), static_cast<char>(0x80 | (code >> 12 & 63)), static_cast<char>(0x80 | (code >> 6 & 63)),
          static_cast<char>(0x80 | (code & 63))};
}

TEST(FindInvalidUtf8, AcceptsEveryScalarValueAndRefusesSurrogates) {
  for (std::uint32_t code = 0; code < 0x110000; ++code) {
    const bool surrogate = code >= 0xD800 && code < 0xE000;
    ASSERT_EQ(find_invalid_utf8("ab" + encode(code)), surrogate ? 2 : kValid) << code;
  }
  EXPECT_EQ(find_invalid_utf8(encode(0x110000)), 0u);
}

TEST(FindInvalidUtf8, NamesTheFirstBadByte) {
  EXPECT_EQ(find_invalid_utf8("é\xC3"), 2u);                 // cut short
  EXPECT_EQ(find_invalid_utf8("a\x80"), 1u);                 // continuation alone
  EXPECT_EQ(find_invalid_utf8("a\xC0\x80"), 1u);             // overlong
  EXPECT_EQ(find_invalid_utf8("a\xE0\x80\x80"), 1u);         // overlong
  EXPECT_EQ(find_invalid_utf8("a\xF0\x80\x80\x80"), 1u);     // overlong
  EXPECT_EQ(find_invalid_utf8("€\xE2\x82 x"), 3u);           // cut short before a space
  EXPECT_EQ(find_invalid_utf8(std::string(100, 'x') + '\xFF'), 100u);
  EXPECT_EQ(find_invalid_utf8(std::string("a\0b", 3)), kValid);
}

std::string utf16(std::u16string_view text, bool big_endian) {
  std::string out;
  for (const char16_t unit : text) {
    const char high = static_cast<char>(unit >> 8), low = static_cast<char>(unit & 0xFF);
    out += big_endian ? high : low;
    out += big_endian ? low : high;
  }
  return out;
}

TEST(FindUtf16, KnowsBothOrdersByTheirZeros) {
  for (const std::u16string_view text : {u"{\"text\": \"eight or more letters\"}", u"Größe, naïve café", u"a word, then Привет, and words again"}) {
    EXPECT_EQ(find_utf16(utf16(text, false)), "UTF-16LE");
    EXPECT_EQ(find_utf16(utf16(text, true)), "UTF-16BE");
  }
}

TEST(FindUtf16, TakesNoUtf8ForIt) {
  for (const std::string& text : {std::string("plain text of more than sixteen bytes"), std::string(100, '\0'), std::string("a\0b\0c\0d\0", 8), std::string("line\0line\0line\0line\0", 20), std::string()})
    EXPECT_EQ(find_utf16(text), "");
  EXPECT_EQ(find_utf16(utf16(u"中文中文中文中文中文", false)), "") << "is no UTF-8 either, and is refused as that";
}

TEST(CharacterStart, StepsBackToTheLead) {
  const std::string text = "aé€😀";  // starts at 0, 1, 3, 6
  const std::size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6};
  for (std::size_t i = 0; i < text.size(); ++i) EXPECT_EQ(character_start(text, i), expected[i]) << i;
  EXPECT_EQ(character_start("\x80\x80\x80\x80\x80\x80", 5), 5u) << "text that is no UTF-8 is cut anywhere";
}

}  // namespace
}  // namespace flowrun::readers
