#include "metaspace_bpe.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "parts_encoder.hpp"
#include "tokenizer_file.hpp"
#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

using Ids = std::vector<std::uint32_t>;
const std::string kSpace = "\u2581";

Json replace_spaces() { return {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kSpace}}; }

Json llama_normalizer() { return {{"type", "Sequence"}, {"normalizers", {{{"type", "Prepend"}, {"prepend", kSpace}}, replace_spaces()}}}; }

Json metaspace(const char* scheme, bool split) { return {{"type", "Metaspace"}, {"replacement", kSpace}, {"prepend_scheme", scheme}, {"split", split}}; }

Json make_file(const std::vector<std::string>& characters, const std::vector<std::pair<std::string, std::string>>& merges) {
  Json vocab = {{"<unk>", 0u}};
  char name[8];
  for (unsigned byte = 0; byte < 256; ++byte) vocab[(std::snprintf(name, sizeof name, "<0x%02X>", byte), name)] = 1 + byte;
  const auto add = [&](const std::string& token) {
    if (!vocab.contains(token)) vocab[token] = vocab.size();
  };
  for (const std::string& character : characters) add(character);
  for (const auto& [left, right] : merges) add(left + right);
  const Json model = {{"type", "BPE"}, {"unk_token", "<unk>"}, {"fuse_unk", true}, {"byte_fallback", true}, {"vocab", vocab}, {"merges", merges}};
  return {{"version", "1.0"}, {"added_tokens", Json::array()}, {"normalizer", llama_normalizer()}, {"pre_tokenizer", nullptr}, {"post_processor", nullptr}, {"decoder", nullptr}, {"model", model}};
}

/// BPE by its definition, on a whole text whose spaces are U+2581 by now: quadratic, and nothing of it is shared with what is tested.
Ids encode_by_definition(const Json& model, const std::string& text) {
  const Json& vocab = model.at("vocab");
  std::vector<std::string> symbols;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    next_code_point(text, at);
    const std::string character = text.substr(begin, at - begin);
    if (vocab.contains(character)) {
      symbols.push_back(character);
      continue;
    }
    char name[8];
    for (const char byte : character) symbols.emplace_back((std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned char>(byte)), name));
  }
  std::map<std::pair<std::string, std::string>, std::size_t> ranks;
  for (std::size_t rank = 0; rank < model.at("merges").size(); ++rank) ranks[model.at("merges")[rank].get<std::pair<std::string, std::string>>()] = rank;  // the last counts
  for (;;) {
    std::size_t best_rank = ranks.size() + model.at("merges").size(), best = symbols.size();
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i)
      if (const auto found = ranks.find({symbols[i], symbols[i + 1]}); found != ranks.end() && found->second < best_rank) best_rank = found->second, best = i;
    if (best == symbols.size()) break;
    symbols[best] += symbols[best + 1];
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
  Ids ids;
  for (const std::string& symbol : symbols) ids.push_back(vocab.at(symbol));
  return ids;
}

const std::vector<std::string> kCharacters = {kSpace, "a", "b", ".", "\u00e9", "\u4e2d", "\u56fd"};
const std::vector<std::string> kUnknown = {"c", "\n", "\u00e8", "\u4e2e", "\U0001f600"};

/// Merges over kCharacters; some cross spaces, some make one token twice, and a third of the lists are in no order of a training.
std::vector<std::pair<std::string, std::string>> random_merges(std::mt19937& random) {
  std::vector<std::string> tokens = kCharacters;
  std::vector<std::pair<std::string, std::string>> merges;
  for (std::size_t n = random() % 20; n > 0; --n) {
    const std::string left = tokens[random() % tokens.size()], right = tokens[random() % tokens.size()];
    if (left.size() + right.size() > 16) continue;
    merges.emplace_back(left, right);
    tokens.push_back(left + right);
  }
  if (random() % 3 == 0) std::shuffle(merges.begin(), merges.end(), random);
  return merges;
}

std::string random_text(std::mt19937& random, std::size_t characters) {
  std::string text;
  for (; characters > 0; --characters) {
    const std::size_t kind = random() % 16;
    text += kind == 0 ? kUnknown[random() % kUnknown.size()] : kind < 4 ? " " : kCharacters[random() % kCharacters.size()];
  }
  return text;
}

std::string with_metaspaces(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == ' ' ? kSpace : std::string(1, c);
  return result;
}

TEST(MetaspaceBpe, EqualsTheDefinitionOnWholeTexts) {
  std::mt19937 random(1);
  std::size_t fewer = 0;
  for (int i = 0; i < 400; ++i) {
    const Json file = make_file(kCharacters, random_merges(random));
    MetaspaceBpe::Encoder encoder(MetaspaceBpe::make(file));
    for (int n = 0; n < 30; ++n) {
      const std::string text = random_text(random, 1 + random() % 60);
      const Ids expected = encode_by_definition(file.at("model"), kSpace + with_metaspaces(text));
      for (const char* const cache : {"cold", "warm"}) {
        Ids ids{7};  // what is there already stays
        ASSERT_TRUE(encoder.encode(text, ids));
        ids.erase(ids.begin());
        ASSERT_EQ(ids, expected) << cache << ": " << Json(text) << " with " << file.at("model").at("merges");
      }
      fewer += expected.size() < count_code_points(text) ? 1 : 0;
    }
  }
  EXPECT_GT(fewer, 2000u) << "texts in which something was joined";
}

// Normalizer and pre-tokenizer, in every form that published files have.
TEST(MetaspaceBpe, EqualsThePipelineHoweverSpacesAreSpelt) {
  std::mt19937 random(2);
  std::vector<std::pair<Json, Json>> forms = {{llama_normalizer(), nullptr}, {replace_spaces(), nullptr}};
  forms.emplace_back(replace_spaces(), Json{{"type", "Split"}, {"pattern", {{"String", " "}}}, {"behavior", "MergedWithPrevious"}, {"invert", false}});
  for (const char* const scheme : {"always", "first", "never"})
    for (const bool split : {true, false}) forms.emplace_back(nullptr, metaspace(scheme, split));
  forms.emplace_back(nullptr, metaspace("first", true));
  forms.back().second["split"] = nullptr;  // as if it were left out
  for (int i = 0; i < 90; ++i) {
    Json file = make_file(kCharacters, random_merges(random));
    std::tie(file["normalizer"], file["pre_tokenizer"]) = forms[static_cast<std::size_t>(i) % forms.size()];
    const auto bpe = MetaspaceBpe::make(file);
    ASSERT_TRUE(bpe) << file.at("normalizer") << file.at("pre_tokenizer");
    MetaspaceBpe::Encoder encoder(bpe);
    const Tokenizer tokenizer = build_tokenizer(file);
    for (int n = 0; n < 100; ++n) {
      const std::string text = random_text(random, random() % 40);
      Ids ids, expected;
      ASSERT_TRUE(encoder.encode(text, ids));
      encode_as_data(tokenizer, text, expected);
      ASSERT_EQ(ids, expected) << Json(text) << " with " << file.at("normalizer") << file.at("pre_tokenizer") << file.at("model").at("merges");
    }
  }
}

TEST(MetaspaceBpe, LeavesTextsWithAnAddedTokenToThePipeline) {
  Json file = make_file({kSpace, "a", "b"}, {{"a", "b"}});
  file["added_tokens"] = {{{"id", 0u}, {"content", "<unk>"}, {"special", true}, {"normalized", false}, {"single_word", false}, {"lstrip", false}, {"rstrip", false}},
                          {{"id", 260u}, {"content", "b " + kSpace + "b"}, {"special", false}, {"normalized", false}, {"single_word", false}, {"lstrip", false}, {"rstrip", false}},
                          {{"id", 261u}, {"content", "aa"}, {"special", false}, {"normalized", true}, {"single_word", false}, {"lstrip", false}, {"rstrip", false}}};
  MetaspaceBpe::Encoder encoder(MetaspaceBpe::make(file));
  Ids ids;
  EXPECT_TRUE(encoder.encode("ab <unk> baa", ids)) << "'aa' is looked for as '\u2581aa'";
  EXPECT_FALSE(ids.empty());
  for (const char* const text : {"aa", "b aa", "b\u2581aa", "ab \u2581b"}) {
    ids.clear();
    EXPECT_FALSE(encoder.encode(text, ids)) << text;
    EXPECT_TRUE(ids.empty()) << text;
  }
}

TEST(MetaspaceBpe, TakesLongTextsWithoutACut) {
  const Json file = make_file({kSpace, "a"}, {{"a", "a"}, {"aa", "aa"}, {kSpace, kSpace}, {kSpace, "a"}, {"a", kSpace}});
  MetaspaceBpe::Encoder encoder(MetaspaceBpe::make(file));
  Ids ids;
  ASSERT_TRUE(encoder.encode(std::string(1'000'000, 'a'), ids));
  EXPECT_EQ(ids.size(), 250'001u);
  ids.clear();
  ASSERT_TRUE(encoder.encode(std::string(1'000'000, ' '), ids));
  EXPECT_EQ(ids.size(), 500'001u);
}

TEST(MetaspaceBpe, IsMadeOfNoOtherShape) {
  const Json file = make_file({kSpace, "a"}, {{kSpace, "a"}});
  EXPECT_TRUE(MetaspaceBpe::make(file));
  const auto made = [&](auto&& change) {
    Json changed = file;
    change(changed);
    build_tokenizer(changed);  // it is a good file, of another shape
    return MetaspaceBpe::make(changed) != nullptr;
  };
  EXPECT_FALSE(made([](Json& f) { f["normalizer"] = nullptr; })) << "spaces stay";
  EXPECT_FALSE(made([](Json& f) { f["normalizer"] = {{"type", "NFC"}}; }));
  EXPECT_FALSE(made([](Json& f) { f["normalizer"]["normalizers"][0]["prepend"] = "_"; }));
  EXPECT_FALSE(made([](Json& f) { f["normalizer"]["normalizers"][1]["content"] = "_"; }));
  EXPECT_FALSE(made([](Json& f) { f["normalizer"]["normalizers"].push_back({{"type", "NFC"}}); }));
  EXPECT_FALSE(made([](Json& f) { f["pre_tokenizer"] = {{"type", "Whitespace"}}; }));
  EXPECT_FALSE(made([](Json& f) { f["pre_tokenizer"] = metaspace("always", true); })) << "both";
  EXPECT_FALSE(made([](Json& f) { f["model"]["byte_fallback"] = false; }));
  EXPECT_FALSE(made([](Json& f) { f["model"]["ignore_merges"] = true; }));
}

}  // namespace
}  // namespace flowrun::tokenizers
