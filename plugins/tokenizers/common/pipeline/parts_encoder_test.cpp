#include "parts_encoder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
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
                                                  "\U0001f600", "\u2581", "\u2581", "\u0434\u043e\u043c", "caf\u00e9", "\u00a8", "\uff9e", "\u0600", "\x7f", "  ", "[SEP]", "[UNK]", "<unk>", "##s", "12345", "0123456789abcdefghijklmnopqrstuvwxyz", "\u1100\u1161", "\ufb01"};
  std::string text;
  for (std::size_t n = random() % 30; n > 0; --n) text += pieces[random() % pieces.size()];
  return text;
}

TEST(PartsEncoder, EqualsTheWholePipelineWhereverItServes) {
  const Json tokenizers = read_json("tokenizers.json");
  const Json real_texts = read_json("texts.json").at("texts");
  std::vector<std::string> served;
  for (const auto& [name, root] : tokenizers.items()) {
    const std::optional<PartsRule> rule = find_parts_rule(root);
    if (!rule) continue;
    served.push_back(name);
    const Tokenizer tokenizer = build_tokenizer(root);
    PartsEncoder encoder(tokenizer, *rule);
    std::mt19937 random(1);
    for (std::size_t i = 0; i < 3000; ++i) {
      const std::string text = i < real_texts.size() ? real_texts[i].get<std::string>() : random_text(random);
      std::vector<std::uint32_t> ids{7}, expected{7};  // what is there already stays
      encoder.encode(text, ids);
      encode_as_data(tokenizer, text, expected);
      ASSERT_EQ(ids, expected) << name << ": " << Json(text);
    }
  }
  for (const char* const name : {"bert_uncased", "llama2", "metaspace_first", "t5", "whitespace"}) EXPECT_NE(std::find(served.begin(), served.end(), name), served.end()) << name;
}

// The forms of Metaspace and Llama 2 that published files have beside those above, each over the same vocabulary.
TEST(PartsEncoder, EqualsTheWholePipelineWithOtherSpellingsOfSpaces) {
  const Json tokenizers = read_json("tokenizers.json");
  const Json replace = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}};
  const auto metaspace = [](const char* scheme, bool split) { return Json{{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", scheme}, {"split", split}}; };
  const auto sequence = [](const char* key, Json steps) { return Json{{"type", "Sequence"}, {key, std::move(steps)}}; };
  std::vector<Json> roots;
  for (const char* const scheme : {"always", "first", "never"}) {
    for (const bool split : {true, false}) {
      roots.push_back(tokenizers.at("llama2"));
      roots.back()["normalizer"] = nullptr;
      roots.back()["pre_tokenizer"] = metaspace(scheme, split);
    }
    roots.push_back(tokenizers.at("t5"));
    roots.back()["pre_tokenizer"] = sequence("pretokenizers", {{{"type", "WhitespaceSplit"}}, metaspace(scheme, true)});
    roots.push_back(tokenizers.at("t5"));
    roots.back()["normalizer"] = {{"type", "NFKD"}};
    roots.back()["pre_tokenizer"] = metaspace(scheme, true);
  }
  roots.push_back(tokenizers.at("llama2"));
  roots.back()["normalizer"] = replace;
  // Flags may be null, which is as if they were left out.
  roots.push_back(roots.back());
  roots.back()["model"]["ignore_merges"] = nullptr;
  roots.push_back(tokenizers.at("t5"));
  roots.back()["pre_tokenizer"]["split"] = nullptr;
  for (std::size_t i = 0; i < roots.size(); ++i) {
    const std::optional<PartsRule> rule = find_parts_rule(roots[i]);
    ASSERT_TRUE(rule) << roots[i].at("normalizer") << roots[i].at("pre_tokenizer");
    const Tokenizer tokenizer = build_tokenizer(roots[i]);
    PartsEncoder encoder(tokenizer, *rule);
    std::mt19937 random(2);
    for (int n = 0; n < 2000; ++n) {
      const std::string text = random_text(random);
      std::vector<std::uint32_t> ids, expected;
      encoder.encode(text, ids);
      encode_as_data(tokenizer, text, expected);
      ASSERT_EQ(ids, expected) << i << ": " << Json(text);
    }
  }
}

TEST(PartsRule, CutsWhereTheTokenizerSeesNothingAcross) {
  const Json tokenizers = read_json("tokenizers.json");
  const auto cuts = [](const Json& root, const std::string& text) {
    const PartsRule rule = find_parts_rule(root).value();
    std::vector<std::size_t> found;
    for (std::size_t at = 1; at < text.size(); ++at)
      if (rule.is_space(text[at]) && rule.allows(text, at)) found.push_back(at);
    return found;
  };
  using Cuts = std::vector<std::size_t>;
  // The golden vocabulary was trained on whole texts: it has tokens like "e\u2581".
  Json llama2 = tokenizers.at("llama2");
  EXPECT_EQ(cuts(llama2, "e Q  e \u2581 Q "), (Cuts{3})) << find_parts_rule(llama2)->cut_follows.size();
  std::erase_if(llama2["model"]["merges"].get_ref<Json::array_t&>(), [](const Json& merge) { return (merge[0].get<std::string>() + merge[1].get<std::string>()).find("\u2581", 1) != std::string::npos; });
  EXPECT_EQ(cuts(llama2, "a b  c \u2581 d "), (Cuts{1, 3, 6}));
  EXPECT_EQ(cuts(tokenizers.at("t5"), "a b  c \u00e9 d\u00a0 e"), (Cuts{1, 3, 6, 9}));
  EXPECT_EQ(cuts(tokenizers.at("t5"), "a\nb \n\nc\r\nd\n"), (Cuts{1, 3, 10})) << "Nmt makes spaces of line feeds";
  EXPECT_EQ(cuts(llama2, "a\nb"), Cuts{});
  EXPECT_EQ(cuts(tokenizers.at("t5"), "a \u0301b \u4e2d \u0434 "), (Cuts{5, 12})) << "no cut before a mark, none behind what is not asked for";
}

TEST(PartsRule, IsGivenToNoTokenizerThatLooksAcrossSpaces) {
  const Json tokenizers = read_json("tokenizers.json");
  for (const char* const name : {"gpt2", "roberta", "clip", "digits", "fixed", "scripts"}) EXPECT_FALSE(find_parts_rule(tokenizers.at(name))) << name;
  const auto served = [&](const char* name, auto&& change) {
    Json root = tokenizers.at(name);
    EXPECT_TRUE(find_parts_rule(root)) << name;
    change(root);
    return find_parts_rule(root).has_value();
  };
  EXPECT_FALSE(served("bert_uncased", [](Json& root) { root["normalizer"] = {{"type", "Lowercase"}}; }));
  EXPECT_FALSE(served("bert_uncased", [](Json& root) { root["added_tokens"].push_back({{"id", 1}, {"content", "a b"}, {"special", false}}); }));
  EXPECT_FALSE(served("t5", [](Json& root) { root["pre_tokenizer"]["split"] = false; }));
  EXPECT_FALSE(served("t5", [](Json& root) { root["normalizer"] = {{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", ""}}; }));
  EXPECT_FALSE(served("t5", [](Json& root) {
    const Json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
    root["post_processor"] = {{"type", "TemplateProcessing"}, {"single", {text, text}}, {"pair", {text}}, {"special_tokens", Json::object()}};
  }));
  EXPECT_FALSE(served("llama2", [](Json& root) { root["model"]["merges"].push_back({"<0x0A>", "\u2581"}); })) << "a byte's token";
  EXPECT_FALSE(served("llama2", [](Json& root) { root["model"]["merges"].push_back({"<unk>", "\u2581"}); })) << "unknown text";
  EXPECT_FALSE(served("llama2", [](Json& root) { root["model"]["end_of_word_suffix"] = "</w>"; }));
  EXPECT_FALSE(served("llama2", [](Json& root) { root["model"]["ignore_merges"] = true; }));
  EXPECT_FALSE(served("llama2", [](Json& root) { root["normalizer"]["normalizers"][0]["prepend"] = "_"; }));
}

}  // namespace
}  // namespace flowrun::tokenizers
