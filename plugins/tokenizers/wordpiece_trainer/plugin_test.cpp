#include <gtest/gtest.h>

#include <algorithm>
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

TEST(WordPieceTrainerNode, WritesTheFileOfHuggingFace) {
  const auto goldens = read_trained_goldens(FLOWRUN_TEST_SOURCE_DIR);
  EXPECT_EQ(goldens.size(), 5u);
  for (const TrainedGolden& golden : goldens) {
    SCOPED_TRACE(golden.line["parameters"].dump().substr(0, 200));
    const std::string text = train_node(golden.texts, golden.parameters).tokenizer_json;
    EXPECT_EQ(OrderedJson::parse(text).dump(), golden.line["tokenizer"].dump());
    if (golden.line.contains("text")) {
      EXPECT_EQ(text, golden.line["text"].get<std::string>());
    }
    const Tokenizer tokenizer = read_tokenizer(text);
    for (const auto& sample : golden.line["ids"])
      EXPECT_EQ(tokenizer.encode(sample[0].get<std::string>()).ids, sample[1].get<std::vector<std::uint32_t>>()) << sample[0];
  }
}

TEST(WordPieceTrainerNode, TellsWhatSpecialTokensAreFor) {
  const auto config = OrderedJson::parse(train_node(kTexts, {{"vocab_size", 60}}).tokenizer_config_json);
  const std::map<std::string, std::string> expected = {{"pad_token", "[PAD]"}, {"unk_token", "[UNK]"}, {"cls_token", "[CLS]"}, {"sep_token", "[SEP]"}, {"mask_token", "[MASK]"}};
  for (const auto& [key, token] : expected) EXPECT_EQ(config[key], token);
  EXPECT_FALSE(config.contains("eos_token"));
  EXPECT_EQ(config["model_input_names"].dump(), R"(["input_ids","token_type_ids","attention_mask"])");
  EXPECT_EQ(config["tokenizer_class"], "PreTrainedTokenizerFast");
}

TEST(WordPieceTrainerNode, IsTheSameForAnyOrderAndBatches) {
  EXPECT_EQ(read_tokenizer(train_in_any_order(FLOWRUN_TEST_SOURCE_DIR "/..", 600)).vocab_size(), 600u);
}

// A document is cut at spaces, and each part becomes words by itself. That must be what the components make of the whole document: so with one text for
// all, or all of them one after another, the same is learned. Random characters, most of them unusual.
TEST(WordPieceTrainerNode, CutsDocumentsWhereNothingChanges) {
  std::mt19937 random(4);
  const std::u32string characters = U" \n\t\r\v\f\u0085\u00A0\u0301\u0323\u3000\u2028aAeE\u00C9\u0130\u03A3\uFB01\u4E2D\u0001\u200B.,-\uAC00\u1161\uFFFD";
  for (const bool clean_text : {true, false}) {
    const WordMaker maker(Json{{"type", "BertNormalizer"}, {"clean_text", clean_text}, {"handle_chinese_chars", true}, {"strip_accents", nullptr}, {"lowercase", true}},
                          Json{{"type", "BertPreTokenizer"}});
    std::map<std::string, std::uint64_t> whole;
    std::vector<std::string> texts, words;
    for (int i = 0; i < 2000; ++i) {
      std::string& text = texts.emplace_back();
      for (unsigned n = random() % 12; n > 0; --n) append_utf8(characters[random() % characters.size()], text);
      for (const Piece& word : maker.words_of(text)) words.push_back(word.text.text());
    }
    ASSERT_GT(words.size(), 2000u);
    // The same words, one to a document, where there is nothing to cut; their normal form is their own.
    const TestParameters parameters = {{"vocab_size", 400}, {"clean_text", clean_text}, {"min_frequency", 2}};
    EXPECT_EQ(train_node(texts, parameters).tokenizer_json, train_node(words, parameters).tokenizer_json);
  }
}

TEST(WordPieceTrainerNode, GoesOnFromASnapshotWithLittleMemory) {
  EXPECT_EQ(read_tokenizer(train_with_little_memory(FLOWRUN_TEST_SOURCE_DIR "/..", {{"vocab_size", 600}})).vocab_size(), 600u);
}

TEST(WordPieceTrainerNode, WarnsWhereTheTextIsTooShort) {
  const Trained trained = train_node(kTexts, {{"vocab_size", 3000}});
  const std::size_t tokens = read_tokenizer(trained.tokenizer_json).vocab_size();
  EXPECT_EQ(messages_of(trained.logs, FLOWRUN_LOG_WARNING), (std::vector<std::string>{"the text gives " + std::to_string(tokens) + " tokens, 'vocab_size' is 3000"}));
}

TEST(WordPieceTrainerNode, SaysHowFarItIs) {
  const auto messages = messages_of(train_node(golden_texts(FLOWRUN_TEST_SOURCE_DIR "/..", "corpus"), {{"vocab_size", 1500}}).logs, FLOWRUN_LOG_INFO);
  ASSERT_GT(messages.size(), 5u);
  EXPECT_TRUE(messages[0].starts_with("training on ")) << messages[0];
  EXPECT_TRUE(messages[1].starts_with("learning from ")) << messages[1];
  std::size_t before = 0;
  for (std::size_t i = 2; i < messages.size(); ++i) {
    const std::size_t tokens = std::stoul(messages[i]);
    EXPECT_GT(tokens, before);
    EXPECT_TRUE(messages[i].starts_with(std::to_string(tokens) + " of 1500 tokens; the last pair occurs ")) << messages[i];
    before = tokens;
  }
  EXPECT_EQ(before, 1500u) << "the last one comes at the end";
}

TEST(WordPieceTrainerNode, ObeysMinFrequencyAndSpecialTokens) {
  const std::vector<std::string> specials = {"[UNK]", "[SEP]", "[A]"};
  const auto vocab_of = [&](std::int64_t min_frequency) {
    const TestParameters parameters = {{"vocab_size", 3000}, {"min_frequency", min_frequency}, {"special_tokens", specials}};
    return OrderedJson::parse(train_node(golden_texts(FLOWRUN_TEST_SOURCE_DIR "/..", "corpus"), parameters).tokenizer_json)["model"]["vocab"];
  };
  const OrderedJson any = vocab_of(0), frequent = vocab_of(20), none = vocab_of(1'000'000'000);
  EXPECT_GT(any.size(), frequent.size());
  EXPECT_GT(frequent.size(), none.size());
  for (const auto& [token, id] : none.items()) {
    const std::string_view bare = std::string_view(token).starts_with("##") ? std::string_view(token).substr(2) : token;
    const bool special = std::find(specials.begin(), specials.end(), token) != specials.end();
    EXPECT_TRUE(special || utf8_bytes(bare, 0) == bare.size()) << token << " is a merge";
  }
  for (std::size_t id = 0; id < specials.size(); ++id) EXPECT_EQ(any[specials[id]], id);
}

TEST(WordPieceTrainerNode, RefusesWhatCannotBe) {
  const auto message = [](const std::vector<std::string>& texts, const TestParameters& parameters) { return message_of([&] { train_node(texts, parameters); }); };
  EXPECT_EQ(message({}, {{"vocab_size", 100}}), "the input has no word to learn from");
  EXPECT_EQ(message({"", " \n", "\u0001\u200B"}, {{"vocab_size", 100}}), "the input has no word to learn from");
  EXPECT_EQ(message({"abc"}, {{"vocab_size", 9}}),
            "the special tokens and the characters of the text are 10 tokens, but 'vocab_size' is 9: raise it, or lower 'limit_alphabet', which is 1000");
  EXPECT_EQ(message({"abc"}, {{"vocab_size", 9}, {"special_tokens", std::vector<std::string>{"[PAD]"}}}),
            "'special_tokens' has no '[UNK]', which stands for words that the vocabulary cannot spell");
  EXPECT_EQ(message({"abc"}, {{"vocab_size", 9}, {"special_tokens", std::vector<std::string>{"[UNK]", "[UNK]"}}}), "'special_tokens' has '[UNK]' twice");
  EXPECT_EQ(message({"abc"}, {{"vocab_size", 9}, {"special_tokens", std::vector<std::string>{"[UNK]", ""}}}), "'special_tokens' has an empty one");
}

TEST(WordPieceTrainerNode, StopsWhenTheRunStops) {
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

TEST(WordPieceTrainerNode, SaysWhatItCouldNotWrite) {
  const testing::TemporaryFolder folder;
  testing::Runner node(flowrun_plugin_v1, {{"vocab_size", 300}});
  testing::OpenOptions options;
  options.staging = folder.path("absent");
  node.open({fields::documents()}, options);
  node.consume(testing::documents_batch({{"a", kTexts[0], "d", "s"}}));
  const auto [code, text] = error_of([&] { node.finish(); });
  EXPECT_EQ(code, Code::kIo);
  EXPECT_NE(text.find("absent/tokenizer.json' cannot be written, needs "), std::string::npos) << text;
}

}  // namespace
}  // namespace flowrun::tokenizers
