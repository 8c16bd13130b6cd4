#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "extraction.hpp"
#include "naming.hpp"

namespace flowrun::filters::html {
namespace {

namespace fs = std::filesystem;
using flowrun::testing::Batch;
using flowrun::testing::document_rows;
using flowrun::testing::documents_batch;
using flowrun::testing::Runner;
using flowrun::testing::with_column;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr ExtractionLimits kDefaults = {8 << 20, {1024, 1000000, 100000000}};

std::string text_of(std::string_view html, Head head = Head::kFull) {
  Extraction extraction(kDefaults, head);
  const PageFault fault = extraction.read(html);
  return fault.reason == nullptr ? extraction.text() : "(" + std::string(fault.reason) + ")";
}

Page page_of(std::string_view html) {
  Extraction extraction(kDefaults, Head::kFull);
  extraction.read(html);
  return extraction.page();
}

TEST(Blocks, AreLines) {
  EXPECT_EQ(text_of("<h1>Head\n line</h1><p>one <b>two</b>\tthree</p><p>four<div>five</div>six"), "Head line\n\none two three\n\nfour\n\nfive\nsix");
  EXPECT_EQ(text_of("a<br>b<br> <br>c<BR/>d"), "a\nb\nc\nd") << "two breaks end a block";
  EXPECT_EQ(text_of("<p>a<p> <p>\n<p>b"), "a\n\nb");
  EXPECT_EQ(text_of("in<i>line</i><span> and</span> more"), "inline and more");
  EXPECT_EQ(text_of("<p>a&nbsp;&nbsp; b\xC2\xA0</p>"), "a b");
  EXPECT_EQ(text_of("<p>\xC3\x82\xC2\xA9\xC2\xA0x"), "\xC3\x82\xC2\xA9 x") << "bytes of other characters are no white space";
}

TEST(Blocks, OfLists) {
  EXPECT_EQ(text_of("x<ul><li>one<li><p>two</p><p>more</p><ol><li>a</li><li>b</li></ol></li></ul>y"), "x\n- one\n- two\nmore\n  1. a\n  2. b\ny");
  EXPECT_EQ(text_of("<dl><dt>term<dd>what it is</dl>"), "term\nwhat it is");
  EXPECT_EQ(text_of("<ol><li></li><li>second"), "2. second");
}

TEST(Blocks, OfTables) {
  EXPECT_EQ(text_of("<table><caption>c</caption><tr><th>a<th> b </tr><tr><td>1<td><td>2<a href=x>3</a></table>"), "c\na | b\n1 | 23");
  EXPECT_EQ(text_of("<table><tr><td><p>left</p><td>right<div>below</div></table>"), "left\n\nright\nbelow") << "cells that lay out a page";
}

TEST(Blocks, OfPreformattedText) {
  EXPECT_EQ(text_of("<p>x<pre>\n  a\n    b  c<br>d\n</pre><p>y"), "x\n\n  a\n    b  c\nd\n\ny");
}

TEST(Blocks, CountTheirLinks) {
  const Page page = page_of("<p>ab <a href=x>cd <b>ef</b></a> gh<a name=n>ij</a></p><p><a href=y>all</a></p><a href=z><p>in</p><p>two</p></a>");
  ASSERT_THAT(page.blocks, SizeIs(4));
  EXPECT_EQ(page.blocks[0].link_bytes, 6u) << "with the space before the link";
  EXPECT_EQ(page.blocks[1].link_bytes, 3u);
  EXPECT_EQ(page.blocks[2].link_bytes, 2u);
  EXPECT_EQ(page.blocks[3].link_bytes, 3u);
  EXPECT_EQ(page.sections[0].text_bytes, 13u + 3 + 2 + 3);
  EXPECT_EQ(page.sections[0].link_bytes, 6u + 3 + 2 + 3);
}

TEST(Text, HasTheCharactersOfTheStandard) {
  EXPECT_EQ(text_of("&lt;&amp;lt;&notit;&notin;&#x80;&#128;&#xE9;&#xD800;&#0;&#x110000;&hearts;&nosuch;&hearts&Aacute"), "<&lt;¬it;∉€€é\uFFFD\uFFFD\uFFFD♥&nosuch;&heartsÁ") << "13.2.5.72 to 13.2.5.80";
  EXPECT_EQ(text_of("<p title='&gt;'>a &NotEqualTilde; b"), "a ≂̸ b");
  EXPECT_EQ(text_of(std::string_view("a\0b<p>c\0d", 10)), "ab\n\ncd") << "U+0000 is dropped in a body";
  EXPECT_EQ(text_of("<![CDATA[x]]><?php y ?>z"), "z");
}

TEST(Text, IsWhatIsSeen) {
  EXPECT_EQ(text_of("<style>s</style><script>if (a<b) '</p>'</script><noscript>n</noscript><template><p>t</template><svg><text>g</text></svg><p>seen<!-- c --> text<button>b</button>"
                    "<select><option>o</select><textarea>a</textarea><iframe>i</iframe><object>o</object><video>v</video>"),
            "seen text");
  EXPECT_EQ(text_of("<p hidden>a<p style='Display: NONE'>b<p style='x:y;visibility:hidden'>c<p aria-hidden=true>d<p class='x sr-only'>e<dialog>f</dialog><p hidden=until-found>g<p style='no-display:none'>h"), "g\n\nh");
  EXPECT_EQ(text_of("<h2>Head<a class=headerlink href=#h>\xC2\xB6</a></h2><p class=overflow-hidden>t"), "Head\n\nt");
}

TEST(Names, AreWords) {
  EXPECT_EQ(read_names("site-nav", ""), Naming::kBoilerplate);
  EXPECT_EQ(read_names("", "mainNavigation"), Naming::kBoilerplate);
  EXPECT_EQ(read_names("NAV", ""), Naming::kBoilerplate);
  EXPECT_EQ(read_names("x article_body", ""), Naming::kContent);
  EXPECT_EQ(read_names("has-sidebar", "no-nav"), Naming::kNothing);
  EXPECT_EQ(read_names("has-sidebar menu", ""), Naming::kBoilerplate) << "each name begins anew";
  EXPECT_EQ(read_names("unavailable shadow loadingbar", ""), Naming::kNothing) << "parts of words say nothing";
  EXPECT_EQ(read_names("navigationnavigationnavigation", ""), Naming::kNothing);
  EXPECT_EQ(read_role("navigation"), Naming::kBoilerplate);
}

TEST(FullHead, LeavesOutWhatIsMarkedOrNamed) {
  const std::string prose = "<p>This is what the page is about, and there is enough of it to be most of the page, whatever else may stand there.</p>";
  const std::string text = "This is what the page is about, and there is enough of it to be most of the page, whatever else may stand there.";
  for (const char* part : {"<nav>Go home</nav>", "<aside>Go home</aside>", "<footer>Go home</footer>", "<div role=navigation>Go home</div>", "<div class=top-menu>Go home</div>", "<section id=siteSearch>Go home</section>",
                           "<ul><li><a href=x>Go</a><li><a href=y>home</a></ul>", "<div><a href=x>Go</a> <a href=y>home</a></div>"}) {
    EXPECT_EQ(text_of(part + prose), text) << part;
    EXPECT_EQ(text_of(prose + part), text) << part;
  }
  EXPECT_EQ(text_of("<header><h1>Head</h1></header>" + prose), "Head\n\n" + text);
  EXPECT_EQ(text_of("<div class=sidebar>" + prose + "</div><p>More."), text + "\n\nMore.") << "what holds most of a page is its text";
  EXPECT_EQ(text_of("<article>" + prose + "<footer>Note</footer></article>"), text + "\n\nNote");
}

TEST(ArticleHead, TakesTheSectionWithTheProse) {
  std::string prose;
  for (int i = 0; i < 5; ++i) prose += "<p>Sentences of an article have commas, more than one, and are of some length, so that each of them counts for its section.</p>";
  const std::string page = "<div><p>A teaser of a line that stands before the text.</p></div><div class=story>" + prose + "<h3>Related</h3><ul><li><a href=x>Another</a></ul></div><div><p>And one that stands behind.</p></div>";
  const std::string text = text_of(page, Head::kArticle);
  EXPECT_THAT(text, HasSubstr("Sentences of an article"));
  EXPECT_THAT(text, Not(HasSubstr("teaser")));
  EXPECT_THAT(text, Not(HasSubstr("Related"))) << "a heading of nothing";
  EXPECT_THAT(text_of(page, Head::kFull), HasSubstr("teaser"));
  EXPECT_EQ(text_of("<p>Too short to be an article.", Head::kArticle), "Too short to be an article.");
}

TEST(UnionHead, TakesWhatEitherTakes) {
  std::string prose, aside;
  for (int i = 0; i < 6; ++i) prose += "<p>Text of the comment, which is long, and has commas, one, two, three, four, and stands in what is named like boilerplate.</p>";
  for (int i = 0; i < 60; ++i) aside += "<p>" + std::to_string(i) + " of many lines</p>";
  const std::string page = "<div class=comment>" + prose + "</div><div><div>" + aside + "</div></div>";
  const auto comment = HasSubstr("Text of the comment"), lines = HasSubstr("59 of many lines");
  EXPECT_THAT(text_of(page, Head::kFull), AllOf(Not(comment), lines));
  EXPECT_THAT(text_of(page, Head::kArticle), AllOf(comment, Not(lines)));
  EXPECT_THAT(text_of(page, Head::kUnion), AllOf(comment, lines));
}

TEST(Page, SaysWhatItIs) {
  const Page page = page_of("<html lang=' de-AT '><head><title> A\n title &amp; more </title><link rel=Canonical href='https://x.org/a?b&amp;c'><meta property=og:title content=no><title>second</title></head><h1>No</h1><p>x");
  EXPECT_EQ(page.title, "A title & more");
  EXPECT_EQ(page.language, "de-AT");
  EXPECT_EQ(page.url, "https://x.org/a?b&c");
  const Page other = page_of("<meta http-equiv=Content-Language content='fr'><meta property=og:title content='Og  title'><meta property=og:url content='http://y.org/'><link rel=canonical href=/relative><p>x");
  EXPECT_EQ(other.title, "Og title");
  EXPECT_EQ(other.language, "fr");
  EXPECT_EQ(other.url, "http://y.org/");
  EXPECT_EQ(page_of("<h1>Only a<br>heading</h1><h1>b</h1>").title, "Only a heading");
  EXPECT_EQ(page_of("<svg><title>of a picture</title></svg>x").title, "");
}

using Bag = std::map<std::string, int>;

/// Words between what is no letter or digit of ASCII; each character of another script is one.
Bag words_of(const std::string& text) {
  Bag bag;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) ++bag[word];
    word.clear();
  };
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 ? !std::isalnum(byte) : byte >= 0xC0) end_word();
    if (byte >= 0x80 || std::isalnum(byte)) word += static_cast<char>(std::tolower(byte));
  }
  end_word();
  return bag;
}

int total(const Bag& bag) {
  int count = 0;
  for (const auto& [word, n] : bag) count += n;
  return count;
}

int common(const Bag& a, const Bag& b) {
  int count = 0;
  for (const auto& [word, n] : a)
    if (const auto it = b.find(word); it != b.end()) count += std::min(n, it->second);
  return count;
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(GoldenPages, GiveTheMainTextThatIsKnown) {
  std::map<Head, std::pair<double, double>> sums;
  int pages = 0;
  for (const auto& entry : fs::directory_iterator(FLOWRUN_TEST_SOURCE_DIR "/testdata/pages")) {
    if (entry.path().extension() != ".html") continue;
    ++pages;
    const Bag known = words_of(read_file(fs::path(entry.path()).replace_extension(".txt")));
    for (const Head head : {Head::kArticle, Head::kFull, Head::kUnion}) {
      const Bag found = words_of(text_of(read_file(entry.path()), head));
      const double precision = static_cast<double>(common(found, known)) / total(found), recall = static_cast<double>(common(found, known)) / total(known);
      EXPECT_GT(precision, 0.88) << entry.path() << " " << static_cast<int>(head);
      EXPECT_GT(recall, 0.87) << entry.path() << " " << static_cast<int>(head);
      sums[head].first += precision;
      sums[head].second += recall;
    }
  }
  ASSERT_EQ(pages, 12);
  for (const auto& [head, sum] : sums) {
    EXPECT_GT(sum.first / pages, 0.97) << static_cast<int>(head);
    EXPECT_GT(sum.second / pages, 0.97) << static_cast<int>(head);
  }
}

TEST(ExtractHtmlNode, AddsColumnsAndDrops) {
  Runner node(flowrun_plugin_v1, {{"head", "full"}, {"max_depth", 16}});
  std::string deep;
  for (int i = 0; i < 20; ++i) deep += "<div>";
  auto batch = documents_batch({{"a", "<html lang=en><title>T</title><p>text", "d", "s"}, {"b", deep + "x", "d", "s"}, {"c", "<script>x</script>", "d", "s"}, {"e", "plain", "d", "s"}});
  node.open({batch.schema});
  const auto out = node.process(std::move(batch));
  EXPECT_THAT(document_rows(out[0]), ElementsAre(flowrun::testing::Document{"a", "text", "d", "s"}, flowrun::testing::Document{"e", "plain", "d", "s"}));
  const BatchView view(out[0].array.get(), out[0].schema);
  EXPECT_EQ(view.strings("title")[0], "T");
  EXPECT_EQ(view.strings("language")[0], "en");
  const ArrowArray& titles = *out[0].array.get().children[out[0].schema.find("title")];
  EXPECT_EQ(titles.null_count, 1);
  EXPECT_TRUE(detail::bit(titles.buffers[0], 0));
  EXPECT_FALSE(detail::bit(titles.buffers[0], 1)) << "null where the page says nothing";
  ASSERT_THAT(node.drops(), SizeIs(2));
  EXPECT_EQ(node.drops()[0].id, "b");
  EXPECT_EQ(node.drops()[0].reason, "too_deep");
  EXPECT_EQ(node.drops()[0].threshold, 16);
  EXPECT_EQ(node.drops()[1].reason, "no_text");
}

TEST(ExtractHtmlNode, FillsColumnsThatSayNothing) {
  StringBuilder urls, pictures;
  for (const char* url : {"http://given/", ""}) urls.append(url), pictures.append("p");
  const std::string page = "<link rel=canonical href=http://stated/><p>text";
  auto batch = documents_batch({{"a", page, "d", "s"}, {"b", page, "d", "s"}});
  batch = with_column(with_column(std::move(batch), fields::utf8("url"), urls.finish()), fields::utf8("picture"), pictures.finish());
  Runner node(flowrun_plugin_v1, {});
  node.open({batch.schema});
  const auto out = node.process(std::move(batch));
  const BatchView view(out[0].array.get(), out[0].schema);
  EXPECT_EQ(view.strings("url")[0], "http://given/");
  EXPECT_EQ(view.strings("url")[1], "http://stated/");
  EXPECT_EQ(view.strings("picture")[1], "p");
}

TEST(ExtractHtmlNode, RefusesAColumnOfAnotherType) {
  auto batch = documents_batch({{"a", "x", "d", "s"}});
  batch = with_column(std::move(batch), fields::int64("url"), make_column(std::vector<std::int64_t>{1}));
  Runner node(flowrun_plugin_v1, {});
  try {
    node.open({batch.schema});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the input's column 'url' has the format 'l', expected text"));
  }
}

TEST(ExtractHtmlNode, GivesTheSameForAnyBatches) {
  std::vector<flowrun::testing::Document> pages;
  for (const auto& entry : fs::directory_iterator(FLOWRUN_TEST_SOURCE_DIR "/testdata/pages"))
    if (entry.path().extension() == ".html") pages.push_back({entry.path().stem(), read_file(entry.path()), "d", "s"});
  const auto run = [&](std::size_t batch_size) {
    Runner node(flowrun_plugin_v1, {});
    std::vector<flowrun::testing::Document> rows;
    bool opened = false;
    for (std::size_t i = 0; i < pages.size(); i += batch_size) {
      auto batch = documents_batch({pages.begin() + static_cast<std::ptrdiff_t>(i), pages.begin() + static_cast<std::ptrdiff_t>(std::min(i + batch_size, pages.size()))});
      if (!opened) node.open({batch.schema});
      opened = true;
      const auto out = node.process(std::move(batch));
      for (auto& row : document_rows(out[0])) rows.push_back(std::move(row));
    }
    return rows;
  };
  const auto whole = run(pages.size());
  EXPECT_THAT(whole, SizeIs(12));
  EXPECT_EQ(run(1), whole);
  EXPECT_EQ(run(5), whole);
}

}  // namespace
}  // namespace flowrun::filters::html
