#include "gutenberg.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "encoding.hpp"
#include "readers/common/compress_for_test.hpp"
#include "readers/common/reader_test.hpp"

namespace flowrun::readers {
namespace {

using flowrun::testing::Batch;
using flowrun::testing::Document;
using flowrun::testing::Parameters;
using flowrun::testing::Runner;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kBook = "THE RIVER\n\nCHAPTER I\n\nThe boat went down the river.\n\n    It was late.\n";

/// A text in the form since 2004, around `body`.
std::string modern(const std::string& body, const std::string& encoding = "UTF-8", const std::string& start = "*** START OF THIS PROJECT GUTENBERG EBOOK THE RIVER ***",
                   const std::string& end = "End of the Project Gutenberg EBook of The River, by Ann Other\n\n*** END OF THIS PROJECT GUTENBERG EBOOK THE RIVER ***\n") {
  return "The Project Gutenberg EBook of The River, by Ann Other\n\nThis eBook is for the use of anyone anywhere at no cost and with\nalmost no restrictions whatsoever.\n\n\n"
         "Title: The River\n       or, The Boat\n\nAuthor: Ann Other\n        Bo Third\n\nRelease Date: March 4, 2007 [EBook #20776]\n[Last updated: June 1, 2010]\n\nLanguage: English\n\n"
         "Character set encoding: " + encoding + "\n\n" + start + "\n\n\n\n" + body + "\n\n\n\n" + end +
         "\n***** This file should be named 20776-8.txt *****\n\nTHE FULL PROJECT GUTENBERG LICENSE\nPLEASE READ THIS\n";
}

/// A text in the form of the 1990s, around `body`.
std::string legacy(const std::string& body, const std::string& start = "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*") {
  return "**The Project Gutenberg Etext of The River, by Ann Other**\n#3 in our series by Ann Other\n\nCopyright laws are changing all over the world.\n\nThe River\n\nby Ann Other\n\n"
         "March, 1994  [Etext #114]\n\n*****The Project Gutenberg Etext of The River*****\n******This file should be named river10.txt or river10.zip******\n\n"
         "***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***\nWhy is this \"Small Print!\" statement here?\n\n" +
         start + "\n\n\n\n" + body + "\n\n\nEnd of The Project Gutenberg Etext of The River, by Ann Other\n\n";
}

std::string body_of(const std::string& text, GutenbergOptions options = {}) { return read_gutenberg(text, options).text; }

// -------------------------------------------------------------------------------------------------------------------- the text alone

TEST(Gutenberg, CutsEachFormOfMarks) {
  for (const char* start : {"*** START OF THIS PROJECT GUTENBERG EBOOK THE RIVER ***", "*** START OF THE PROJECT GUTENBERG EBOOK THE RIVER ***",
                            "***START OF THE PROJECT GUTENBERG EBOOK THE RIVER***", "  *** START OF THE PROJECT GUTENBERG EBOOK THE RIVER ***", "*** Start of the Project Gutenberg eBook The River ***",
                            "*** START OF THE COPYRIGHTED PROJECT GUTENBERG EBOOK THE RIVER ***",
                            "*** START OF THE PROJECT GUTENBERG EBOOK A LONG\nTITLE OF THE RIVER ***", "*** START OF THE PROJECT GUTENBERG EBOOK THE RIVER"}) {
    const GutenbergText found = read_gutenberg(modern(kBook, "UTF-8", start), {});
    EXPECT_EQ(found.text, kBook) << start;
    EXPECT_TRUE(found.has_start && found.has_end);
  }
  for (const char* end : {"*** END OF THE PROJECT GUTENBERG EBOOK THE RIVER ***\n", "***END OF THE PROJECT GUTENBERG EBOOK THE RIVER***\n", "End of Project Gutenberg's The River, by Ann Other\n",
                          "End of the Project Gutenberg EBook of The River\n\n\n*** END OF THE PROJECT GUTENBERG EBOOK ***\n", "        ***END OF THE PROJECT GUTENBERG EBOOK THE RIVER***\n",
                          "*** START: FULL LICENSE ***\n", "Ende dieses Project Gutenberg Etextes The River\n", "[End of Project Gutenberg's The River]\n",
                          "**This is a COPYRIGHTED Project Gutenberg Etext, Details Above**\n"})
    EXPECT_EQ(body_of(modern(kBook, "UTF-8", "*** START OF THE PROJECT GUTENBERG EBOOK THE RIVER ***", end)), kBook) << end;
  for (const char* start : {"*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*", "*END THE SMALL PRINT! FOR PUBLIC DOMAIN EBOOKS*Ver.02/11/02*END*",
                            "ENDTHE SMALL PRINT! FOR PUBLIC DOMAIN",
                            "   *END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*", "*SMALL PRINT! Ver.04.29.93 FOR COPYRIGHT PROTECTED ETEXTS*END*"})
    EXPECT_EQ(body_of(legacy(kBook, start)), kBook) << start;
}

TEST(Gutenberg, ReadsWhatTheHeaderSays) {
  const GutenbergText now = read_gutenberg(modern(kBook), {});
  EXPECT_EQ(now.title, "The River or, The Boat");
  EXPECT_EQ(now.author, "Ann Other; Bo Third");
  EXPECT_EQ(now.language, "English");
  EXPECT_EQ(now.release_date, "March 4, 2007");
  EXPECT_EQ(now.number, 20776);
  const GutenbergText then = read_gutenberg(legacy(kBook), {});
  EXPECT_EQ(then.title, "The River");
  EXPECT_EQ(then.author, "Ann Other");
  EXPECT_EQ(then.language, std::nullopt);
  EXPECT_EQ(then.release_date, "March, 1994");
  EXPECT_EQ(then.number, 114);
  const GutenbergText silent = read_gutenberg("Title:\n\nAuthor:\n\n*** START OF THE PROJECT GUTENBERG EBOOK ***\ntext\nTitle: inside\n", {});
  EXPECT_EQ(silent.title, std::nullopt);
  EXPECT_EQ(silent.author, std::nullopt);
  EXPECT_EQ(silent.number, std::nullopt);
  EXPECT_EQ(silent.text, "text\nTitle: inside\n");
}

TEST(Gutenberg, KeepsTextWithoutMarksWhole) {
  for (const std::string& text : {std::string("\n\nProduced by no one\n\nText about\nProject Gutenberg and its START.\n\n\n"), std::string("no newline"), std::string(""), std::string("\n"),
                                  std::string("The START OF THE PROJECT GUTENBERG EBOOK is told.\n")}) {
    const GutenbergText found = read_gutenberg(text, {});
    EXPECT_EQ(found.text, text);
    EXPECT_FALSE(found.has_start || found.has_end);
    EXPECT_EQ(found.title, std::nullopt);
  }
  EXPECT_EQ(body_of("a\r\nb\rc"), "a\nb\nc");
}

TEST(Gutenberg, CutsAtOneMarkAlone) {
  EXPECT_EQ(body_of("*** START OF THE PROJECT GUTENBERG EBOOK X ***\n\n" + kBook), kBook);
  const GutenbergText ends = read_gutenberg("Title: no header\n\n" + kBook + "\nEnd of Project Gutenberg's X\n", {});
  EXPECT_EQ(ends.text, "Title: no header\n\n" + kBook);
  EXPECT_TRUE(!ends.has_start && ends.has_end);
}

TEST(Gutenberg, CutsAtTheLastOfOlderEnds) {
  const std::string two = kBook + "\nEnd of Project Gutenberg Etext of The River, Volume 1\n\n" + kBook;
  EXPECT_EQ(body_of(legacy(two)), two) << "a text of two volumes holds the first one's end";
  std::string late;
  for (int i = 0; i < 1000; ++i) late += "line\n";
  EXPECT_EQ(body_of(modern(late + "*END*THE SMALL PRINT! is told here\n" + kBook)), late + "*END*THE SMALL PRINT! is told here\n" + kBook) << "no header is that long";
}

TEST(Gutenberg, CutsCreditsAndNotesUnlessTheyAreKept) {
  const std::string credit = "Produced by Ann Body and the Online Distributed\nProofreading Team at http://www.pgdp.net\n\n\n\n",
                    note = "[Transcriber's Note: [sic] is the\nauthor's.\n\nSo is this.]\n\n";
  EXPECT_EQ(body_of(modern(credit + note + kBook)), kBook);
  EXPECT_EQ(body_of(modern(credit + kBook), {.keep_credits = true}), credit + kBook);
  EXPECT_EQ(body_of(modern(credit + note + kBook), {.keep_notes = true}), note + kBook);
  for (const char* made : {"E-text prepared by A", "This etext was prepared by A", "This eBook was produced by A",
                           "Transcribed from the 1899 edition by A", "[Scanned by A]", "(This file was produced from images by A)"})
    EXPECT_EQ(body_of(modern(std::string(made) + "\n\n" + kBook)), kBook) << made;
  for (const char* told : {"TRANSCRIBER'S NOTE\n\nOne paragraph\nof two lines.\n", "Transcriber\xE2\x80\x99s Notes:\nSpelling is kept.\n",
                           "+-- Transcribers' Note: a box --+\n| in two lines\n", "Transcriber's note\n"})
    EXPECT_EQ(body_of(modern(kBook + "\n\n" + told)), kBook) << told;
  const std::string deep = kBook + "\n\n" + kBook + "\nProduced by hand, it was\nno credit.\n\nTranscribers note much.\n";
  EXPECT_EQ(body_of(modern(kBook + deep)), kBook + deep);
  EXPECT_EQ(body_of(modern("[Transcriber's Note: never closed\n\n" + kBook)), kBook);
}

TEST(Gutenberg, CutsLicencesInsideTheText) {
  const std::string licence =
      "<<THIS ELECTRONIC VERSION OF THE COMPLETE WORKS OF WILLIAM\nSHAKESPEARE IS COPYRIGHT\nSERVICE THAT CHARGES FOR DOWNLOAD TIME OR FOR MEMBERSHIP.>>\n";
  EXPECT_EQ(body_of(modern(kBook + licence + kBook)), kBook + kBook);
  EXPECT_THAT(body_of(modern(kBook + "<<THIS ELECTRONIC VERSION OF never ends\n" + kBook)), HasSubstr("never ends"));
}

TEST(Gutenberg, NeverFailsOnMutatedTexts) {
  const std::string text = modern("Produced by A\n\n[Transcriber's Note: b]\n\n" + kBook) + legacy(kBook);
  for (unsigned seed = 0; seed < 2000; ++seed) {
    std::mt19937 random(seed);
    std::string mutated = text;
    for (int change = 0; change < 10; ++change) mutated[random() % mutated.size()] = std::string_view("\n\r*[] \0\xFF:", 9)[random() % 9];
    mutated.resize(random() % mutated.size());
    EXPECT_LE(read_gutenberg(mutated, {}).text.size(), mutated.size() + 1) << "seed " << seed;
  }
}

TEST(EncodingName, KnowsTheNamesOfHeaders) {
  for (const char* name : {"UTF-8", "utf8", "Unicode UTF-8"}) EXPECT_EQ(encoding_name(name), "UTF-8") << name;
  for (const char* name : {"ASCII", "US-ASCII", "ISO-646-US (US-ASCII)", "ISO 646-US"}) EXPECT_EQ(encoding_name(name), "ASCII") << name;
  for (const char* name : {"ISO-8859-1", "ISO Latin-1", "ISO 8859-1", "iso8859-1", "Latin1", "Windows-1252", "CP-1252", "ISO-8859-1 (Latin-1)"}) EXPECT_EQ(encoding_name(name), "WINDOWS-1252") << name;
  EXPECT_EQ(encoding_name("KOI8-R "), "KOI8-R");
  EXPECT_EQ(encoding_name("ISO 8859-2"), "ISO-8859-2");
}

TEST(ToUtf8, ConvertsAndNamesWhatItCannot) {
  std::string out;
  EXPECT_FALSE(to_utf8("caf\xE9 \x93quoted\x94", "WINDOWS-1252", out));
  EXPECT_EQ(out, "café “quoted”");
  EXPECT_FALSE(to_utf8("\xF0\xD2", "KOI8-R", out));
  EXPECT_EQ(out, "Пр");
  EXPECT_FALSE(to_utf8(std::string(100000, '\xE9'), "WINDOWS-1252", out));
  EXPECT_EQ(out.size(), 200000u);
  EXPECT_EQ(to_utf8("ab\x81", "WINDOWS-1252", out)->message, "byte 2 of the text is not WINDOWS-1252");
  EXPECT_STREQ(to_utf8("caf\xE9", "ASCII", out)->code, "bad_encoding");
  EXPECT_EQ(to_utf8("abc\xA4", "BIG5", out)->message, "byte 3 of the text is not BIG5");
  EXPECT_STREQ(to_utf8("a", "no such thing", out)->code, "unknown_encoding");
  EXPECT_STREQ(to_utf8("caf\xE9", "ASCII//IGNORE", out)->code, "unknown_encoding") << "iconv would leave bytes out";
}

// ------------------------------------------------------------------------------------------------------------------------- the node

using GutenbergNode = ReaderTest;

TEST_F(GutenbergNode, ReadsBooksWithColumns) {
  node_ = std::make_unique<Runner>(flowrun_plugin_v1, Parameters{{"paths", paths({{"a.txt", modern(kBook)}, {"b.txt.bz2", bzip2(legacy(kBook))},
                                                                                      {"c.txt", "no marks"}, {"d.txt", ""}})}, {"domain", "books"}});
  node_->open();
  const std::vector<Batch> batches = node_->read_all();
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_THAT(document_rows(batches[0]),
              ElementsAre(Document{"a.txt#0", kBook, "books", "a.txt"}, Document{"b.txt.bz2#0", kBook, "books", "b.txt.bz2"}, Document{"c.txt#0", "no marks", "books", "c.txt"}));
  const flowrun::BatchView batch(batches[0].array.get(), batches[0].schema);
  EXPECT_EQ(batch.strings("title")[0], "The River or, The Boat");
  EXPECT_EQ(batch.strings("release_date")[1], "March, 1994");
  EXPECT_EQ(batch.values<std::int64_t>("ebook_number", "l")[1], 114);
  EXPECT_EQ(batch.strings("marks")[1], "both");
  EXPECT_EQ(batch.strings("marks")[2], "none");
  const ArrowArray& language = *batches[0].array.get().children[batches[0].schema.find("language")];
  EXPECT_EQ(language.null_count, 2);
  EXPECT_THAT(errors(), IsEmpty());
}

TEST_F(GutenbergNode, SplitsABookIntoPiecesThatShareItsColumns) {
  node_ = std::make_unique<Runner>(flowrun_plugin_v1, Parameters{{"paths", paths({{"a.txt", modern(kBook)}})}, {"split", "blank_lines"}});
  node_->open();
  const std::vector<Batch> batches = node_->read_all();
  const auto rows = document_rows(batches.at(0));
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[3], (Document{"a.txt#3", "    It was late.", "", "a.txt"}));
  EXPECT_EQ(flowrun::BatchView(batches[0].array.get(), batches[0].schema).strings("author")[3], "Ann Other; Bo Third");
}

TEST_F(GutenbergNode, ConvertsWhatAFileDeclares) {
  const std::string utf8 = "Le café.\n", latin = "Le caf\xE9.\n";
  const auto rows = read({{"paths", paths({{"a", modern(latin, "ISO-8859-1")}, {"b", modern(utf8, "ISO-8859-1")}, {"c", modern(utf8, "no such thing")},
                                             {"d", modern("\xEB\xCF\xC6\xC5\n", "KOI8-R")}, {"e", "\xEF\xBB\xBF" + modern(utf8)}})}});
  EXPECT_THAT(rows, ElementsAre(Document{"a#0", utf8, "", "a"}, Document{"b#0", utf8, "", "b"},
                                Document{"c#0", utf8, "", "c"}, Document{"d#0", "Кофе\n", "", "d"}, Document{"e#0", utf8, "", "e"}));
  EXPECT_THAT(errors(), IsEmpty());
  EXPECT_EQ(read({{"paths", paths({{"a", "caf\xE9"}})}, {"encoding", "latin1"}}).at(0).text, "café");
}

TEST_F(GutenbergNode, RefusesWhatIsNotInItsEncoding) {
  const auto rows = read({{"paths", paths({{"a", modern("caf\xE9\n", "ASCII")}, {"b", modern("caf\xE9\n", "UTF-8")}, {"c", "caf\xE9"},
                                             {"d", modern("caf\xE9\n", "no such thing")}, {"e", modern("last\n")}})}});
  EXPECT_THAT(rows, ElementsAre(Document{"e#0", "last\n", "", "e"}));
  ASSERT_EQ(errors().size(), 4u);
  EXPECT_EQ(errors()[0].code, "bad_encoding");
  EXPECT_THAT(errors()[0].message, HasSubstr("of the text is not ASCII"));
  EXPECT_EQ(errors()[0].documents, 1);
  EXPECT_EQ(errors()[1].code, "bad_utf8");
  EXPECT_EQ(errors()[2].message, "invalid UTF-8 at byte 3 of the text, and the file declares no encoding; 'encoding' can name it");
  EXPECT_EQ(errors()[2].bytes, 4);
  EXPECT_EQ(errors()[3].code, "unknown_encoding");
}

TEST_F(GutenbergNode, RefusesUnmarkedTextsWhereToldTo) {
  const auto rows = read({{"paths", paths({{"a", "no marks"}, {"b", ""}, {"c", modern(kBook)}})}, {"unmarked", "refuse"}});
  EXPECT_THAT(rows, ElementsAre(Document{"c#0", kBook, "", "c"}));
  ASSERT_EQ(errors().size(), 1u);
  EXPECT_EQ(errors()[0].code, "unmarked_text");
}

TEST_F(GutenbergNode, RefusesALargeFileAndLeavesOutADamagedOne) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += std::to_string(i * 7919 % 100003) + (i % 10 == 0 ? "\n\n" : " ");
  const std::string whole = modern(text), cut = zstd(whole).substr(0, zstd(whole).size() / 2);
  const auto rows = read({{"paths", paths({{"a.zst", cut}, {"b", whole}, {"c", modern(kBook)}})}, {"max_record_bytes", 100'000}});
  EXPECT_THAT(rows, ElementsAre(Document{"c#0", kBook, "", "c"}));
  ASSERT_EQ(errors().size(), 2u);
  EXPECT_EQ(errors()[1].code, "record_too_large");
  EXPECT_THAT(read({{"paths", paths({{"a.zst", cut}})}}), IsEmpty());
  ASSERT_EQ(errors().size(), 1u);
  EXPECT_EQ(errors()[0].code, "damaged_zstd");
}

}  // namespace
}  // namespace flowrun::readers
