#include "filters/common/fasttext/model_file.hpp"

#include <flowrun/error.hpp>
#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "filters/common/fasttext/labels.hpp"

namespace flowrun::filters::fasttext {
namespace {

using flowrun::testing::read_file;
using flowrun::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::array<const char*, 4> kModels = {"softmax.bin", "hierarchical.bin", "one_versus_all.bin", "pruned.ftz"};

std::string testdata(const std::string& name) { return FLOWRUN_TEST_SOURCE_DIR "/fasttext/testdata/" + name; }

/// The message that refuses a model of these bytes, "" where it is read.
std::string refusal(const TemporaryFolder& folder, const std::string& bytes) {
  try {
    read_model(folder.write("model", bytes));
    return "";
  } catch (const Error& error) {
    return std::string(code_name(error.code())) + ": " + error.message();
  }
}

template <class T>
std::string with_number(std::string bytes, std::size_t at, T value) {
  return bytes.replace(at, sizeof value, reinterpret_cast<const char*>(&value), sizeof value);
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  WordReader reader(text);
  for (std::string_view word; reader.next(word);) words.emplace_back(word);
  return words;
}

std::vector<std::uint32_t> rows_of(const Dictionary& dictionary, std::string_view line) {
  std::vector<std::uint32_t> rows;
  dictionary.rows_of(line, rows);
  return rows;
}

TEST(FastTextModel, PredictsWhatTheLibraryPredicts) {
  std::map<std::string, int> lines_of_model;
  std::ifstream in(testdata("answers.jsonl"));
  for (std::string line; std::getline(in, line);) {
    const auto json = flowrun::testing::read_json(line);
    const Model model = read_model(testdata(json["model"].text));
    std::map<std::string, float> expected, found;
    for (const auto& [label, probability] : json["probabilities"].members) expected[label] = static_cast<float>(probability.number());
    std::vector<std::uint32_t> all;
    const auto predictions = model.predict(json["text"].text);
    for (const auto& prediction : predictions) {
      found[std::string(model.label(prediction.label))] = prediction.probability;
      all.push_back(prediction.label);
    }
    EXPECT_EQ(found, expected) << line;  // to the last bit
    const auto answer = model.ask(json["text"].text, all);
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->best.label, predictions[0].label) << line;
    EXPECT_EQ(answer->best.probability, predictions[0].probability) << line;
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(answer->probabilities[i], predictions[i].probability) << line;
    ++lines_of_model[json["model"].text];
  }
  EXPECT_EQ(lines_of_model.size(), kModels.size());
}

TEST(FastTextModel, NamesLabels) {
  const Model model = read_model(testdata("softmax.bin"));
  EXPECT_EQ(model.label(require_label(model, "topic2", "labels")), "topic2");
  try {
    require_label(model, "topik2", "labels");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "'labels' names 'topik2', which is none of the model's 4 labels; did you mean 'topic2'?");
  }
}

TEST(FastTextWords, AreCutAtAsciiWhiteSpaceAndZeroBytes) {
  EXPECT_THAT(words_of(" a\tb\v\fc\r\nd\xC2\xA0" "e "), ElementsAre("a", "b", "c", "d\xC2\xA0" "e"));
  EXPECT_THAT(words_of(std::string_view("a\0b", 3)), ElementsAre("a", "b"));
  EXPECT_THAT(words_of(" "), IsEmpty());
}

TEST(FastTextDictionary, EndsALineAtItsMarkAndLeavesLabelsOut) {
  const Dictionary dictionary({}, {{"a", 3}, {"b", 2}, {"</s>", 1}}, {{"__label__x", 1}});
  EXPECT_THAT(rows_of(dictionary, "b a z b"), ElementsAre(1, 0, 1, 2)) << "z is not known";
  EXPECT_THAT(rows_of(dictionary, "a </s> b"), ElementsAre(0, 2));
  EXPECT_THAT(rows_of(dictionary, "a __label__x __label__y"), ElementsAre(0, 2));
  EXPECT_THAT(rows_of(dictionary, ""), ElementsAre(2));
}

TEST(FastTextDictionary, HashesNgramsOfWords) {
  const Dictionary dictionary({.words = 2, .buckets = 1000}, {{"a", 1}}, {{"__label__x", 1}});
  // Signed 32-bit hashes, widened: FNV-1a by hand.
  const auto signed_hash = [](std::string_view word) { return static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int32_t>(hash_word(word)))); };
  const auto pair = [&](std::string_view first, std::string_view second) { return static_cast<std::uint32_t>(1 + (signed_hash(first) * 116049371 + signed_hash(second)) % 1000); };
  EXPECT_THAT(rows_of(dictionary, "a é"), ElementsAre(0, pair("a", "é"), pair("é", "</s>")));
}

TEST(FastTextDictionary, HashesNgramsOfCharacters) {
  const Dictionary dictionary({.min_characters = 2, .max_characters = 2, .buckets = 1 << 20}, {{"éa", 1}}, {{"__label__x", 1}});
  const auto row = [](std::string_view ngram) { return 1 + hash_word(ngram) % (1 << 20); };
  EXPECT_THAT(rows_of(dictionary, "éa"), ElementsAre(0, row("<é"), row("éa"), row("a>"))) << "no n-grams of </s>";
  EXPECT_THAT(rows_of(dictionary, "b"), ElementsAre(row("<b"), row("b>")));
  const Dictionary single({.min_characters = 1, .max_characters = 1, .buckets = 1 << 20}, {{"a", 1}}, {{"__label__x", 1}});
  EXPECT_THAT(rows_of(single, "a"), ElementsAre(0, row("a"))) << "no mark alone";
}

TEST(FastTextDictionary, GivesTheRowsOfALongLineInPieces) {
  const Dictionary dictionary({.min_characters = 1, .max_characters = 4, .words = 2, .buckets = 1000}, {{"a", 1}}, {{"__label__x", 1}});
  std::string line(100'000, 'x');
  for (int i = 0; i < 50'000; ++i) line += i % 3 == 0 ? " a" : " bc";
  std::vector<std::uint32_t> all;
  std::size_t largest = 0;
  dictionary.for_each_rows(line, [&](std::span<const std::uint32_t> rows) {
    all.insert(all.end(), rows.begin(), rows.end());
    largest = std::max(largest, rows.size());
  });
  EXPECT_EQ(all, rows_of(dictionary, line));
  // n-grams of up to 4 of "<xxx...>", of "<a>" and its row, and of "<bc>"; pairs with the end of the line as the last word.
  EXPECT_EQ(all.size(), (100'002u * 4 - 6 - 2) + 16'667u * (1 + 1 + 2 + 1) + 33'333u * (2 + 3 + 2 + 1) + 50'001u);
  EXPECT_LT(largest, 10'000u);
}

TEST(FastTextDictionary, KeepsOnlyNgramsThatWereNotPruned) {
  const std::uint32_t bucket = hash_word("b>") % 1000;
  const Dictionary dictionary({.min_characters = 2, .max_characters = 2, .buckets = 1000}, {{"a", 1}}, {{"__label__x", 1}}, true, {{static_cast<std::int32_t>(bucket), 7}});
  EXPECT_THAT(rows_of(dictionary, "b a"), ElementsAre(8, 0));
  const Dictionary none({.min_characters = 2, .max_characters = 2, .buckets = 1000}, {{"a", 1}}, {{"__label__x", 1}}, true);
  EXPECT_THAT(rows_of(none, "b a"), ElementsAre(0));
}

TEST(FastTextLabelTree, IsHuffmansForFallingCounts) {
  const std::vector<std::int64_t> counts = {8, 4, 2, 1};
  const LabelTree tree(counts);
  std::vector<bool> right;
  EXPECT_EQ(tree.path_to(0, right).size(), 1u);
  EXPECT_EQ(tree.path_to(3, right).size(), 3u);
  EXPECT_EQ(tree.depth(), 3u);
  const std::vector<std::int64_t> one = {5};
  EXPECT_THAT(LabelTree(one).path_to(0, right), IsEmpty());
}

TEST(FastTextModelFile, SaysWhereAndWhyItIsRefused) {
  const TemporaryFolder folder;
  const std::string model = read_file(testdata("softmax.bin"));
  ASSERT_EQ(refusal(folder, model), "");
  const std::string place = "kCorruptData: '" + folder.path("model") + "' at byte ";
  EXPECT_EQ(refusal(folder, ""), place + "0: the file ends before the format's number");
  EXPECT_EQ(refusal(folder, "{\"a\": 1}"), place + "0: found 576791163, expected 793712314 as a fastText model (.bin or .ftz) begins");
  EXPECT_EQ(refusal(folder, with_number<std::int32_t>(model, 4, 13)), place + "4: the version is 13, expected 11 to 12");
  EXPECT_EQ(refusal(folder, with_number<std::int32_t>(model, 8, 0)), place + "8: dim is 0, expected 1 to 65536");
  EXPECT_EQ(refusal(folder, with_number<std::int32_t>(model, 64, -1)), place + "64: the size of the dictionary is -1, expected 1 to 2147483647");
  EXPECT_EQ(refusal(folder, with_number<std::int32_t>(model, 68, 5)), place + "64: 5 words and 4 labels, expected " + std::to_string(*reinterpret_cast<const std::int32_t*>(model.data() + 64)) + " together");
  EXPECT_THAT(refusal(folder, with_number<std::int32_t>(model, 36, 2)), HasSubstr("kUnsupported: '" + folder.path("model") + "' has word vectors (model 2), expected a supervised model"));
  EXPECT_EQ(refusal(folder, model + "x"), place + std::to_string(model.size()) + ": 1 bytes more than the model has");
  EXPECT_THAT(refusal(folder, model.substr(0, model.size() - 1)), HasSubstr("the output matrix needs 16 times 4 bytes, 63 are left"));
  EXPECT_EQ(refusal(folder, with_number<std::uint32_t>(model, model.size() - 4, 0x7FC00000)), place + std::to_string(model.size() - 4) + ": the output matrix has a number that is not finite");
  EXPECT_THROW(read_model(folder.path("none")), Error);
}

TEST(FastTextModelFile, IsReadOrRefusedHoweverItIsDamaged) {
  const TemporaryFolder folder;
  std::mt19937 draw(11);
  int refused = 0;
  for (int i = 0; i < 400; ++i) {
    std::string model = read_file(testdata(kModels[static_cast<std::size_t>(i) % kModels.size()]));
    const std::size_t at = draw() % model.size();
    if (i % 3 == 0) model.resize(at);
    else if (i % 3 == 1) model[at] = static_cast<char>(model[at] ^ (1 << draw() % 8));
    else model = with_number<std::uint32_t>(model, std::min(at, model.size() - 4), std::array<std::uint32_t, 4>{0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, 0}[draw() % 4]);
    const std::string file = folder.write("model", model);
    try {
      const Model read = read_model(file);
      read.ask("some words of a text", {});
    } catch (const Error& error) {
      EXPECT_THAT(std::string(error.message()), ::testing::AnyOf(HasSubstr("at byte"), HasSubstr("word vectors"), HasSubstr("weights are too large"))) << "damage " << i;
      ++refused;
    }
  }
  EXPECT_GT(refused, 150);
}

TEST(FastTextModelFile, IsWrittenAsItIsRead) {
  const TemporaryFolder folder;
  const Dictionary dictionary({.words = 2, .buckets = 3}, {{"a", 3}, {"</s>", 1}}, {{"__label__x", 2}, {"__label__y", 1}});
  std::vector<float> input, output;
  for (int i = 0; i < 5 * 2; ++i) input.push_back(static_cast<float>(i) / 8);
  for (int i = 0; i < 2 * 2; ++i) output.push_back(static_cast<float>(i) / 4 - 1);
  write_model(folder.path("model.bin"), {}, dictionary, 6, DenseMatrix(2, input), DenseMatrix(2, output));
  const Model model = read_model(folder.path("model.bin"));
  // "a a": rows 0, 0, 1 and the pairs (a, a) and (a, </s>); softmax of the mean by hand.
  std::vector<std::uint32_t> rows;
  model.dictionary().rows_of("a a", rows);
  ASSERT_EQ(rows.size(), 5u);
  double mean[2] = {0, 0}, sum = 0, expected[2];
  for (const std::uint32_t row : rows)
    for (int j = 0; j < 2; ++j) mean[j] += (row * 2 + static_cast<unsigned>(j)) / 8.0 / 5;
  for (int i = 0; i < 2; ++i) sum += expected[i] = std::exp(mean[0] * (i * 2 / 4.0 - 1) + mean[1] * ((i * 2 + 1) / 4.0 - 1));
  for (const auto& prediction : model.predict("a a")) EXPECT_NEAR(prediction.probability, expected[prediction.label] / sum, 2e-5);
}

}  // namespace
}  // namespace flowrun::filters::fasttext
