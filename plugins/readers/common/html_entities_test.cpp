#include "readers/common/html_entities.hpp"

#include <gtest/gtest.h>

#include <string>

namespace flowrun::readers {
namespace {

/// Decodes one reference with what follows it.
std::string decode(std::string_view text) {
  std::string out = "<";
  const std::size_t size = decode_entity(text, out);
  EXPECT_TRUE(size > 0 || out == "<") << text;
  return size == 0 ? "none" : out.substr(1) + '|' + std::string(text.substr(size));
}

TEST(DecodeEntity, KnowsNamesOfHtml) {
  EXPECT_EQ(decode("&amp;amp;"), "&|amp;");
  EXPECT_EQ(decode("&lt;"), "<|");
  EXPECT_EQ(decode("&nbsp;x"), "\u00A0|x");
  EXPECT_EQ(decode("&zwnj;"), "\u200C|");
  EXPECT_EQ(decode("&AElig;"), "Æ|");
  EXPECT_EQ(decode("&NotEqualTilde;"), "\u2242\u0338|") << "two characters";
  EXPECT_EQ(decode("&CounterClockwiseContourIntegral;"), "∳|") << "the longest name";
}

TEST(DecodeEntity, KnowsNumbers) {
  EXPECT_EQ(decode("&#233;&"), "é|&");
  EXPECT_EQ(decode("&#x20AC;"), "€|");
  EXPECT_EQ(decode("&#X1f600;"), "😀|");
  EXPECT_EQ(decode("&#10;"), "\n|");
}

TEST(DecodeEntity, LeavesWhatIsNone) {
  for (const char* text : {"&", "&;", "&amp", "& amp;", "&Nope;", "&#;", "&#x;", "&#12a;", "&#xD800;", "&#x110000;", "&#99999999999;", "&#0;", "&#7;", "&#x80;", "&#-5;",
                           "&CounterClockwiseContourIntegralx;"})
    EXPECT_EQ(decode(text), "none") << text;
}

}  // namespace
}  // namespace flowrun::readers
