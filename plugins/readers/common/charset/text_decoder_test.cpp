#include "readers/common/charset/text_decoder.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace flowrun::readers {
namespace {

#include "readers/common/charset/encodings_golden.inc"

std::string decode(std::string_view bytes, std::string_view label, std::size_t* replaced = nullptr) {
  TextDecoder decoder;
  const DecodedText decoded = decoder.decode(bytes, *find_encoding(label));
  if (replaced != nullptr) *replaced = decoded.replaced;
  return std::string(decoded.text);
}

TEST(Encoding, KnowsTheLabelsOfTheStandard) {
  EXPECT_EQ(find_encoding("latin1")->name, "windows-1252") << "as browsers read it";
  EXPECT_EQ(find_encoding("ISO-8859-1")->name, "windows-1252");
  EXPECT_EQ(find_encoding("us-ascii")->name, "windows-1252");
  EXPECT_EQ(find_encoding(" Utf8\n")->name, "UTF-8");
  EXPECT_EQ(find_encoding("gb2312")->name, "GBK");
  EXPECT_EQ(find_encoding("x-sjis")->name, "Shift_JIS");
  EXPECT_EQ(find_encoding("iso-2022-kr")->name, "replacement");
  EXPECT_EQ(find_encoding("utf-16")->name, "UTF-16LE");
  for (const char* none : {"", " ", "utf-7", "utf-8;", "windows-1252x", "an_encoding_with_a_very_long_name_indeed"}) EXPECT_EQ(find_encoding(none), nullptr) << none;
}

/// The bytes that begin and end pairs of an encoding, as in make_encodings.py.
std::vector<std::string> pairs_of(std::string_view name) {
  const auto range = [](std::vector<int> ends) {
    std::vector<int> all;
    for (std::size_t i = 0; i < ends.size(); i += 2)
      for (int byte = ends[i]; byte < ends[i + 1]; ++byte) all.push_back(byte);
    return all;
  };
  std::vector<int> leads = range({0x81, 0xFF}), trails = range({0x40, 0x7F, 0x80, 0xFF});
  if (name == "Shift_JIS") leads = range({0x81, 0xA0, 0xE0, 0xFD}), trails = range({0x40, 0x7F, 0x80, 0xFD});
  if (name == "EUC-JP") leads = trails = range({0xA1, 0xFF});
  if (name == "EUC-KR") trails = range({0x41, 0xFF});
  if (name == "Big5") trails = range({0x40, 0x7F, 0xA1, 0xFF});
  std::vector<std::string> pairs;
  for (const int lead : leads)
    for (const int trail : trails) pairs.push_back({static_cast<char>(lead), static_cast<char>(trail)});
  return pairs;
}

/// Every pair of every encoding of several bytes, against the tables of the standard.
TEST(TextDecoder, MapsPairsAsTheStandard) {
  for (const auto& [name, expected] : kChecksums) {
    TextDecoder decoder;
    const Encoding& encoding = *find_encoding(name);
    std::uint64_t sum = 0xCBF29CE484222325;
    for (const std::string& pair : pairs_of(name)) {
      const DecodedText decoded = decoder.decode(pair, encoding);
      for (const char c : std::string(decoded.replaced > 0 ? "\xEF\xBF\xBD" : decoded.text) + "\n") sum = (sum ^ static_cast<std::uint8_t>(c)) * 0x100000001B3;
    }
    EXPECT_EQ(sum, expected) << name;
  }
}

TEST(TextDecoder, DecodesTextsOfSeveralEncodings) {
  EXPECT_EQ(decode("caf\xE9 \x80\x81", "latin1"), "café €\xC2\x81");
  EXPECT_EQ(decode("\xCF\xF0\xE8\xE2\xE5\xF2", "windows-1251"), "Привет");
  EXPECT_EQ(decode("\xF0\xD2\xC9", "koi8-r"), "При");
  EXPECT_EQ(decode("\x93\xFA\x96{ \\~ \xB1", "shift_jis"), "日本 \\~ ｱ");
  EXPECT_EQ(decode("\xC6\xFC\xCB\xDC \x8E\xB1 \xAD\xA1 \x8F\xB0\xA1", "euc-jp"), "日本 ｱ ① 丂") << "rows of NEC and JIS X 0212 too";
  EXPECT_EQ(decode("a\x1B$BF|K\\\x1B(J\\~\x1B(I1\x1B(B.", "iso-2022-jp"), "a日本¥‾ｱ.");
  EXPECT_EQ(decode("\xB1\xB1\xBE\xA9 \x81\x30\x81\x30 \xA8\xBC", "gb2312"), "北京 \xC2\x80 \xE1\xB8\xBF");
  EXPECT_EQ(decode("\xA5\x78\xA5\x5F \xA1\x45 \x88\x62", "big5"), "台北 ‧ Ê̄");
  EXPECT_EQ(decode("\xC7\xD1\xB1\xDB\x81\x41", "euc-kr"), "한글갂");
  EXPECT_EQ(decode(std::string_view("a\0\xE9\0\x3D\xD8\x00\xDE", 8), "utf-16le"), "aé😀");
  EXPECT_EQ(decode(std::string_view("\0a\xD8\x3D\xDE\x00", 6), "utf-16be"), "a😀");
  EXPECT_EQ(decode("a\x80\xFF", "x-user-defined"), "a\xEF\x9E\x80\xEF\x9F\xBF");
}

TEST(TextDecoder, LendsWhatIsUtf8) {
  const std::string text = "grüße";
  TextDecoder decoder;
  EXPECT_EQ(decoder.decode(text, utf8_encoding()).text.data(), text.data());
}

TEST(TextDecoder, ReplacesWhatIsMalformed) {
  const std::string bad = "\xEF\xBF\xBD";
  const struct {
    std::string_view bytes, label;
    std::string text;
    std::size_t replaced;
  } cases[] = {
      {"a\xFF" "b\xE2\x82" "c\xF0\x9F\x98", "utf-8", "a" + bad + "b" + bad + "c" + bad, 3},
      {"\xED\xA0\x80", "utf-8", bad + bad + bad, 3},
      {"\xC0\x80", "utf-8", bad + bad, 2},
      {"\x81<p>", "shift_jis", bad + "<p>", 1},
      {"a\xC6", "euc-jp", "a" + bad, 1},
      {"\xC6<", "euc-jp", bad + "<", 1},
      {"\xB1", "gbk", bad, 1},
      {"\x1B$BF|!", "iso-2022-jp", "日" + bad, 1},
      {"\xE9", "windows-874", "้", 0},
      {"\xFC", "windows-874", bad, 1},
      {std::string_view("\x3D\xD8" "a\0b", 5), "utf-16le", bad + "a" + bad, 2},
      {"<html>", "iso-2022-kr", bad, 1},
  };
  for (const auto& c : cases) {
    std::size_t replaced = 0;
    EXPECT_EQ(decode(c.bytes, c.label, &replaced), c.text) << c.label << " " << c.bytes;
    EXPECT_EQ(replaced, c.replaced) << c.label << " " << c.bytes;
  }
  TextDecoder decoder;
  EXPECT_EQ(decoder.decode("abc\xFF", utf8_encoding()).first_bad, 3u);
  EXPECT_EQ(decoder.decode("\xB1\xB1\xFF\xFF", *find_encoding("gbk")).first_bad, 2u);
}

}  // namespace
}  // namespace flowrun::readers
