#include "sentencepiece_model.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>

#include <flowrun/testing/errors.hpp>

#include "precompiled_normalizer.hpp"

namespace flowrun::tokenizers {
namespace {

using flowrun::testing::error_of;
using flowrun::testing::message_of;

std::string path_of(const std::string& name) { return FLOWRUN_TEST_SOURCE_DIR "/testdata/" + name; }

std::string bytes_of(const std::string& name) {
  std::ifstream file(path_of(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A length-delimited field.
std::string field(int number, const std::string& content) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(content.size())} + content;
}

std::string piece(const std::string& text, int type = 1) { return field(1, field(1, text) + std::string{'\x18', static_cast<char>(type)}); }

TEST(SentencepieceModel, ReadsWhatSentencepieceReads) {
  std::ifstream file(path_of("models.jsonl"));
  std::size_t models = 0;
  for (std::string line; std::getline(file, line); ++models) {
    const auto row = nlohmann::json::parse(line);
    const SentencepieceModel model = load_sentencepiece_model(path_of(row["model"].get<std::string>() + ".model"));
    EXPECT_EQ((std::vector<int>{model.unk_id, model.bos_id, model.eos_id, model.pad_id}), row["ids"].get<std::vector<int>>());
    ASSERT_EQ(model.pieces.size(), row["pieces"].size());
    for (std::size_t id = 0; id < model.pieces.size(); ++id) {
      const SentencepiecePiece& read = model.pieces[id];
      const auto& expected = row["pieces"][id];
      EXPECT_EQ(read.piece, expected[0].get<std::string>());
      EXPECT_EQ(read.score, expected[1].get<float>());
      const bool kinds[] = {read.type == SentencepieceType::kUnknown, read.type == SentencepieceType::kControl, read.type == SentencepieceType::kUnused,
                            read.type == SentencepieceType::kByte};
      for (int kind = 0; kind < 4; ++kind) EXPECT_EQ(kinds[kind], expected[2].get<int>() == kind) << read.piece;
    }
  }
  EXPECT_EQ(models, 2u);
}

TEST(SentencepieceModel, ReadsTheSettings) {
  const SentencepieceModel unigram = load_sentencepiece_model(path_of("unigram.model"));
  EXPECT_EQ(unigram.type, SentencepieceModel::Type::kUnigram);
  EXPECT_TRUE(unigram.byte_fallback);
  EXPECT_FALSE(unigram.treat_whitespace_as_suffix);
  EXPECT_TRUE(unigram.normalizer.add_dummy_prefix);
  EXPECT_TRUE(unigram.normalizer.remove_extra_whitespaces);
  EXPECT_EQ(unigram.normalizer.name, "user_defined");
  EXPECT_EQ(PrecompiledNormalizer(unigram.normalizer.precompiled_charsmap).normalize("\uFF21\u2122"), "Atm");
  EXPECT_EQ(unigram.pad_piece, "<pad>");
  const SentencepieceModel bpe = load_sentencepiece_model(path_of("bpe.model"));
  EXPECT_EQ(bpe.type, SentencepieceModel::Type::kBpe);
  EXPECT_FALSE(bpe.byte_fallback);
  EXPECT_TRUE(bpe.treat_whitespace_as_suffix);
  EXPECT_FALSE(bpe.normalizer.add_dummy_prefix);
  EXPECT_FALSE(bpe.normalizer.remove_extra_whitespaces);
  EXPECT_TRUE(bpe.normalizer.escape_whitespaces);
  EXPECT_EQ(bpe.unk_surface, " \u2047 ");
}

TEST(SentencepieceModel, TakesDefaultsAndSkipsUnknownFields) {
  const SentencepieceModel model = read_sentencepiece_model(piece("<unk>", 2) + field(9, "later") + field(2, std::string("\xC8\x0C\x01", 3)) + piece("a"));
  EXPECT_EQ(model.pieces.size(), 2u);
  EXPECT_EQ(model.pieces[1].score, 0);
  EXPECT_EQ(model.type, SentencepieceModel::Type::kUnigram);
  EXPECT_EQ(model.bos_id, -1);
}

TEST(SentencepieceModel, RefusesOtherTypesByName) {
  const auto message = [](char type) {
    const auto [code, text] = error_of([&] { read_sentencepiece_model(piece("<unk>", 2) + field(2, std::string{'\x18', type})); });
    EXPECT_EQ(code, Code::kUnsupported);
    return text;
  };
  EXPECT_EQ(message(3), "sentencepiece model: its type is 'word', expected 'unigram' or 'bpe'");
  EXPECT_EQ(message(4), "sentencepiece model: its type is 'char', expected 'unigram' or 'bpe'");
  EXPECT_EQ(message(9), "sentencepiece model: its type is 9, expected 1 (unigram) or 2 (bpe)");
}

TEST(SentencepieceModel, RefusesBadVocabularies) {
  const std::string unk = piece("<unk>", 2);
  const auto message = [](const std::string& bytes) { return message_of([&] { read_sentencepiece_model(bytes); }); };
  EXPECT_EQ(message(""), "sentencepiece model: no piece of type unknown");
  EXPECT_EQ(message(unk + piece("<u>", 2)), "sentencepiece model: pieces 0 and 1 are of type unknown, expected one");
  EXPECT_EQ(message(unk + piece("")), "sentencepiece model: piece 1 is empty");
  EXPECT_EQ(message(unk + piece("a") + piece("a")), "sentencepiece model: piece 2 is there before");
  EXPECT_EQ(message(unk + piece("\xFF")), "sentencepiece model: a string that is not UTF-8 at offset 13");
  EXPECT_EQ(message(unk + piece("a", 7)), "sentencepiece model: piece type 7 at offset 16");
  EXPECT_EQ(message(unk + piece("<0x41>", 6)), "sentencepiece model: piece 1 is a byte, without byte_fallback");
  const std::string fallback = field(2, "\x98\x02\x01");
  EXPECT_EQ(message(unk + fallback + piece("<0x4g>", 6)), "sentencepiece model: piece 1 is of type byte, expected <0x00> to <0xFF>");
  EXPECT_EQ(message(unk + fallback + piece("<0x41>", 6)), "sentencepiece model: 1 byte pieces with byte_fallback, expected 256");
}

TEST(SentencepieceModel, RefusesWhatIsNoMessage) {
  const auto message = [](std::string_view bytes) { return message_of([&] { read_sentencepiece_model(bytes); }); };
  EXPECT_EQ(message("\x0A\x05" "abc"), "sentencepiece model: a length of 5, and 3 bytes are left at offset 0");
  EXPECT_EQ(message("\x0B"), "sentencepiece model: wire type 3 at offset 0");
  EXPECT_EQ(message("\x02"), "sentencepiece model: field number 0 at offset 0");
  EXPECT_EQ(message("\x08\x01"), "sentencepiece model: wire type 0 of field 1, expected 2 at offset 0");
  EXPECT_EQ(message("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), "sentencepiece model: a number of more than 64 bits at offset 0");
}

TEST(SentencepieceModel, NamesTheFile) {
  EXPECT_EQ(error_of([] { load_sentencepiece_model("missing.model"); }).first, Code::kNotFound);
  const auto [code, text] = error_of([] { load_sentencepiece_model(path_of("models.jsonl")); });
  EXPECT_EQ(code, Code::kCorruptData);
  EXPECT_NE(text.find("\n  in '" + path_of("models.jsonl") + "'"), std::string::npos) << text;
}

TEST(SentencepieceModel, NeverReadsOutsideOfDamagedFiles) {
  std::mt19937 random(12);
  std::size_t refused = 0, read = 0;
  const auto try_to_read = [&](const std::string& bytes) {
    try {
      read_sentencepiece_model(bytes);
      ++read;
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == Code::kCorruptData || error.code() == Code::kUnsupported) << error.what();
      ++refused;
    }
  };
  const std::string bytes = bytes_of("bpe.model");
  for (std::size_t size = 0; size < bytes.size(); ++size) try_to_read(bytes.substr(0, size));
  EXPECT_GT(refused, bytes.size() / 2);  // what ends between two fields is a whole message
  for (int i = 0; i < 1000; ++i) {
    std::string damaged = bytes;
    for (unsigned k = 0; k <= random() % 4; ++k) damaged[random() % damaged.size()] = static_cast<char>(random());
    try_to_read(damaged);
  }
  EXPECT_GT(read, 0u);
}

}  // namespace
}  // namespace flowrun::tokenizers
