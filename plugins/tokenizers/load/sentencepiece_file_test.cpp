#include "sentencepiece_file.hpp"

#include <cstring>
#include <string>
#include <vector>

#include <flowrun/testing/errors.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tokenizers/common/pipeline/tokenizer_file.hpp"

namespace flowrun::tokenizers {
namespace {

using nlohmann::json;
using testing::error_of;
using Ids = std::vector<std::uint32_t>;

// A field of bytes, of less than 128.
std::string field(int number, const std::string& content) { return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(content.size())} + content; }

// A field of a number below 128; a second byte for field numbers from 16 on.
std::string number(int field, int value) {
  if (field < 16) return {static_cast<char>(field << 3), static_cast<char>(value)};
  return {static_cast<char>((field << 3 & 127) | 128), static_cast<char>(field >> 4), static_cast<char>(value)};
}

enum PieceType { kNormal = 1, kUnknown, kControl, kUserDefined, kUnused, kByte };

std::string piece(const std::string& text, float score, PieceType type = kNormal) {
  std::string bytes(4, '\0');
  std::memcpy(bytes.data(), &score, 4);
  return field(1, field(1, text) + "\x15" + bytes + number(3, type));
}

const std::string kUnigram = field(2, number(3, 1)), kBpe = field(2, number(3, 2));
const std::string kPlain = field(3, number(3, 0) + number(4, 0));  // no dummy prefix, no white space removed

std::string head() { return piece("<unk>", 0, kUnknown) + piece("<s>", 0, kControl) + piece("</s>", 0, kControl); }

Ids encode(const std::string& model, const std::string& text) { return read_tokenizer(sentencepiece_to_tokenizer(model).tokenizer_json).encode(text, {.split_special = true}).ids; }

TEST(SentencepieceFile, IsToldByItsFirstField) {
  EXPECT_TRUE(is_sentencepiece_model(head() + kBpe));
  for (const char* const other : {"", "\n", "{}", "\x08\x01", "\x32\x01"}) EXPECT_FALSE(is_sentencepiece_model(other)) << other;
}

TEST(SentencepieceFile, RefusesWhatATokenizerJsonCannotSay) {
  const std::string ab = piece("a", -3) + piece("b", -4);
  const std::string charsmap = field(3, field(2, "x"));
  const struct {
    std::string model;
    Code code;
    const char* text;
  } cases[] = {
      {head() + ab + field(2, number(3, 1) + number(24, 1)), Code::kUnsupported, "it puts white space behind words (treat_whitespace_as_suffix), which a tokenizer.json cannot say"},
      {head() + ab + kUnigram + field(5, field(2, "x")), Code::kUnsupported, "it has a denormalizer"},
      {head() + ab + piece("c", -5, kUnused) + kUnigram, Code::kUnsupported, "piece 5, 'c', is unused"},
      {head() + ab + piece("</s>", -5) + kUnigram, Code::kUnsupported, "piece 5, '</s>', is text, and a symbol is spelled the same"},
      {head() + ab + piece("a b", 0, kUserDefined) + kUnigram, Code::kUnsupported, "piece 5, 'a b', is a user-defined symbol with a space"},
      {head() + ab + piece("ab", -1) + piece("ba", -1) + kBpe, Code::kUnsupported, "piece 6, 'ba', and 'ab' have the same score"},
      {head() + ab + piece("ac", -1) + kBpe, Code::kUnsupported, "the token of id 5 holds 'c', which is not a token\n  in a sentencepiece model of type bpe"},
      {head() + ab + piece("bab", -1) + piece("aba", -2) + piece("<x>", 0, kUserDefined) + kBpe, Code::kUnsupported, "piece 5, 'bab', is not made by merges, and there are user-defined symbols"},
      {head() + ab + charsmap + kUnigram, Code::kCorruptData, ""},
      {head() + ab + field(2, number(3, 3)), Code::kUnsupported, "its type is 'word', expected 'unigram' or 'bpe'"},
      {head().substr(0, 11), Code::kCorruptData, "at offset"},
  };
  for (const auto& one : cases) {
    const auto [code, text] = error_of([&] { sentencepiece_to_tokenizer(one.model); });
    EXPECT_EQ(code, one.code) << text;
    EXPECT_NE(text.find(one.text), std::string::npos) << text << "\nexpected: " << one.text;
  }
}

// By the scores alone "<s>" would be the control symbol, whose score is 0.
TEST(SentencepieceFile, TextThatSpellsASymbolIsText) {
  const std::string model = head() + piece("<", -3) + piece("s", -4) + piece(">", -5) + piece("s>", -6) + kPlain + kUnigram;
  EXPECT_EQ(encode(model, "<s>"), (Ids{3, 6}));
  EXPECT_EQ(encode(model, "s<s><s"), (Ids{4, 3, 6, 3, 4}));
  // And where special tokens are looked for, it is one.
  EXPECT_EQ(read_tokenizer(sentencepiece_to_tokenizer(model).tokenizer_json).encode("<s>").ids, (Ids{1}));
}

TEST(SentencepieceFile, UserDefinedSymbolsAreAlwaysTakenWhole) {
  const std::string symbols = piece("ab", -9, kUserDefined) + piece("abc", -9, kUserDefined);
  const std::string letters = piece("a", -2) + piece("b", -3) + piece("c", -4) + piece("bc", -1);
  EXPECT_EQ(encode(head() + symbols + letters + kPlain + kUnigram, "cabcab"), (Ids{7, 4, 3}));
  EXPECT_EQ(encode(head() + symbols + letters + kPlain + kBpe, "cabcabbc"), (Ids{7, 4, 3, 8}));
}

TEST(SentencepieceFile, SpacesAreTreatedAsTheModelSays) {
  const std::string space = "\xE2\x96\x81", pieces = head() + piece("a", -1) + piece(space, -2);
  const Ids a{3}, prefixed{4, 3};
  EXPECT_EQ(encode(pieces + kUnigram, "  a   "), prefixed);                                          // both by default
  EXPECT_EQ(encode(pieces + kUnigram, "a  a" + space), (Ids{4, 3, 4, 3}));
  EXPECT_EQ(encode(pieces + kUnigram, "   "), Ids{});
  EXPECT_EQ(encode(pieces + kUnigram, space + "a"), (Ids{4, 4, 3}));
  EXPECT_EQ(encode(pieces + kPlain + kUnigram, " a  "), (Ids{4, 3, 4, 4}));
  EXPECT_EQ(encode(pieces + field(3, number(3, 0)) + kUnigram, " a  "), a);
  EXPECT_EQ(encode(pieces + field(3, number(4, 0)) + kUnigram, " a"), (Ids{4, 4, 3}));
}

TEST(SentencepieceFile, ControlSymbolsAreSpecialTokensAndNamedInTheConfiguration) {
  const TokenizerFiles files = sentencepiece_to_tokenizer(head() + piece("a", -1) + piece("<pad>", 0, kControl) + kUnigram);
  const json root = json::parse(files.tokenizer_json), config = json::parse(files.tokenizer_config_json);
  std::vector<std::string> special;
  for (const json& token : root["added_tokens"]) {
    EXPECT_EQ(token["special"], true);
    special.push_back(token["content"].get<std::string>() + " " + std::to_string(token["id"].get<int>()));
  }
  EXPECT_EQ(special, (std::vector<std::string>{"<s> 1", "</s> 2", "<pad> 4"}));
  EXPECT_EQ(config["bos_token"], "<s>");
  EXPECT_EQ(config["eos_token"], "</s>");
  EXPECT_EQ(config["pad_token"], "<pad>");
  EXPECT_EQ(config["unk_token"], "<unk>");
}

}  // namespace
}  // namespace flowrun::tokenizers
