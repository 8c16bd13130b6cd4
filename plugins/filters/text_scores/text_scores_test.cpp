#include "text_scores.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "syllables.hpp"

namespace flowrun::filters {

/// Found by the test framework, so not in the namespace below.
void PrintTo(const TextCounts& counts, std::ostream* out) { *out << counts.words << " words, " << counts.sentences << " sentences, " << counts.syllables << " syllables"; }

namespace {

using flowrun::testing::Batch;
using flowrun::testing::document_rows;
using flowrun::testing::documents_batch;
using flowrun::testing::Document;
using flowrun::testing::error_of;
using flowrun::testing::Parameters;
using flowrun::testing::Runner;
using flowrun::testing::slice;
using flowrun::testing::with_column;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TextCounts count(std::string_view text) {
  static const CodePointClasses classes;
  return count_text(text, classes);
}
std::int64_t sentences(std::string_view text) { return count(text).sentences; }

// Each pattern of the rule, counted by hand; those of the module's own documentation and comments among them.
TEST(Syllables, FollowsEachPattern) {
  const std::vector<std::pair<std::u32string_view, int>> words = {
      {U"a", 1}, {U"w", 2}, {U"the", 1}, {U"crwth", 1}, {U"supercalifragilisticexpialidocious", 14},
      {U"special", 2},     // e ia - cial + ia
      {U"initial", 3},     // i i ia - tia + ia
      {U"lucius", 2},      // u iu - cius + iu
      {U"precious", 2},    // e iou - cious - iou + io + three vowels
      {U"belgium", 2},     // e iu - giu + iu
      {U"nation", 2},      // a io - ion + io
      {U"fuchsia", 2},     // u ia - sia$ + ia
      {U"asiago", 4},      // a ia o + ia
      {U"absolutely", 4},  // a o u e y - .ely$
      {U"ely", 2},
      {U"accused", 2}, {U"executed", 4}, {U"needed", 2}, {U"ed", 1}, {U"bed", 1},  // 1 - 1 is none, so one
      {U"variety", 4}, {U"audience", 3}, {U"radii", 3},
      {U"microorganism", 6},  // i oo a i + microor + ism$
      {U"agreeable", 4},      // a eea + [aeiouym]bl$ + three vowels
      {U"humble", 2}, {U"middle", 2}, {U"bottl", 2}, {U"bl", 1}, {U"all", 1},
      {U"isms", 2}, {U"mcdonald", 3}, {U"couldnt", 2},
      {U"alien", 3}, {U"lien", 1}, {U"ebullient", 3},
      {U"coalesce", 3}, {U"coal", 1}, {U"coast", 1},
      {U"persuade", 3}, {U"equal", 2}, {U"guava", 2},
      {U"café", 1}, {U"éél", 1}, {U"слово", 1},
  };
  for (const auto& [word, syllables] : words) EXPECT_EQ(count_syllables(word), syllables) << std::string(word.begin(), word.end());
}

TEST(Syllables, CountsAPatternOnceAWord) { EXPECT_EQ(count_syllables(U"iabiab"), 3) << "ia ia + ia"; }

TEST(CountText, CountsByHand) {
  EXPECT_EQ(count("The cat sat on the mat. The dog ran!"), (TextCounts{9, 2, 9}));
  EXPECT_EQ(count("Don't use well-known O’Neill's 3.14 -- ideas"), (TextCounts{5, 1, 1 + 1 + 2 + 2 + 2})) << "oneills: o ei; ideas: i ea";
  EXPECT_EQ(count("DON'T"), count("don't"));
  EXPECT_EQ(count("42 % of 1,918"), (TextCounts{1, 1, 1}));
  EXPECT_EQ(count("well known"), (TextCounts{2, 1, 2}));
  EXPECT_EQ(count("well\u3000known"), (TextCounts{2, 1, 2}));
}

TEST(CountText, EndsSentences) {
  EXPECT_EQ(sentences("One. Two! Three? Four… Five"), 5);
  EXPECT_EQ(sentences("He said (twice.) “Go!” Then ‘no.’ And [so.] Done"), 5);
  EXPECT_EQ(sentences("It cost 3.5 pounds at example.com today"), 1) << "only at the end of a token";
  EXPECT_EQ(sentences("Apples, e.g. pippins, etc. are here. “Stop!” he said (it seems.) and (left"), 2) << "a to z goes on";
  EXPECT_EQ(sentences("One. (two) “three"), 1) << "also behind an opening mark";
  EXPECT_EQ(sentences("J. R. Smith met Mr. Jones, Dr. No and (Prof. Li). They left"), 2);
  EXPECT_EQ(sentences("Was it I? It was"), 2) << "only a point makes an initial";
  EXPECT_EQ(sentences("A heading\n\nA text\nthat goes on\r\n\r\nand ends"), 3);
  EXPECT_EQ(sentences("One. -- * 3. ... Two."), 2) << "nothing between is a sentence";
  EXPECT_EQ(sentences("one two three"), 1);
}

TEST(CountText, FindsNothingInNothing) {
  for (const char* text : {"", " \n\n ", "...", "12 + 30 = 42.", "!!! ???"}) EXPECT_EQ(count(text), TextCounts{}) << text;
}

TEST(Flesch, IsTheFormula) {
  EXPECT_DOUBLE_EQ(flesch_reading_ease({9, 2, 9}), 206.835 - 1.015 * 4.5 - 84.6);
  EXPECT_DOUBLE_EQ(flesch_reading_ease({1, 1, 1}), 121.22) << "the easiest";
  EXPECT_EQ(flesch_reading_ease({1000, 1, 1500}), 0) << "never below the end of the scale";
  EXPECT_EQ(flesch_reading_ease({}), 0);
}

TEST(Compressor, TellsTextsThatRepeatThemselves) {
  Compressor compressor;
  std::mt19937 random(3);
  std::string noise, repeated;
  while (noise.size() < 100'000) noise += static_cast<char>('a' + random() % 26);
  while (repeated.size() < 100'000) repeated += "the same again, ";
  EXPECT_EQ(compressor.ratio(""), 1);
  EXPECT_EQ(compressor.ratio("a"), 10) << "a frame of 9 bytes around one";
  EXPECT_LT(compressor.ratio(repeated), 0.001);
  EXPECT_NEAR(compressor.ratio(noise), std::log2(26) / 8, 0.02) << "the entropy of 26 letters";
  EXPECT_EQ(compressor.ratio(noise), Compressor().ratio(noise)) << "what came before does not matter";
}

// ---------------------------------------------------------------------------------------------------------------------- the node

const std::vector<Document> kDocuments = {{"a", "The cat sat on the mat. The dog ran!", "books", "a.txt"}, {"b", "", "web", "b.txt"}, {"c", "?!", "web", "c.txt"}};
const std::vector<std::string> kAll = {"compression_ratio", "flesch", "words", "sentences", "syllables"};

template <class T>
std::vector<T> column(const Batch& batch, std::string_view name, std::string_view format) {
  const T* values = BatchView(batch.array.get(), batch.schema).values<T>(name, format);
  return {values, values + batch.size()};
}

TEST(TextScoresNode, AddsColumnsAndKeepsEveryDocument) {
  Runner node(flowrun_plugin_v1, {{"scores", kAll}});
  node.open({fields::documents()});
  auto out = node.process(documents_batch(kDocuments));
  EXPECT_EQ(document_rows(out[0]), kDocuments);
  EXPECT_THAT(column<double>(out[0], "score.flesch", "g"), ElementsAre(206.835 - 1.015 * 4.5 - 84.6, 0, 0));
  EXPECT_THAT(column<std::int64_t>(out[0], "score.words", "l"), ElementsAre(9, 0, 0));
  EXPECT_THAT(column<std::int64_t>(out[0], "score.sentences", "l"), ElementsAre(2, 0, 0));
  EXPECT_THAT(column<std::int64_t>(out[0], "score.syllables", "l"), ElementsAre(9, 0, 0));
  const auto ratios = column<double>(out[0], "score.compression_ratio", "g");
  EXPECT_EQ(ratios[0], Compressor().ratio(kDocuments[0].text));
  EXPECT_EQ(ratios[1], 1);
  EXPECT_EQ(ratios[2], 5.5);
  out.clear();
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(TextScoresNode, ReadsPartsOfBatchesAndColumnsThatAreThere) {
  Runner node(flowrun_plugin_v1, {{"scores", std::vector<std::string>{"words"}}});
  Field schema = fields::documents();
  schema.children.push_back(fields::float64("score.x"));
  node.open({schema});
  auto out = node.process(slice(with_column(documents_batch(kDocuments), fields::float64("score.x"), make_column(std::vector<double>{1, 2, 3})), 1, 2));
  out.push_back(std::move(node.process(slice(with_column(documents_batch(kDocuments), fields::float64("score.x"), make_column(std::vector<double>{1, 2, 3})), 0, 1))[0]));
  EXPECT_THAT(document_rows(out[0]), ElementsAre(kDocuments[1], kDocuments[2]));
  EXPECT_THAT(column<double>(out[0], "score.x", "g"), ElementsAre(2, 3));
  EXPECT_THAT(column<std::int64_t>(out[0], "score.words", "l"), ElementsAre(0, 0));
  EXPECT_THAT(column<std::int64_t>(out[1], "score.words", "l"), ElementsAre(9));
  EXPECT_EQ(out[0].schema.children.size(), 6u) << "no other column than those that are asked for";
  out.clear();
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(TextScoresNode, GivesFiniteNumbersForAnyText) {
  std::mt19937 random(17);
  std::vector<Document> documents;
  const std::vector<std::string> pieces = {"a", "Z", "é", "’", "'", ".", "!", "…", " ", "\n", "\n\n", "\u2029", "\0", "😀", "中", "ß", "-", "9", "\xCC\x81", "Mr.", "ion"};
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (unsigned n = static_cast<unsigned>(random()) % 40; n > 0; --n) text += pieces[random() % pieces.size()];
    documents.push_back({std::to_string(i), text, "", ""});
  }
  documents.push_back({"long", std::string(5'000'000, 'a'), "", ""});
  documents.push_back({"unended", [] { std::string text; for (int i = 0; i < 500'000; ++i) text += "word "; return text; }(), "", ""});
  Runner node(flowrun_plugin_v1, {{"scores", kAll}});
  node.open({fields::documents()});
  auto out = node.process(documents_batch(documents));
  for (const char* name : {"score.flesch", "score.compression_ratio"})
    for (const double value : column<double>(out[0], name, "g")) ASSERT_TRUE(std::isfinite(value) && value >= 0) << name << " " << value;
  EXPECT_EQ(column<std::int64_t>(out[0], "score.words", "l").back(), 500'000);
  EXPECT_EQ(column<double>(out[0], "score.flesch", "g").back(), 0);
  out.clear();
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(TextScoresNode, ExplainsParametersThatItCannotTake) {
  const auto message = [](const std::vector<std::string>& scores) { return error_of([&] { Runner(flowrun_plugin_v1, {{"scores", scores}}); }); };
  EXPECT_EQ(message({"flesh"}), std::pair(Code::kInvalidArgument, std::string("'scores' names 'flesh', expected compression_ratio, flesch, words, sentences or syllables")));
  EXPECT_EQ(message({"words", "words"}).second, "'scores' names 'words' twice");
  EXPECT_EQ(message({}).second, "'scores' is empty, expected at least one");
  Runner node(flowrun_plugin_v1, Parameters{});
  Field schema = fields::documents();
  schema.children.push_back(fields::float64("score.flesch"));
  EXPECT_EQ(error_of([&] { node.open({schema}); }).second, "the input has a column 'score.flesch' already; leave 'flesch' out of 'scores'");
}

}  // namespace
}  // namespace flowrun::filters
