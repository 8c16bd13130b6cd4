#include "html_text.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "readers/common/utf8.hpp"

namespace flowrun::readers {
namespace {

std::string convert(std::string_view html) {
  std::string out;
  append_html_text(html, out);
  return out;
}

TEST(HtmlText, PartsParagraphsAndHeadings) {
  EXPECT_EQ(convert("<p>One\n  line &amp; <b>bold</b>.</p>\n\n<p>Two<br>lines<br />\n x</p><h2>H</h2>\n<blockquote>\n  <p>q</p>\n</blockquote>after"),
            "One line & bold.\n\nTwo\nlines\nx\n\nH\n\nq\n\nafter");
  EXPECT_EQ(convert("a<hr>b<div>c</div>"), "a\n\nb\n\nc");
  EXPECT_EQ(convert("  <p></p>  "), "");
}

TEST(HtmlText, KeepsCodeAsItIs) {
  EXPECT_EQ(convert("<p>See:</p>\n\n<pre><code>int  a;\n\n  if (a &lt; b &amp;&amp; c)\n\treturn;\n</code></pre>\n\n<p>End</p>"), "See:\n\nint  a;\n\n  if (a < b && c)\n\treturn;\n\nEnd");
  EXPECT_EQ(convert("<pre class=\"lang-py s\"><code>\n  first\r\n  second\n\n</code></pre>x"), "  first\n  second\n\nx");
  EXPECT_EQ(convert("use <code>a  b</code>"), "use a b") << "as a browser shows it";
}

TEST(HtmlText, MarksItems) {
  EXPECT_EQ(convert("<p>a</p><ul>\n<li>x</li>\n<li><p>y</p>\n<p>z</p></li>\n</ul>\n<ol><li>one<ul><li>in</li></ul></li><li>two</li></ol>b"),
            "a\n\n- x\n- y\nz\n\n1. one\n  - in\n2. two\n\nb");
  EXPECT_EQ(convert("<ul><li></li><li>x</li></ul>"), "- x");
}

TEST(HtmlText, KeepsLabelsAndDropsImages) {
  EXPECT_EQ(convert("a <a href=\"http://x/?a>b\" title='>'>label</a>, <img src=\"y\" alt=\"z\">c<!-- language: lang-py -->d"), "a label, cd");
  EXPECT_EQ(convert("<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>"), "a\tb\n1\t2");
  EXPECT_EQ(convert("a<script>x<y</script>b<style>z</style>c"), "abc");
}

TEST(HtmlText, TakesWhatIsNoTagForText) {
  EXPECT_EQ(convert("1 < 2 && a<1 &bogus; &lt;p&gt; </> <"), "1 < 2 && a<1 &bogus; <p> </> <");
  for (const char* open : {"<pre>", "<!--", "<script>", "<ul><li>", "<a href=\"x", "<a href='>", "<p", "<table>", "&"})
    EXPECT_NE(convert(std::string(open) + " The rest > of it").find("of it"), std::string::npos) << open;
}

TEST(HtmlText, AppendsToWhatThereIs) {
  std::string out = "before ";
  append_html_text(" <p>x</p>", out);
  EXPECT_EQ(out, "before x");
}

TEST(HtmlText, EndsOnAMegabyteOfAnyMarkup) {
  for (const std::string unit : {"<", "<a '", "<a \"", "<!--", "<script>", "<ul>", "<ul><li>", "<pre>", "&", "&am", "<p>", "<br>", "</ul>", "<td>", "<style></", "< ", "<a b='>' "}) {
    std::string html;
    while (html.size() < (1 << 20)) html += unit;
    EXPECT_LE(convert(html).size(), 3 * html.size()) << unit;
  }
}

TEST(HtmlText, TakesAnyOrderOfMarkup) {
  const std::vector<std::string> pieces = {"<p>", "</p>", "<pre>", "</pre>", "<code>", "</code>", "<ul>", "</ul>", "<ol>", "</ol>", "<li>", "</li>", "<br>", "<td>", "<tr>", "<table>", "</table>",
                                           "<a href=\"", "\">", "</a>", "<!--", "-->", "&amp;", "&#x", ";", "é", "日本", "word", " ", "\n", "\r\n", "<", ">", "\"", "'", "<script>", "</script>", "\t"};
  const std::vector<std::string> tame(pieces.begin() + 4, pieces.begin() + 17);  // nothing here may take text with it
  std::mt19937 random(20261124);
  for (int round = 0; round < 20000; ++round) {
    std::string html;
    const std::size_t count = random() % 40;
    for (std::size_t i = 0; i < count; ++i) html += round % 2 == 0 ? pieces[random() % pieces.size()] : random() % 3 == 0 ? "日本" : tame[random() % tame.size()];
    const std::string text = convert(html);
    ASSERT_EQ(find_invalid_utf8(text), std::string_view::npos) << html;
    ASSERT_LE(text.size(), 3 * html.size() + 100) << html;
    const auto count_words = [](std::string_view in) {
      std::size_t n = 0;
      for (std::size_t at = in.find("日本"); at != std::string_view::npos; at = in.find("日本", at + 1)) ++n;
      return n;
    };
    if (round % 2 == 1) {
      ASSERT_EQ(count_words(text), count_words(html)) << html;
    }
  }
}

}  // namespace
}  // namespace flowrun::readers
