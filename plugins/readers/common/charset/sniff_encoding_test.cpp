#include "readers/common/charset/sniff_encoding.hpp"

#include <gtest/gtest.h>

#include <string>

namespace flowrun::readers {
namespace {

std::string name_of(const Encoding* encoding) { return encoding == nullptr ? "" : std::string(encoding->name); }

TEST(SniffEncoding, FindsMetaAsTheStandardSays) {
  const struct {
    std::string_view html, encoding;
  } cases[] = {
      {"<meta charset=utf-8>", "UTF-8"},
      {"<!DOCTYPE html><html lang=\"a>b\"><head><META CharSet = 'Latin1'>", "windows-1252"},
      {"<meta http-equiv=\"Content-Type\" content=\"text/html; charset=windows-1251\">", "windows-1251"},
      {"<meta content='text/html;charset=\"euc-jp\"' http-equiv=content-type />", "EUC-JP"},
      {"<meta content=\"text/html; charset=windows-1251\">", ""},  // no http-equiv
      {"<meta name=description content=\"charset=koi8-r\"><meta charset=gbk>", "GBK"},
      {"<!-- <meta charset=gbk> --><meta charset=big5>", "Big5"},
      {"<!--><meta charset=gbk>", "GBK"},  // a comment that ends where it begins
      {"<a title=\"<meta charset=gbk>\"><meta charset=big5>", "Big5"},
      {"</p title='<meta charset=gbk>'><meta charset=big5>", "Big5"},
      {"<meta charset=utf-16le>", "UTF-8"},
      {"<meta charset=x-user-defined>", "windows-1252"},
      {"<meta charset=nonsense><meta charset=gbk>", "GBK"},
      {"<meta charset=\"gbk", ""},
      {"<metal charset=gbk>", ""},
      {"<meta/charset=gbk>", "GBK"},
      {"plain text < 5 and charset=gbk", ""},
      {"<", ""},
      {"", ""},
  };
  for (const auto& c : cases) EXPECT_EQ(name_of(prescan_meta(c.html)), c.encoding) << c.html;
  EXPECT_EQ(name_of(prescan_meta(std::string(5000, ' ') + "<meta charset=gbk>")), "GBK") << "behind the first 1024 bytes, as a browser that starts anew";
  EXPECT_EQ(prescan_meta(std::string(20000, ' ') + "<meta charset=gbk>"), nullptr);
}

TEST(SniffEncoding, FindsTheDeclarationOfXml) {
  EXPECT_EQ(name_of(prescan_xml("<?xml version=\"1.0\" encoding=\"Shift_JIS\"?>")), "Shift_JIS");
  EXPECT_EQ(name_of(prescan_xml("<?xml encoding = 'koi8-r' ?>")), "KOI8-R");
  EXPECT_EQ(prescan_xml("<?xml version=\"1.0\"?><x encoding=\"gbk\"/>"), nullptr);
  EXPECT_EQ(prescan_xml(" <?xml encoding=\"gbk\"?>"), nullptr);
}

TEST(SniffEncoding, FindsTheParameterOfAContentType) {
  EXPECT_EQ(charset_parameter("text/html; charset=UTF-8"), "UTF-8");
  EXPECT_EQ(charset_parameter("text/html;CHARSET = \"iso-8859-2\"; x=y"), "iso-8859-2");
  EXPECT_EQ(charset_parameter("text/html; charset=utf-8;x"), "utf-8");
  EXPECT_EQ(charset_parameter("text/html; charset; charset=gbk"), "gbk");
  EXPECT_EQ(charset_parameter("text/html; charset=\"utf-8"), "");
  EXPECT_EQ(charset_parameter("text/html"), "");
}

TEST(SniffEncoding, DecidesInOrder) {
  const Encoding* fallback = find_encoding("windows-1252");
  const auto sniff = [&](std::string_view bytes, std::string_view declared, bool utf8_first = false, bool markup = true) {
    const SniffedEncoding found = sniff_encoding(bytes, {declared, fallback, utf8_first, markup});
    return name_of(found.encoding) + ' ' + std::string(found.source) + ' ' + std::to_string(found.mark_bytes);
  };
  const std::string meta = "<meta charset=koi8-r>", latin = "caf\xE9", utf8 = "caf\xC3\xA9";
  EXPECT_EQ(sniff("\xEF\xBB\xBF" + meta, "gbk"), "UTF-8 bom 3");
  EXPECT_EQ(sniff("\xFF\xFE" "a", "gbk"), "UTF-16LE bom 2");
  EXPECT_EQ(sniff(meta, "gbk"), "GBK http 0");
  EXPECT_EQ(sniff(meta, "nonsense"), "KOI8-R meta 0");
  EXPECT_EQ(sniff("<?xml version='1.0' encoding='big5'?>", ""), "Big5 xml 0");
  EXPECT_EQ(sniff(meta + utf8, ""), "KOI8-R meta 0");
  EXPECT_EQ(sniff(meta + utf8, "", true), "UTF-8 utf8 0");
  EXPECT_EQ(sniff(meta + latin, "", true), "KOI8-R meta 0");
  EXPECT_EQ(sniff(meta, "", true), "KOI8-R meta 0") << "ASCII alone says nothing: it may be ISO-2022-JP";
  EXPECT_EQ(sniff(meta + utf8, "", false, false), "UTF-8 utf8 0");
  EXPECT_EQ(sniff(latin, ""), "windows-1252 fallback 0");
  EXPECT_EQ(sniff("", ""), "UTF-8 utf8 0");
}

}  // namespace
}  // namespace flowrun::readers
