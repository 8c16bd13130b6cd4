#include "parts_encoder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tokenizer_file.hpp"

namespace flowrun::tokenizers {
namespace {

Json read_json(const std::string& name) {
  std::ifstream file(std::string(FLOWRUN_TEST_SOURCE_DIR) + "/testdata/" + name, std::ios::binary);
  return Json::parse(std::string{std::istreambuf_iterator<char>(file), {}});
}

// White space of all kinds, what normalizers take out, put in or look at from the next character, and words that caches hold and do not hold.
std::string random_text(std::mt19937& random) {
  static const std::vector<std::string> pieces = {" ", " ", " ", "\n", "\t", "\r", "\r\n", "\v", "\f", "\x1f", "\x01", std::string(1, '\0'), "\u00a0", "\u0085", "\u2028", "\u3000", "\u200b", "\u00ad",
                                                  "the", "The", "ing", "un", "a", "!", "'s", "\u00e9", "e\u0301", "\u0301", "\u0327", "\u03a3", "\u03c3\u03a3", "\u0130", "\u4e2d\u6587", "\u6771", "\uac00", "\u05e9\u05c1",
                                                  "\U0001f600", "[SEP]", "[UNK]", "<unk>", "##s", "12345", "0123456789abcdefghijklmnopqrstuvwxyz", "\u1100\u1161", "\ufb01"};
  std::string text;
  for (std::size_t n = random() % 30; n > 0; --n) text += pieces[random() % pieces.size()];
  return text;
}

TEST(PartsEncoder, EqualsTheWholePipelineWhereverItServes) {
  const Json tokenizers = read_json("tokenizers.json");
  const Json real_texts = read_json("texts.json").at("texts");
  std::vector<std::string> served;
  for (const auto& [name, root] : tokenizers.items()) {
    if (!PartsEncoder::serves(root)) continue;
    served.push_back(name);
    const Tokenizer tokenizer = build_tokenizer(root);
    PartsEncoder encoder(tokenizer);
    std::mt19937 random(1);
    for (std::size_t i = 0; i < 3000; ++i) {
      const std::string text = i < real_texts.size() ? real_texts[i].get<std::string>() : random_text(random);
      std::vector<std::uint32_t> ids{7}, expected{7};  // what is there already stays
      encoder.encode(text, ids);
      encode_as_data(tokenizer, text, expected);
      ASSERT_EQ(ids, expected) << name << ": " << Json(text);
    }
  }
  EXPECT_GE(served.size(), 3u) << Json(served);
}

TEST(PartsEncoder, ServesNoTokenizerThatLooksAcrossSpaces) {
  const Json tokenizers = read_json("tokenizers.json");
  for (const auto& [name, root] : tokenizers.items()) {
    const bool looks_across = name.starts_with("gpt2") || name.starts_with("llama") || name.starts_with("t5");
    EXPECT_FALSE(looks_across && PartsEncoder::serves(root)) << name;
  }
  Json root = tokenizers.at("bert_uncased");
  EXPECT_TRUE(PartsEncoder::serves(root));
  root["normalizer"] = {{"type", "Lowercase"}};
  EXPECT_FALSE(PartsEncoder::serves(root));
  root = tokenizers.at("bert_uncased");
  root["added_tokens"].push_back({{"id", 1}, {"content", "a b"}, {"special", false}});
  EXPECT_FALSE(PartsEncoder::serves(root));
}

}  // namespace
}  // namespace flowrun::tokenizers
