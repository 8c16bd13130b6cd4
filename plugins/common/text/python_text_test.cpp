#include "common/text/python_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace flowrun::text {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  LineSplitter splitter(text);
  for (std::string_view line; splitter.next(line);) lines.emplace_back(line);
  return lines;
}

// Expected values are what Python 3.11 answers to 'a\nb...'.splitlines().
TEST(LineSplitter, EndsLinesWherePythonDoes) {
  EXPECT_THAT(split_lines("a\nb\r\nc\rd\n\n"), ElementsAre("a", "b", "c", "d", ""));
  EXPECT_THAT(split_lines("a\vb\fc\x1C" "d\x1D" "e\x1E" "f\x1Fg\xC2\x85h\xE2\x80\xA8i\xE2\x80\xA9j"), ElementsAre("a", "b", "c", "d", "e", "f\x1Fg", "h", "i", "j"));
  EXPECT_THAT(split_lines("é…\xC2\xA0"), ElementsAre("é…\xC2\xA0")) << "the first bytes of two line ends, followed by something else";
  EXPECT_THAT(split_lines(""), IsEmpty());
  EXPECT_THAT(split_lines("\n"), ElementsAre(""));
}

TEST(CodePointClasses, AreThoseOfPython) {
  const CodePointClasses classes;
  int spaces = 0, punctuation = 0, terminal = 0;
  for (std::uint32_t c = 0; c < 0x110000; ++c) {
    spaces += (classes[c] & kSpace) != 0;
    punctuation += (classes[c] & kPunctuation) != 0;
    terminal += (classes[c] & kTerminal) != 0;
  }
  EXPECT_EQ(spaces, 29);        // sum(chr(c).isspace() for c in range(0x110000))
  EXPECT_EQ(punctuation, 281);  // len(PUNCTUATION_SET)
  EXPECT_EQ(terminal, 159);     // len(TERMINAL_PUNCTUATION)
  EXPECT_EQ(classes['a'], kAlpha);
  EXPECT_EQ(classes['1'], kDecimal | kNumber);
  EXPECT_EQ(classes['!'], kPunctuation | kTerminal);
  EXPECT_EQ(classes[','], kPunctuation);
  EXPECT_EQ(classes['\t'], kSpace);
  EXPECT_EQ(classes[0x1C], kSpace | kPunctuation);
  EXPECT_EQ(classes[0xAA], kAlpha);    // ª, Lo
  EXPECT_EQ(classes[0x4E2D], kAlpha);  // 中
  EXPECT_EQ(classes[0x2160], kNumber); // Ⅰ is a number (Nl), no letter
  EXPECT_EQ(classes[0x301], 0);        // a combining mark (Mn)
  EXPECT_EQ(classes[0x1D400], kAlpha); // 𝐀
}

TEST(Strip, TakesUnicodeSpacesAway) {
  const CodePointClasses classes;
  EXPECT_EQ(strip_left("\xE3\x80\x80\xC2\xA0 \t-é ", classes), "-é ");
  EXPECT_EQ(strip_right(" é…\xE2\x80\xA8\xC2\x85 ", classes), " é…");
  EXPECT_EQ(strip_left(" \n", classes), "");
  EXPECT_EQ(strip_right(" \n", classes), "");
  EXPECT_EQ(strip_right("é", classes), "é");
}

TEST(CountOf, CountsWithoutOverlap) {
  EXPECT_EQ(count_of(".......", "..."), 2);
  EXPECT_EQ(count_of("a…b…", "…"), 2);
  EXPECT_EQ(count_of("", "#"), 0);
}

}  // namespace
}  // namespace flowrun::text
