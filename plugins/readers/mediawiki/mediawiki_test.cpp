#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "multistream.hpp"
#include "readers/common/compress_for_test.hpp"
#include "readers/common/reader_test.hpp"

namespace flowrun::readers {
namespace {

using flowrun::testing::Document;
using flowrun::testing::Parameters;
using flowrun::testing::Paths;
using flowrun::testing::Runner;
using flowrun::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

const std::string kHead =
    "<mediawiki xmlns=\"http://www.mediawiki.org/xml/export-0.11/\" version=\"0.11\" xml:lang=\"pl\">\n  <siteinfo>\n    <sitename>Wikipedia</sitename>\n    <namespaces>\n"
    "      <namespace key=\"0\" case=\"first-letter\" />\n      <namespace key=\"6\" case=\"first-letter\">Plik</namespace>\n"
    "      <namespace key=\"14\" case=\"first-letter\">Kategoria</namespace>\n    </namespaces>\n  </siteinfo>\n";
const std::string kEnd = "</mediawiki>\n";

std::string page(int id, const std::string& text, const std::string& more = "", int name_space = 0) {
  return "  <page>\n    <title>Title " + std::to_string(id) + " &amp; more</title>\n    <ns>" + std::to_string(name_space) + "</ns>\n    <id>" + std::to_string(id) + "</id>\n" + more +
         "    <revision>\n      <id>" + std::to_string(1000 + id) + "</id>\n      <timestamp>2026-01-02T03:04:05Z</timestamp>\n      <contributor><username>u</username><id>7</id></contributor>\n"
         "      <model>wikitext</model>\n      <format>text/x-wiki</format>\n      <text bytes=\"" + (text.empty() ? "0" : "1") + "\" xml:space=\"preserve\">" + text + "</text>\n    </revision>\n  </page>\n";
}

class MediawikiNode : public ReaderTest {
 protected:
  MediawikiNode() : ReaderTest("data/") {}
  std::vector<Document> read_text(const std::string& bytes) { return read({{"paths", paths({{"dump.xml", bytes}})}}); }
};

std::vector<std::string> texts(const std::vector<Document>& rows) {
  std::vector<std::string> out;
  for (const Document& row : rows) out.push_back(row.text);
  return out;
}

TEST_F(MediawikiNode, ReadsPagesWithTheirColumns) {
  const auto rows = read({{"paths", paths({{"a.xml", kHead + page(5, "'''A''' &lt;ref&gt;x&lt;/ref&gt;[[plik:b.png]]") + page(9, "B") + kEnd}})}, {"domain", "wiki"}});
  EXPECT_THAT(rows, ElementsAre(Document{"data/a.xml#0", "A", "wiki", "data/a.xml"}, Document{"data/a.xml#1", "B", "wiki", "data/a.xml"}));
  ASSERT_EQ(batches_.size(), 1u);
  const BatchView view(batches_[0].array.get(), batches_[0].schema);
  EXPECT_EQ(view.strings("title")[0], "Title 5 & more");
  EXPECT_EQ(view.values<std::int64_t>("page_id", "l")[1], 9);
  EXPECT_EQ(view.strings("timestamp")[1], "2026-01-02T03:04:05Z");
  EXPECT_EQ(view.strings("language")[0], "pl");
  EXPECT_THAT(errors(), IsEmpty());
  EXPECT_THAT(node_->close(), IsEmpty());
}

TEST_F(MediawikiNode, ChoosesNamespacesAndRedirects) {
  const std::string text = kHead + page(1, "one") + page(2, "talk", "", 1) + page(3, "#REDIRECT [[X]]", "    <redirect title=\"X\" />\n") + page(4, "file", "", 6) + page(5, "five") + kEnd;
  const auto rows = read_text(text);
  EXPECT_THAT(texts(rows), ElementsAre("one", "five"));
  EXPECT_EQ(rows[1].id, "data/dump.xml#4") << "pages that are left out count";
  EXPECT_THAT(dropped(), ElementsAre("data/dump.xml#1 namespace 1", "data/dump.xml#2 redirect", "data/dump.xml#3 namespace 6"));
  EXPECT_THAT(texts(read({{"paths", paths({{"dump.xml", text}})}, {"namespaces", std::vector<std::string>{"1", "6"}}})), ElementsAre("talk", "file"));
  EXPECT_THAT(texts(read({{"paths", paths({{"dump.xml", text}})}, {"redirects", true}})), ElementsAre("one", "- REDIRECT X", "five"));
}

TEST_F(MediawikiNode, LeavesOutManyPagesInARowInBoundedMemory) {
  std::string text = kHead;
  for (int i = 0; i < 1000; ++i) text += page(i, "x", "", i == 500 ? 0 : 10);
  flowrun::testing::OpenOptions options;
  options.batch_documents = 7;
  EXPECT_THAT(texts(read({{"paths", paths({{"a.xml", text + kEnd}})}}, options)), ElementsAre("x"));
  EXPECT_EQ(dropped().size(), 999u);
  EXPECT_EQ(dropped()[500], "data/a.xml#501 namespace 10");
  EXPECT_THAT(node_->close(), IsEmpty());
}

TEST_F(MediawikiNode, TakesTheLastRevisionAndWikitextAlone) {
  std::string two = page(1, "old");
  two.insert(two.find("  </page>"), "<revision><id>2</id><timestamp>t</timestamp><model>wikitext</model><text>new</text></revision>");
  std::string css = page(2, "a{}");
  css.replace(css.find("wikitext"), 8, "sanitized-css");
  EXPECT_THAT(texts(read_text(kHead + two + css + kEnd)), ElementsAre("new"));
}

TEST_F(MediawikiNode, TakesParametersOfTheText) {
  const std::string text = kHead + page(1, "== H ==\n&lt;math&gt;x&lt;/math&gt;y -{z}-\n{|\n| t\n|}") + kEnd;
  EXPECT_THAT(texts(read_text(text)), ElementsAre("H\n$x$y -{z}-"));
  EXPECT_THAT(texts(read({{"paths", paths({{"dump.xml", text}})}, {"headings", false}, {"math", "drop"}, {"tables", "flatten"}, {"language", "zh"}})), ElementsAre("y z\nt"));
}

TEST_F(MediawikiNode, RefusesABadNamespace) {
  try {
    read({{"paths", paths({{"a", ""}})}, {"namespaces", std::vector<std::string>{"0", "Talk"}}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "'namespaces' has 'Talk', expected the number of a namespace such as \"0\"");
  }
}

TEST_F(MediawikiNode, TakesEmptyFilesAndEmptyDumps) {
  EXPECT_THAT(read({{"paths", paths({{"a.xml", ""}, {"b.xml", kHead + kEnd}, {"c.xml", "\xEF\xBB\xBF<?xml version=\"1.0\"?>\n" + kHead + page(1, "") + kEnd}})}}), SizeIs(1));
  EXPECT_THAT(errors(), IsEmpty());
}

TEST_F(MediawikiNode, LosesADamagedPageAlone) {
  std::string broken = page(2, "x &nosuch; y"), open = page(3, "three"), no_id = page(5, "five"), bad_utf8 = page(6, "\xC3");
  open.replace(open.find("</page>"), 7, "<!page>");
  no_id.replace(no_id.find("<id>5"), 5, "<id>z");
  const std::string text = kHead + page(1, "one") + broken + open + page(4, "four") + no_id + bad_utf8 + "junk" + page(7, "seven") + kEnd;
  const auto rows = read_text(text);
  EXPECT_THAT(texts(rows), ElementsAre("one", "four", "seven"));
  std::vector<std::string> codes;
  for (const auto& error : errors()) codes.push_back(error.code + " " + std::to_string(error.record));
  EXPECT_THAT(codes, ElementsAre("bad_xml 1", "bad_xml 2", "bad_page 4", "bad_utf8 5", "bad_xml 6"));
  EXPECT_EQ(errors()[0].offset, static_cast<std::int64_t>(text.find(broken)) + 2);
  EXPECT_EQ(errors()[2].message, "<id> is 'z', expected the number of the page");
  EXPECT_THAT(errors()[4].message, HasSubstr("found 'junk"));
}

TEST_F(MediawikiNode, SaysWhatAFileIsThatIsNoDumpOfPages) {
  const auto message = [&](const std::string& text) {
    EXPECT_THAT(read_text(text), IsEmpty());
    EXPECT_EQ(errors().size(), 1u);
    EXPECT_EQ(errors()[0].code, "bad_dump");
    EXPECT_EQ(errors()[0].documents, 0);
    EXPECT_EQ(errors()[0].file_bytes, static_cast<std::int64_t>(text.size()));
    return errors()[0].message;
  };
  EXPECT_EQ(message("<?xml version=\"1.0\"?>\n<feed>\n<doc>\n<title>Wikipedia: A</title>\n<abstract>a</abstract>\n</doc>\n</feed>\n"),
            "found XML whose root is <feed>, a dump of abstracts, expected a dump of pages, whose root is <mediawiki>: take a file called *-pages-articles.xml.bz2 or "
            "*-pages-articles-multistream.xml.bz2");
  EXPECT_THAT(message("-- MySQL dump 10.19\n--\nDROP TABLE IF EXISTS `page`;\nCREATE TABLE `page` (\n"), StartsWith("found an SQL dump, expected"));
  EXPECT_THAT(message("<!-- x --><posts>\n<row Id=\"1\" />\n</posts>\n"), StartsWith("found XML whose root is <posts>, posts of Stack Exchange, which readers/stackexchange reads, expected"));
  EXPECT_THAT(message("\n{\"id\":\"Q1\"}\n"), StartsWith("found JSON, expected"));
  EXPECT_THAT(message("628:10:Anarchy\x01\n"), StartsWith("found a file that begins '628:10:Anarchy?\?', expected"));
  EXPECT_THAT(texts(read_text("<?xml version=\"1.0\"?>\n" + kHead.substr(3) + page(1, "one") + kEnd)), ElementsAre("one")) << "of a damaged root the pages are read all the same";
}

TEST_F(MediawikiNode, RefusesPagesOfAStubDump) {
  std::string stub = page(1, "");
  stub.replace(stub.find("bytes=\"0\""), 9, "bytes=\"77\"");
  std::string hidden = page(2, "");
  hidden.replace(hidden.find("bytes=\"0\""), 9, "bytes=\"77\" deleted=\"deleted\"");
  EXPECT_THAT(texts(read_text(kHead + stub + hidden + page(3, "three") + kEnd)), ElementsAre("", "three"));
  ASSERT_THAT(errors(), SizeIs(1));
  EXPECT_EQ(errors()[0].message, "the page's <text> is empty and should have 77 bytes, as in a dump of stubs; expected a dump of pages with their content, *-pages-articles.xml.bz2");
}

TEST_F(MediawikiNode, RefusesEntitiesOfItsOwn) {
  const std::string bomb = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;\">]>" + kHead + page(1, "&b;") + page(2, "two") + kEnd;
  EXPECT_THAT(texts(read_text(bomb)), ElementsAre("two"));
  ASSERT_THAT(errors(), SizeIs(2));
  EXPECT_THAT(errors()[0].message, HasSubstr("a document type is declared"));
  EXPECT_EQ(errors()[0].documents, 0);
  EXPECT_THAT(errors()[1].message, HasSubstr("undefined entity"));
}

TEST_F(MediawikiNode, SeesCuts) {
  const std::string text = kHead + page(1, "one") + page(2, "two") + page(3, "three") + kEnd;
  for (std::size_t size = 1; size + 2 < text.size(); size += 3) {
    const auto rows = read_text(text.substr(0, size));
    ASSERT_LE(rows.size(), 3u);
    ASSERT_THAT(errors(), ::testing::Not(IsEmpty())) << "cut at " << size;
    for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(rows[i].text, i == 0 ? "one" : i == 1 ? "two" : "three");
  }
}

TEST_F(MediawikiNode, RefusesAPageOverTheLimit) {
  const auto rows = read({{"paths", paths({{"a.xml", kHead + page(1, "one") + page(2, std::string(2'000'000, 'x')) + page(3, std::string(900, 'y')) + page(4, "four") + kEnd}})}, {"max_record_bytes", 1000}});
  EXPECT_THAT(texts(rows), ElementsAre("one", "four"));
  ASSERT_THAT(errors(), SizeIs(2));
  EXPECT_EQ(errors()[1].message, "a record of more than 1000 bytes ('max_record_bytes')");
  EXPECT_EQ(rows[1].id, "data/a.xml#3");
}

// ------------------------------------------------------------------------------------------------------------------------ multistream

struct Dump {
  std::string stored, index;
};

/// A dump of streams of `per_stream` pages.
Dump multistream(int pages, int per_stream) {
  Dump dump{bzip2(kHead), ""};
  for (int first = 0; first < pages; first += per_stream) {
    std::string stream;
    for (int id = first; id < std::min(pages, first + per_stream); ++id) {
      stream += page(id, "text of page " + std::to_string(id * 7919 % 10007));
      dump.index += std::to_string(dump.stored.size()) + ":" + std::to_string(id) + ":Title: with colon\n";
    }
    dump.stored += bzip2(stream);
  }
  dump.stored += bzip2(kEnd);
  return dump;
}

const std::string kName = "plwiki-20260101-pages-articles-multistream.xml.bz2", kIndexName = "plwiki-20260101-pages-articles-multistream-index.txt.bz2";

TEST_F(MediawikiNode, ReadsStreamsBesideTheirIndexAsWithoutIt) {
  const Dump dump = multistream(1000, 100);
  const auto plain = read({{"paths", paths({{kName, dump.stored}})}});
  ASSERT_EQ(plain.size(), 1000u);
  EXPECT_EQ(plain[999].id, "data/" + kName + "#999");
  for (const auto& [name, bytes] : {std::pair(kIndexName, bzip2(dump.index)), std::pair(kIndexName.substr(0, kIndexName.size() - 4), dump.index)}) {
    const TemporaryFolder other;
    Paths files({{other.write(kName, dump.stored), "data/" + kName}, {other.write(name, bytes), "data/" + name}});
    EXPECT_TRUE(read({{"paths", files}}) == plain) << name;
    EXPECT_THAT(errors(), IsEmpty());
  }
}

TEST_F(MediawikiNode, CutsALargeDumpIntoUnits) {
  Dump dump{bzip2(kHead), ""};
  std::mt19937 random(3);
  for (int id = 0; id < 6; ++id) {
    std::string noise(1 << 20, ' ');
    for (char& c : noise) c = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ."[random() % 64];  // which bzip2 makes no smaller than three quarters
    dump.index += std::to_string(dump.stored.size()) + ":" + std::to_string(id) + ":T\n";
    dump.stored += bzip2(page(id, noise));
  }
  dump.stored += bzip2(kEnd);
  const auto rows = read({{"paths", paths({{kName, dump.stored}, {kIndexName, bzip2(dump.index)}})}});
  EXPECT_EQ(rows.size(), 6u);
  EXPECT_EQ(node_->unit_count(), 2);
  EXPECT_THAT(errors(), IsEmpty());
}

TEST_F(MediawikiNode, LosesADamagedStreamAlone) {
  Dump dump = multistream(1000, 100);
  const std::size_t third = std::stoul(dump.index.substr(dump.index.find(":299:") - 12).substr(dump.index.substr(dump.index.find(":299:") - 12).find('\n') + 1));
  dump.stored[third + 200] = static_cast<char>(dump.stored[third + 200] ^ 1);
  const auto rows = read({{"paths", paths({{kName, dump.stored}, {kIndexName, bzip2(dump.index)}})}});
  EXPECT_EQ(rows.size(), 900u);
  ASSERT_THAT(errors(), SizeIs(1));
  EXPECT_EQ(errors()[0].code, "damaged_bzip2");
  EXPECT_GE(errors()[0].offset, static_cast<std::int64_t>(third));
  EXPECT_EQ(rows.back().id, "data/" + kName + "#999") << "records behind the damage keep their numbers";
}

TEST_F(MediawikiNode, SeesAnIndexThatDoesNotFit) {
  const Dump dump = multistream(300, 100);
  const std::string index = dump.index.substr(dump.index.find('\n') + 1);  // one page too few
  read({{"paths", paths({{kName, dump.stored}, {kIndexName, bzip2(index)}})}});
  ASSERT_THAT(errors(), SizeIs(1));
  EXPECT_EQ(errors()[0].code, "index_mismatch");
  for (const auto& [bad, message] : {std::pair<std::string, std::string>("nonsense\n", "line 1 has no OFFSET:ID:TITLE"), {dump.index + "5:1:x\n", "line 301 has offset 5, expected at least"},
                                     {"99999999:1:x\n", "less than the dump's"}}) {
    try {
      read({{"paths", paths({{kName, dump.stored}, {kIndexName, bzip2(bad)}})}});
      ADD_FAILURE() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kCorruptData);
      EXPECT_THAT(error.what(), HasSubstr(message));
    }
  }
}

TEST(FindStreamIndex, KnowsTheNamesOfDumps) {
  const TemporaryFolder folder;
  const std::string index = folder.write("enwiki-20260101-pages-articles-multistream-index1.txt-p1p41242.bz2", "");
  EXPECT_EQ(find_stream_index(folder.path("enwiki-20260101-pages-articles-multistream1.xml-p1p41242.bz2")), index);
  EXPECT_EQ(find_stream_index(folder.path("enwiki-20260101-pages-articles-multistream2.xml-p1p41242.bz2")), "");
  EXPECT_EQ(find_stream_index(folder.path("enwiki-20260101-pages-articles.xml.bz2")), "");
  EXPECT_TRUE(is_stream_index(index));
  EXPECT_FALSE(is_stream_index(folder.path("enwiki-multistream.xml.bz2")));
}

/// Seeded damage to plain and to compressed dumps: every page is given as it was, refused, or part of what a reported damage has lost. One may be missing: damage
/// that takes the end of a page with the beginning of the next makes one of two.
TEST_F(MediawikiNode, LosesNoPageSilently) {
  constexpr int kPages = 30;
  const Dump dump = multistream(kPages, 5);
  std::string plain = kHead;
  for (int id = 0; id < kPages; ++id) plain += page(id, "text of page " + std::to_string(id * 7919 % 10007));
  plain += kEnd;
  std::mt19937 random(20261124);
  for (int round = 0; round < 600; ++round) {
    const bool stored = round % 3 == 0;
    std::string bytes = stored ? dump.stored : plain;
    const std::size_t at = random() % bytes.size();
    switch (random() % 4) {
      case 0: bytes[at] = static_cast<char>(random()); break;
      case 1: bytes.erase(at, 1 + random() % 50); break;
      case 2: bytes.insert(at, bytes.substr(random() % bytes.size(), 1 + random() % 50)); break;
      default: bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8)); break;
    }
    const auto rows = read({{"paths", paths({{stored ? "a.xml.bz2" : "a.xml", bytes}})}});
    ASSERT_LE(rows.size(), static_cast<std::size_t>(kPages) + 1) << "round " << round;
    auto refused = static_cast<std::int64_t>(dropped().size());  // another number of a namespace is another namespace
    bool rest = false;
    for (const auto& error : errors()) refused += error.documents, rest |= error.documents == 0;
    if (!rest) {
      ASSERT_GE(static_cast<std::int64_t>(rows.size()) + refused, kPages - 1) << "round " << round << " at " << at;
    }
  }
}

TEST_F(MediawikiNode, StopsWhenTheRunStops) {
  node_ = std::make_unique<Runner>(flowrun_plugin_v1, Parameters{{"paths", paths({{"a.xml", kHead + "junk" + page(1, "x") + kEnd}})}});
  node_->open();
  node_->stop_on_record_error();
  EXPECT_THROW(node_->read_all(), Error);
  EXPECT_EQ(errors().size(), 1u);
}

}  // namespace
}  // namespace flowrun::readers
