#include "wikitext.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "readers/common/utf8.hpp"
#include "tags.hpp"
#include "templates.hpp"

namespace flowrun::readers {
namespace {

std::string convert(std::string_view wikitext, WikitextOptions options = {}) {
  LinkPrefixes prefixes;
  prefixes.add("Plik");
  prefixes.add("Категория");
  return std::string(WikitextParser(options, prefixes).convert(wikitext, "The title"));
}

TEST(Wikitext, DropsTemplatesHoweverNested) {
  EXPECT_EQ(convert("{{Infobox\n| name = {{lang|fr|x}}\n| y = [[a|b]]\n}}\n'''Foo''' is a bar."), "Foo is a bar.");
  EXPECT_EQ(convert("a {{b|{{c|{{d}}}}}} e {{#if:x|y|z}} f"), "a e f");
  EXPECT_EQ(convert("a {{{1}}} b {{{2|other}}} c {{{{{d}}}}} e"), "a b other c e");
}

TEST(Wikitext, KeepsTemplatesThatAreWords) {
  EXPECT_EQ(convert("{{lang|xx|text}}, {{nowrap|a ''b''}}, {{convert|5|km|mi}}, a{{nbsp}}b"), "text, a b, 5 km, a\u00A0b");
  EXPECT_EQ(convert("{{convert|3|to|4|km}}; {{cvt|3|-|4|km}}; {{convert|6|ft|1|in|m}}; {{convert|5}}"), "3 to 4 km; 3–4 km; 6 ft 1 in; 5");
  EXPECT_EQ(convert("{{lang-fr|oui}} {{Lang|2=b|1=xx}} {{nowrap|1=a=b}} {{nowrap|http://x/?a=b}}"), "oui b a=b") << "without '1=' an '=' makes a name";
  EXPECT_EQ(convert("{{formatnum:1234}} {{PAGENAME}} {{frac|1|2}} {{HMS|Victory|1765}} {{circa|1900}}"), "1234 The title 1/2 HMS Victory c. 1900");
  EXPECT_EQ(convert("a{{snd}}b {{quote|text = said|author=x}} {{lang|xx}} {{nowrap|{{drop}}}}!"), "a – b said !");
}

TEST(Wikitext, JoinsWhatStandsAroundSomethingDropped) {
  EXPECT_EQ(convert("Foo ({{IPA|x}}; born 1900) and ({{x}}) b ( {{y}}, {{z}} ) c, d {{e}}."), "Foo (born 1900) and b c, d .");
  EXPECT_EQ(convert("東京（{{x}}）は"), "東京は");
  EXPECT_EQ(convert("a <ref>b</ref> c<ref name=d/>, e"), "a c, e");
}

TEST(Wikitext, ShowsTheLabelsOfLinks) {
  EXPECT_EQ(convert("[[bus]]es, [[Foo bar|baz]], [[a|b|c]], [[#x]], [[Foo|''i'']], [[Foo (bar)|]]"), "buses, baz, b|c, #x, i, Foo (bar)");
  EXPECT_EQ(convert("[http://x.y label of it] [http://x.y] http://x.y/z [//x.y z] [mailto:a@b c]"), "label of it http://x.y/z z c");
  EXPECT_EQ(convert("[not a link] [[x [http://y z] ]] [[http://y z]]"), "[not a link] x z z");
  EXPECT_EQ(convert("[[wikt:foo|foo]] [[:Category:Q]] [[:fr:Nom]] [[s:Foo]]"), "foo Category:Q fr:Nom s:Foo");
}

TEST(Wikitext, HidesFilesCategoriesAndOtherLanguages) {
  EXPECT_EQ(convert("[[File:a.jpg|thumb|200px|a [[caption]] with [http://x y]]]b"), "b");
  EXPECT_EQ(convert("[[plik:a.jpg|thumb|x]][[image:b.png]][[КАТЕГОРИЯ:Ы]][[Category:Q| ]][[fr:Nom]][[zh-min-nan:X]]b"), "b");
  EXPECT_EQ(convert("[[File:a.jpg|thumb|a\n\nb]]c\n[[Category:x]]\n\nd"), "c\n\nd");
  EXPECT_EQ(convert("[[Filets: a]]"), "Filets: a");
}

TEST(Wikitext, DropsOrFlattensTables) {
  const std::string table = "a\n{| class=\"wikitable\"\n|+ cap\n|-\n! h !! style=x | i\n|- style=y\n| b || c\n|\n{|\n| inner\n|}\n| colspan=2 | d\n| [[e|f]]\n|}\ng";
  EXPECT_EQ(convert(table), "a\n\ng");
  WikitextOptions flat;
  flat.tables = true;
  EXPECT_EQ(convert("{|\n! h !! style=x | i\n|- style=y\n| b || c\n|-\n|colspan=2| d\n| [[e|f]]\n|}\ng", flat), "h\ti\nb\tc\nd\tf\n\ng");
  EXPECT_EQ(convert("<table><tr><td>x</td><td>y</td></tr></table>z"), "z");
  EXPECT_EQ(convert("<table><tr><td>x</td><td>y</td></tr></table>z", flat), "x\ty\nz");
  EXPECT_EQ(convert(":{|\n|x\n|}\ny"), "y");
}

TEST(Wikitext, KeepsHeadingsListsAndLines) {
  EXPECT_EQ(convert("== A ==\nb\n=== C d === <!-- e -->\nf\n====\n= x"), "A\nb\nC d\nf\n====\n= x");
  WikitextOptions bare;
  bare.headings = false;
  EXPECT_EQ(convert("== A ==\nb\n== C ==", bare), "b");
  EXPECT_EQ(convert("* a\n** b\n*{{drop}}\n# c\n:: d\n; t : e\n*\nf"), "- a\n  - b\n- c\nd\nt : e\nf");
  EXPECT_EQ(convert("a\n\n\n\nb  \n----\nc<br>d<br/> e"), "a\n\nb\n\nc\nd\ne");
}

TEST(Wikitext, BalancesApostrophesAsMediaWikiDoes) {
  EXPECT_EQ(convert("'''b''' ''i'' '''''bi''''' it's a''''b"), "b i bi it's a'b");
  EXPECT_EQ(convert("l'''Inde'' x"), "l'Inde x");
  EXPECT_EQ(convert("dans l'''Ami du peuple'' de"), "dans l'Ami du peuple de");
  EXPECT_EQ(convert("'''a\nb''' c"), "a\nb c") << "each line by itself";
}

TEST(Wikitext, TakesTagsApart) {
  EXPECT_EQ(convert("a<ref>b {{c}}</ref> d<REF name=\"x\">e</Ref >f H<sub>2</sub>O <span style='a'>g</span> <blockquote>h</blockquote>i"), "a df H2O g\nh\ni");
  EXPECT_EQ(convert("<nowiki>[[x]] ''y'' &amp; {{z}}</nowiki><gallery>\nFile:a\n</gallery> <references/>1 < 2 <b >c <foo> <3"), "[[x]] ''y'' & {{z}} 1 < 2 c <foo> <3");
  EXPECT_EQ(convert("a <pre>\n b\n   [[c]]\n\n\n d\n</pre> e"), "a\n b\n   [[c]]\n\n\n d\ne");
  EXPECT_EQ(convert("<syntaxhighlight lang=c>\n  int a<b>();\n</syntaxhighlight>"), "  int a<b>();");
  EXPECT_EQ(convert("a <math>x^2 < y</math> b <ce>H2O</ce>"), "a $x^2 < y$ b $\\ce{H2O}$");
  WikitextOptions no_math;
  no_math.math = false;
  EXPECT_EQ(convert("a <math>x^2</math> b", no_math), "a b");
  EXPECT_EQ(convert("a <includeonly>x</includeonly><noinclude>y</noinclude>"), "a y");
}

TEST(Wikitext, TakesCommentsEntitiesAndMagicWords) {
  EXPECT_EQ(convert("a<!-- b\n -->c\n<!-- line -->\n<!-- x -->* d"), "ac\n- d");
  EXPECT_EQ(convert("&eacute;&nbsp;&#x41;&amp;lt; &bogus; AT&T"), "é\u00A0A&lt; &bogus; AT&T");
  EXPECT_EQ(convert("__NOTOC__a __INHALTSVERZEICHNIS__ b __foo__ __ c__"), "a b __foo__ __ c__");
}

TEST(Wikitext, ChoosesAVariantWhereTheLanguageHasThem) {
  WikitextOptions variants;
  variants.variants = has_variants("zh");
  EXPECT_EQ(convert("-{zh-hans:电脑; zh-hant:電腦;}-和-{字}--{T|zh:x}--{R|a:b}-{{x}}", variants), "电脑和字a:b");
  EXPECT_EQ(convert("-{a}-"), "-{a}-");
  EXPECT_TRUE(has_variants("sr-ec"));
  EXPECT_FALSE(has_variants("en"));
}

TEST(Wikitext, LosesNothingBehindAnOpenBracket) {
  for (const char* open : {"{{", "{{{", "[[", "[[a|", "[[File:x|", "{|\n", "{|\n|-\n|", "<ref>", "<!--", "<nowiki>", "<pre>", "<math>", "<table>", "'''", "[http://x ", "{{a|[[b", "-{", "<gallery>",
                           "== a", "__X", "&#", "<span style=\"", "{{lang|fr|", "[[[[", "}}", "]]", "|}", "</ref>", "{{{{{{{"}) {
    EXPECT_NE(convert(std::string(open) + " The rest\n\nof the page.").find("of the page."), std::string::npos) << open;
    EXPECT_NE(convert(std::string("Before. ") + open).find("Before."), std::string::npos) << open;
  }
  EXPECT_EQ(convert("a<ref>b. Text <ref>c</ref> d"), "ab. Text d") << "a reference that is not closed ends before the next one";
  EXPECT_EQ(convert("{{a|[[b}} c [[d\ne]] [[f]]"), "c [[d\ne]] f");
}

/// The times of these are in bench/peers/compare_mediawiki.py; here they end at all, which quadratic ones would do only after hours.
TEST(Wikitext, EndsOnAMegabyteOfAnyMarkup) {
  for (const std::string unit : {"{{", "[[", "{|\n", "{|", "<ref>", "<!--", "''", "'''a ", "{{a|", "[[a|", "[[File:a|\n\n", "__A", "&a", "*", "=a=\n", "|-\n", "<pre>", "[http://a ", "-{", "{{[[{|\n",
                                 "}}", "]]", "({{a}}, ", "<!--->", "== -->", "l'''a ''b "}) {
    std::string page;
    while (page.size() < (1 << 20)) page += unit;
    WikitextOptions options;
    options.variants = true;
    EXPECT_LE(convert(page, options).size(), 2 * page.size()) << unit;
  }
}

/// Seeded pieces of markup in any order: valid UTF-8 out, in a buffer that is no longer than what went in and what templates add.
TEST(Wikitext, TakesAnyOrderOfMarkup) {
  const std::vector<std::string> pieces = {"{{",  "}}",   "{{{", "}}}", "[[",     "]]",      "|",          "\n",     "\n\n",      "{|\n", "\n|}", "\n|-\n", "\n| ", "\n! ", "||",    "!!",
                                           "=",   "==",   "\n==", "''", "'''",    "'''''",   "<ref>",      "</ref>", "<ref a/>",  "<!--", "-->",  "<nowiki>", "</nowiki>", "<math>", "</math>",
                                           "*",   "\n* ", "#",   ":",   "File:",  "lang|",   "nowrap|",    "[http://a ", "]",     "é",    "日本", "word ", " ",   "(",    ")",     ",",
                                           "&amp;", "&",  "__TOC__", "-{", "}-",  "<table>", "</table>",   "<pre>",  "</pre>",    "<br>", "<",    ">",     "\t",  "convert|5|km"};
  WikitextOptions all;
  all.tables = all.variants = true;
  WikitextParser plain({}, LinkPrefixes()), full(all, LinkPrefixes());
  std::mt19937 random(20261124);
  for (int round = 0; round < 20000; ++round) {
    std::string page;
    const std::size_t count = random() % 40;
    for (std::size_t i = 0; i < count; ++i) page += pieces[random() % pieces.size()];
    for (WikitextParser* parser : {&plain, &full}) {
      const std::string_view text = parser->convert(page, "title");
      ASSERT_EQ(find_invalid_utf8(text), std::string_view::npos) << page;
      ASSERT_LE(text.size(), 4 * page.size() + 100) << page;
    }
  }
}

TEST(Wikitext, ConvertsPagesIndependently) {
  WikitextParser parser({}, LinkPrefixes());
  const std::string first(parser.convert("{{open '''a\n{|\n<ref>", "t"));
  EXPECT_EQ(parser.convert("* b [[c]]", "t"), "- b c");
  EXPECT_EQ(parser.convert("{{open '''a\n{|\n<ref>", "t"), first);
}

TEST(RenderTemplate, KnowsEveryNameOfItsList) {
  const std::vector<TemplateArgument> arguments = {{"", "a"}, {"", "b"}};
  for (const char* name : {"!", "abbr", "as of", "circa", "convert", "lang", "nowrap", "zwnj", "£", "€", "ルビ", "unité", "•", "US$", "visible anchor", "'s"}) {
    std::string out;
    EXPECT_TRUE(render_template(name, arguments, "t", out)) << name;
    EXPECT_FALSE(out.empty()) << name;
  }
  std::string out;
  EXPECT_FALSE(render_template("Infobox", arguments, "t", out));
  EXPECT_FALSE(render_template("nowrap", {}, "t", out)) << "without text there is nothing to keep";
  EXPECT_EQ(out, "");
}

TEST(ReadTag, LooksNoFurtherThanTheNextBracket) {
  EXPECT_EQ(read_tag("<ref name=a>x").size, 12u);
  EXPECT_TRUE(read_tag("<br/>").self_closing);
  EXPECT_TRUE(read_tag("</DIV >").closing);
  for (const char* text : {"<", "</", "<ref", "<ref <b>", "<refx>", "<3>", "< ref>", "<unknown>"}) EXPECT_EQ(read_tag(text).size, 0u) << text;
}

}  // namespace
}  // namespace flowrun::readers
