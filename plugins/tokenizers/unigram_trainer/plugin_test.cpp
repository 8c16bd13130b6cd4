#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tokenizers/common/pipeline/tokenizer_file.hpp"
#include "tokenizers/common/training/trainer_testing.hpp"
#include "tokenizers/common/training/word_maker.hpp"
#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

using flowrun::testing::error_of;
using flowrun::testing::message_of;
using OrderedJson = nlohmann::ordered_json;

const std::vector<std::string> kTexts = {"The cat sat on the mat.", "the dog; the cat's dog", "", "caf\u00e9 CAFE"};

using Scores = std::map<std::string, double>;

Scores take_scores(OrderedJson& file) {
  Scores scores;
  for (const auto& entry : file["model"]["vocab"]) scores[entry[0]] = entry[1];
  file["model"]["vocab"] = nullptr;
  return scores;
}

// Of several ways to write a number shortest the JSON library does not always take one.
std::string without_scores(const std::string& text) {
  std::string rest;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    const bool is_score = line.size() > 8 && line.find_first_not_of(' ') == 8 && line.find_first_not_of("-.0123456789", 8) == std::string::npos;
    rest += is_score ? "        score" : line;
    rest += '\n';
    begin = end + 1;
  }
  return rest;
}

// The library's own file differs from run to run: it sums in the order of a hash, and characters that lost their pieces get scores in that order.
TEST(UnigramTrainerNode, WritesTheFileOfHuggingFace) {
  const auto goldens = read_trained_goldens(FLOWRUN_TEST_SOURCE_DIR);
  EXPECT_EQ(goldens.size(), 3u);
  for (const TrainedGolden& golden : goldens) {
    SCOPED_TRACE(golden.line["parameters"].dump());
    const std::string text = train_node(golden.texts, golden.parameters).tokenizer_json;
    OrderedJson ours = OrderedJson::parse(text), theirs = golden.line["tokenizer"];
    EXPECT_EQ(without_scores(text), without_scores(ours.dump(2))) << "two spaces a level";
    const Scores our_scores = take_scores(ours), their_scores = take_scores(theirs);
    EXPECT_EQ(ours.dump(), theirs.dump());
    double score_min = 0;
    for (const auto& [piece, score] : their_scores) score_min = std::min(score_min, score);
    ASSERT_EQ(our_scores.size(), their_scores.size());
    for (const auto& [piece, score] : their_scores) {
      ASSERT_TRUE(our_scores.contains(piece)) << piece;
      EXPECT_NEAR(our_scores.at(piece), score, score < score_min + 0.01 ? 0.01 : 1e-9) << piece;
    }
    const Tokenizer tokenizer = read_tokenizer(text), peer = read_tokenizer(golden.line["tokenizer"].dump());
    for (const auto& sample : golden.line["ids"]) {
      EXPECT_EQ(tokenizer.encode(sample[0].get<std::string>()).tokens, peer.encode(sample[0].get<std::string>()).tokens) << sample[0];
      EXPECT_EQ(peer.encode(sample[0].get<std::string>()).ids, sample[1].get<std::vector<std::uint32_t>>()) << sample[0];
    }
  }
}

TEST(UnigramTrainerNode, TellsWhatSpecialTokensAreFor) {
  const auto config = OrderedJson::parse(train_node(kTexts, {{"vocab_size", 60}}).tokenizer_config_json);
  const std::map<std::string, std::string> expected = {
      {"bos_token", "<|endoftext|>"}, {"eos_token", "<|endoftext|>"}, {"pad_token", "<|pad|>"}, {"mask_token", "<|mask|>"}, {"unk_token", "<unk>"}};
  for (const auto& [key, token] : expected) EXPECT_EQ(config[key], token);
  const auto t5 = OrderedJson::parse(
      train_node(kTexts, {{"vocab_size", 60}, {"special_tokens", std::vector<std::string>{"<pad>", "</s>"}}, {"unk_token", "?"}}).tokenizer_config_json);
  EXPECT_EQ(t5["eos_token"], "</s>");
  EXPECT_EQ(t5["pad_token"], "<pad>");
  EXPECT_EQ(t5["unk_token"], "?");
  EXPECT_FALSE(t5.contains("mask_token"));
}

TEST(UnigramTrainerNode, PutsAnUnknownTokenOfItsOwnBeforeTheOthers) {
  const Trained trained = train_node(kTexts, {{"vocab_size", 60}, {"special_tokens", std::vector<std::string>{"</s>"}}, {"unk_token", "?"}});
  const auto file = OrderedJson::parse(trained.tokenizer_json);
  EXPECT_EQ(file["model"]["unk_id"], 0);
  EXPECT_EQ(file["added_tokens"][0]["content"], "?");
  EXPECT_EQ(file["added_tokens"][1]["content"], "</s>");
  EXPECT_EQ(read_tokenizer(trained.tokenizer_json).encode("\u6771").ids.back(), 0u);
}

TEST(UnigramTrainerNode, IsTheSameForAnyOrderAndBatches) {
  EXPECT_EQ(read_tokenizer(train_in_any_order(FLOWRUN_TEST_SOURCE_DIR "/..", 400)).vocab_size(), 400u);
}

// Documents are cut into parts that become words by themselves. That must be what the components make of the whole document, so the words, one to a
// document, teach the same: a word is "▁" and what is its own normal form, and one that is "▁" alone is a document of one space.
TEST(UnigramTrainerNode, CutsDocumentsWhereNothingChanges) {
  std::mt19937 random(4);
  const std::u32string characters = U" \n\t\r\v\f\u0085\u00A0\u00A8\u0301\u3000\u2028aAe\u00C9\uFB01\u4E2D\u0001\u200B.-\uAC00\u1161";
  for (const char* const normalization : {"nmt_nfkc", "identity"}) {
    const bool identity = std::string(normalization) == "identity";
    const OrderedJson file = OrderedJson::parse(train_node(kTexts, {{"vocab_size", 60}, {"normalization", normalization}}).tokenizer_json);
    const WordMaker maker{Json(file["normalizer"]), Json(file["pre_tokenizer"])};
    std::vector<std::string> texts, words;
    std::size_t alone = 0;
    for (int i = 0; i < 3000; ++i) {
      std::string& text = texts.emplace_back();
      for (unsigned n = random() % 9; n > 0; --n) append_utf8(characters[random() % (identity ? 8 : characters.size())], text);
      for (const Piece& word : maker.words_of(text)) {
        words.push_back(" " + word.text.text().substr(3));
        if (words.back() == " ") ++alone;
      }
    }
    ASSERT_GT(words.size(), 3000u);
    ASSERT_GT(alone, 100u);
    const TestParameters parameters = {{"vocab_size", 200}, {"normalization", normalization}};
    EXPECT_EQ(train_node(texts, parameters).tokenizer_json, train_node(words, parameters).tokenizer_json) << normalization;
  }
}

TEST(UnigramTrainerNode, GoesOnFromASnapshotWithLittleMemory) {
  EXPECT_EQ(read_tokenizer(train_with_little_memory(FLOWRUN_TEST_SOURCE_DIR "/..", {{"vocab_size", 400}})).vocab_size(), 400u);
}

TEST(UnigramTrainerNode, WarnsWhereTheTextIsTooShort) {
  const Trained trained = train_node(kTexts, {{"vocab_size", 3000}});
  const std::size_t tokens = read_tokenizer(trained.tokenizer_json).vocab_size();
  EXPECT_EQ(messages_of(trained.logs, FLOWRUN_LOG_WARNING), (std::vector<std::string>{"the text gives " + std::to_string(tokens) + " tokens, 'vocab_size' is 3000"}));
}

TEST(UnigramTrainerNode, SaysHowFarItIs) {
  const Trained trained = train_node(golden_texts(FLOWRUN_TEST_SOURCE_DIR "/..", "corpus"), {{"vocab_size", 400}});
  const auto messages = messages_of(trained.logs, FLOWRUN_LOG_INFO);
  ASSERT_GT(messages.size(), 4u);
  EXPECT_TRUE(messages[0].starts_with("training on ")) << messages[0];
  EXPECT_TRUE(messages[1].starts_with("learning from ")) << messages[1];
  std::size_t before = std::numeric_limits<std::size_t>::max();
  for (std::size_t i = 2; i < messages.size(); ++i) {
    const std::size_t pieces = std::stoul(messages[i]);
    EXPECT_LE(pieces, before);
    EXPECT_EQ(messages[i], std::to_string(pieces) + " pieces; the vocabulary has room for 396");
    before = pieces;
  }
}

TEST(UnigramTrainerNode, RefusesWhatCannotBe) {
  const auto message = [](const std::vector<std::string>& texts, const TestParameters& parameters) { return message_of([&] { train_node(texts, parameters); }); };
  EXPECT_EQ(message({}, {{"vocab_size", 100}}), "the input has no word to learn from");
  EXPECT_EQ(message({"", "\u0001"}, {{"vocab_size", 100}}), "the input has no word to learn from");
  EXPECT_EQ(message({"abc"}, {{"vocab_size", 3}}), "'vocab_size' is 3, expected at least the 4 special tokens");
  EXPECT_EQ(message({"abc"}, {{"vocab_size", 7}}), "the text has 4 different characters, and 'vocab_size' has room for 3");
  EXPECT_EQ(message({"abc"}, {{"vocab_size", 90}, {"shrinking_factor", 1.0}}), "'shrinking_factor' is 1.0, expected above 0 and below 1");
  EXPECT_EQ(message({"abc"}, {{"vocab_size", 90}, {"special_tokens", std::vector<std::string>{"a", "a"}}}), "'special_tokens' has 'a' twice");
}

TEST(UnigramTrainerNode, StopsWhenTheRunStops) {
  const testing::TemporaryFolder folder;
  testing::Runner node(flowrun_plugin_v1, {{"vocab_size", 300}});
  testing::OpenOptions options;
  options.staging = folder.path();
  node.open({fields::documents()}, options);
  node.consume(testing::documents_batch({{"a", kTexts[0], "d", "s"}}));
  node.request_stop();
  EXPECT_EQ(error_of([&] { node.finish(); }).first, Code::kCancelled);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace flowrun::tokenizers
