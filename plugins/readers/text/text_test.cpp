#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "readers/common/compress_for_test.hpp"
#include "readers/common/reader_test.hpp"

namespace flowrun::readers {
namespace {

using flowrun::testing::Document;
using flowrun::testing::Parameters;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TextNode : public ReaderTest {
 protected:
  std::vector<std::string> texts(Parameters parameters) {
    std::vector<std::string> out;
    for (const auto& row : read(parameters)) out.push_back(row.text);
    return out;
  }
};

TEST_F(TextNode, GivesAFileAsItIs) {
  const std::string odd("\n\n a\0b \r\n\n", 10);
  const auto rows = read({{"paths", paths({{"a.txt", odd}, {"b.txt", ""}, {"c.txt.gz", gzip("zipped")}, {"d.txt", "\xEF\xBB\xBFmarked\n"}, {"e.txt", "\n"}})}, {"domain", "books"}});
  EXPECT_THAT(rows, ElementsAre(Document{"a.txt#0", odd, "books", "a.txt"}, Document{"c.txt.gz#0", "zipped", "books", "c.txt.gz"},
                                Document{"d.txt#0", "marked\n", "books", "d.txt"}, Document{"e.txt#0", "\n", "books", "e.txt"}));
  EXPECT_THAT(errors(), IsEmpty());
  EXPECT_THAT(node_->close(), IsEmpty());
}

TEST_F(TextNode, CutsAtBlankLines) {
  const auto rows = read({{"paths", paths({{"a", "\n \t\none\ntwo\n\n\r\nthree\r\n \r\n\nfour"}})}, {"split", "blank_lines"}});
  EXPECT_THAT(rows, ElementsAre(Document{"a#0", "one\ntwo", "", "a"}, Document{"a#1", "three", "", "a"}, Document{"a#2", "four", "", "a"}));
  EXPECT_THAT(texts({{"paths", paths({{"a", "\n\n \n"}, {"b", ""}})}, {"split", "blank_lines"}}), IsEmpty());
}

TEST_F(TextNode, CutsPiecesAtTheFirstBlankLineBehindTheirSize) {
  const std::string text = "0123456789\n\n0123456789\n0123\n\n\nnext\n\nend\n";
  EXPECT_THAT(texts({{"paths", paths({{"a", text}})}, {"split", "bytes"}, {"split_bytes", 16}}),
              ElementsAre("0123456789\n\n0123456789\n0123", "next\n\nend"));
}

TEST_F(TextNode, CutsPiecesWithoutBlankLinesAtALineEndThenAtACharacter) {
  const std::string line = "0123456789ab\n";  // the third would go over the limit of 2 * 16 bytes
  EXPECT_THAT(texts({{"paths", paths({{"a", line + line + line + line}})}, {"split", "bytes"}, {"split_bytes", 16}}),
              ElementsAre("0123456789ab\n0123456789ab", "0123456789ab\n0123456789ab"));
  std::string euros;
  for (int i = 0; i < 15; ++i) euros += "€";
  const auto pieces = texts({{"paths", paths({{"a", euros}})}, {"split", "bytes"}, {"split_bytes", 16}});
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(pieces[0].size(), 30u) << "32 bytes would cut a character";
  EXPECT_EQ(pieces[0] + pieces[1], euros);
  EXPECT_THAT(errors(), IsEmpty());
}

TEST_F(TextNode, TakesAPieceOfExactlyTheLimit) {
  const std::string text(32, 'x');
  EXPECT_THAT(texts({{"paths", paths({{"a", text}})}, {"split", "bytes"}, {"split_bytes", 16}}), ElementsAre(text));
  EXPECT_THAT(texts({{"paths", paths({{"a", text + "\n" + text}})}, {"split", "bytes"}, {"split_bytes", 16}}), ElementsAre(text, text));
  EXPECT_THAT(texts({{"paths", paths({{"a", text}})}, {"max_record_bytes", 32}}), ElementsAre(text));
}

TEST_F(TextNode, KeepsEveryByteOfALongTextInPieces) {
  std::string text;
  for (int i = 0; i < 200000; ++i) text += "word" + std::to_string(i) + (i % 97 == 0 ? "\n\n" : i % 7 == 0 ? "\n" : " ");
  std::string joined, expected;
  for (const auto& piece : texts({{"paths", paths({{"a.zst", zstd(text)}})}, {"split", "bytes"}})) {
    EXPECT_LE(piece.size(), 32768u);
    joined += piece;
  }
  for (const char c : text) expected += c == '\n' ? std::string() : std::string(1, c);
  joined.erase(std::remove(joined.begin(), joined.end(), '\n'), joined.end());
  EXPECT_TRUE(joined == expected);
}

TEST_F(TextNode, RefusesInvalidUtf8) {
  const auto rows = read({{"paths", paths({{"a", "good\n\nba\xFF" "d\n\nlast"}})}, {"split", "blank_lines"}});
  EXPECT_THAT(rows, ElementsAre(Document{"a#0", "good", "", "a"}, Document{"a#2", "last", "", "a"}));
  ASSERT_EQ(errors().size(), 1u);
  EXPECT_EQ(errors()[0].code, "bad_utf8");
  EXPECT_EQ(errors()[0].record, 1);
  EXPECT_EQ(errors()[0].offset, 6);
  EXPECT_EQ(errors()[0].bytes, 4);
  EXPECT_EQ(errors()[0].message, "invalid UTF-8 at byte 2 of the document: 0xFF; a file of another encoding must be converted, as by iconv -f LATIN1 -t UTF-8");
}

TEST_F(TextNode, RefusesUtf16WithoutAByteOrderMark) {
  std::string utf16;
  for (const char c : std::string_view("A text of Latin letters.\n")) utf16 += {c, '\0'};
  EXPECT_THAT(texts({{"paths", paths({{"a", utf16}, {"b", "good"}, {"c.zst", zstd('\0' + utf16)}})}}), ElementsAre("good"));
  ASSERT_EQ(errors().size(), 2u);
  EXPECT_EQ(errors()[0].code, "bad_utf8");
  EXPECT_EQ(errors()[0].message, "the file looks like UTF-16LE without a byte order mark, for every other byte is zero; convert it: iconv -f UTF-16LE -t UTF-8");
  EXPECT_EQ(errors()[0].documents, 0);
  EXPECT_EQ(errors()[0].file_bytes, static_cast<std::int64_t>(utf16.size()));
  EXPECT_THAT(errors()[1].message, ::testing::HasSubstr("UTF-16BE"));
}

TEST_F(TextNode, RefusesADocumentOverTheLimit) {
  const std::string large(50'000'000, 'x');
  EXPECT_EQ(texts({{"paths", paths({{"a", large}})}})[0].size(), large.size());
  const auto rows = read({{"paths", paths({{"a", large}, {"b", "fits"}, {"c", "x\n" + large + "\n\nnext"}})}, {"split", "blank_lines"}, {"max_record_bytes", 1000}});
  EXPECT_THAT(rows, ElementsAre(Document{"b#0", "fits", "", "b"}, Document{"c#1", "next", "", "c"}));
  ASSERT_EQ(errors().size(), 2u);
  EXPECT_EQ(errors()[0].code, "record_too_large");
  EXPECT_EQ(errors()[1].record, 0);
  EXPECT_EQ(errors()[1].offset, 0);
}

TEST_F(TextNode, DoesNotGiveADocumentThatDamageCutShort) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += std::to_string(i * 7919 % 100003) + (i % 10 == 0 ? "\n\n" : " ");
  const std::string cut = zstd(text).substr(0, zstd(text).size() / 2);
  EXPECT_THAT(texts({{"paths", paths({{"a.zst", cut}})}}), IsEmpty());
  ASSERT_EQ(errors().size(), 1u);
  EXPECT_EQ(errors()[0].code, "damaged_zstd");
  EXPECT_EQ(errors()[0].documents, 0);
  const auto pieces = texts({{"paths", paths({{"a.zst", cut}})}, {"split", "blank_lines"}});
  ASSERT_GT(pieces.size(), 1000u);
  std::size_t at = 0;
  for (const auto& piece : pieces) {
    const std::size_t found = text.find(piece + "\n\n", at);
    ASSERT_NE(found, std::string::npos) << piece;
    at = found + piece.size();
  }
}

}  // namespace
}  // namespace flowrun::readers
