#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "canonical.hpp"
#include "readers/common/compress_for_test.hpp"
#include "readers/common/reader_test.hpp"
#include "readers/common/tar_for_test.hpp"

namespace flowrun::readers {
namespace {

using flowrun::testing::Document;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Strings = std::vector<std::string>;

class HtmlNode : public ReaderTest {
 protected:
  HtmlNode() : ReaderTest("d/") {}

  /// Returns a column of text of the documents read last.
  Strings column(const std::string& name) const {
    Strings out;
    for (const auto& batch : batches_) {
      const BatchView view(batch.array.get(), batch.schema);
      for (std::int64_t row = 0; row < batch.array.get().length; ++row) out.emplace_back(view.strings(name)[row]);
    }
    return out;
  }

  /// Returns numbers of sequences that were replaced.
  std::vector<std::int64_t> replaced() const {
    std::vector<std::int64_t> out;
    for (const auto& batch : batches_) {
      const std::int64_t* values = BatchView(batch.array.get(), batch.schema).values<std::int64_t>("replaced", "l");
      out.insert(out.end(), values, values + batch.array.get().length);
    }
    return out;
  }
};

TEST_F(HtmlNode, GivesPagesAsTheyAreStored) {
  const std::string page = "<p>one</p>\r\n<p>two\n";
  const auto rows = read({{"paths", paths({{"a.html", page}, {"b.html.gz", gzip(page)}, {"c.html.zst", zstd(page)}, {"empty.html", ""}})}, {"domain", "web"}});
  EXPECT_THAT(rows, ElementsAre(Document{"d/a.html#0", page, "web", "d/a.html"}, Document{"d/b.html.gz#0", page, "web", "d/b.html.gz"}, Document{"d/c.html.zst#0", page, "web", "d/c.html.zst"}));
  EXPECT_THAT(column("url"), ElementsAre("d/a.html", "d/b.html.gz", "d/c.html.zst"));
  EXPECT_THAT(dropped(), ElementsAre("d/empty.html#0 empty"));
  EXPECT_THAT(errors(), IsEmpty());
}

TEST_F(HtmlNode, FindsTheEncodingAsBrowsersDo) {
  const std::string cyrillic = "<meta charset=windows-1251><p>\xCF\xF0\xE8\xE2\xE5\xF2", utf16("\xFF\xFE<\0p\0>\0\x41\x04", 10);
  const auto rows = read({{"paths", paths({{"a", cyrillic}, {"b", "\xEF\xBB\xBF<meta charset=windows-1251>\xC3\xA9"}, {"c", utf16}, {"d", "caf\xE9"}, {"e", "caf\xC3\xA9"}})}});
  ASSERT_THAT(rows, SizeIs(5));
  EXPECT_EQ(rows[0].text, "<meta charset=windows-1251><p>Привет");
  EXPECT_EQ(rows[1].text, "<meta charset=windows-1251>é") << "the mark is above what the page says";
  EXPECT_EQ(rows[2].text, "<p>с") << "U+0441";
  EXPECT_EQ(rows[3].text, "café");
  EXPECT_EQ(rows[4].text, "café");
  EXPECT_THAT(column("charset"), ElementsAre("windows-1251", "UTF-8", "UTF-16LE", "windows-1252", "UTF-8"));
  EXPECT_THAT(column("charset_source"), ElementsAre("meta", "bom", "bom", "fallback", "utf8"));
}

TEST_F(HtmlNode, RefusesOrReplacesMalformedBytes) {
  const std::string page = "<meta charset=utf-8>a\xFF" "b";
  EXPECT_THAT(read({{"paths", paths({{"a.html", page}})}}), IsEmpty());
  ASSERT_THAT(errors(), SizeIs(1));
  EXPECT_EQ(errors()[0].code, "bad_utf8");
  EXPECT_EQ(errors()[0].message, "invalid UTF-8 at byte 21 of the page, which says that it is UTF-8 (meta)");
  EXPECT_EQ(read({{"paths", paths({{"a.html", page}})}, {"malformed", "replace"}})[0].text, "<meta charset=utf-8>a\xEF\xBF\xBD" "b");
  EXPECT_THAT(replaced(), ElementsAre(1));
}

TEST_F(HtmlNode, TakesThePlaceThatAPageStates) {
  const std::string page = R"(<head><!-- <link rel=canonical href="http://no/"> --><script>"<link rel=canonical href='http://no/'>"</script><LINK HREF=' https://x.org/?a=1&amp;b=2 ' REL="nofollow Canonical"></head>)";
  read({{"paths", paths({{"a.html", page}, {"b.html", "<link rel=canonical href=/relative>"}})}, {"base_url", "https://y.org/"}});
  EXPECT_THAT(column("url"), ElementsAre("https://x.org/?a=1&b=2", "https://y.org/d/b.html"));
}

TEST(CanonicalUrl, EndsWithItsText) {
  for (const char* page : {"", "<", "<!--", "<link", "<link rel=canonical href=", "<link rel=canonical href='http://x", "<script>", "<body><link rel=canonical href=http://x/>", "<link rel=stylesheet href=http://x/>"})
    EXPECT_EQ(canonical_url(page), "") << page;
  EXPECT_EQ(canonical_url("<link rel=canonical href=http://x/>"), "http://x/");
}

TEST_F(HtmlNode, ReadsArchives) {
  const std::string archive = tar_entry("site/a.html", "<p>a") + tar_entry("site/a.png", "png") + tar_entry("site/b.htm", "") + tar_entry("site/c.htm", "\xEF\xBB\xBF<p>c") + std::string(1024, '\0');
  const auto rows = read({{"paths", paths({{"site.tar.gz", gzip(archive)}})}});
  EXPECT_THAT(rows, ElementsAre(Document{"d/site.tar.gz#0", "<p>a", "", "d/site.tar.gz"}, Document{"d/site.tar.gz#3", "<p>c", "", "d/site.tar.gz"}));
  EXPECT_THAT(column("url"), ElementsAre("site/a.html", "site/c.htm"));
  EXPECT_THAT(dropped(), ElementsAre("d/site.tar.gz#1 other_suffix", "d/site.tar.gz#2 empty"));
}

TEST_F(HtmlNode, ReportsDamageAndGoesOn) {
  const std::string packed = gzip(std::string(100000, 'x') + "<p>");
  const auto rows = read({{"paths", paths({{"a.html.gz", packed.substr(0, packed.size() / 2)}, {"b.html", "<p>b"}})}});
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows[0].text, "<p>b");
  ASSERT_THAT(errors(), SizeIs(1));
  EXPECT_EQ(errors()[0].code, "damaged_gzip");
}

TEST_F(HtmlNode, RefusesPagesThatAreTooLarge) {
  EXPECT_THAT(read({{"paths", paths({{"a.html", std::string(17, 'x')}, {"b.tar", tar_entry("p.html", std::string(17, 'x')) + std::string(1024, '\0')}})}, {"max_record_bytes", 16}}), IsEmpty());
  ASSERT_THAT(errors(), SizeIs(2));
  for (const auto& error : errors()) EXPECT_THAT(error.message, HasSubstr("a file of more than 16 bytes ('max_record_bytes')"));
}

TEST_F(HtmlNode, NamesALabelThatIsNone) {
  try {
    read({{"paths", paths({})}, {"fallback_charset", "latin-9000"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("'fallback_charset' is 'latin-9000', expected a label of the Encoding Standard such as \"windows-1252\""));
  }
}

}  // namespace
}  // namespace flowrun::readers
