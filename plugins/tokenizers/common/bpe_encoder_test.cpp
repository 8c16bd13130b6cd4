#include "bpe_encoder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>

#include "gpt2_pretokenizer.hpp"
#include "tokenizer_json.hpp"

namespace flowrun::bpe {
namespace {

using Ids = std::vector<std::uint32_t>;

std::shared_ptr<const Bpe> golden_bpe() {
  static const auto bpe = [] {
    std::ifstream file(FLOWRUN_TEST_SOURCE_DIR "/testdata/tokenizer.json");
    return std::make_shared<const Bpe>(read_byte_level_model(nlohmann::json::parse(file)));
  }();
  return bpe;
}

Ids encode(BpeEncoder& encoder, std::string_view text) {
  Ids ids;
  encoder.encode(text, ids);
  return ids;
}

TEST(BpeEncoder, GivesTheIdsOfHuggingFace) {
  BpeEncoder encoder(golden_bpe());
  for (int pass = 0; pass < 2; ++pass) {  // without and with a full cache
    std::ifstream file(FLOWRUN_TEST_SOURCE_DIR "/testdata/ids.jsonl");
    int texts = 0;
    for (std::string line; std::getline(file, line); ++texts) {
      const auto golden = nlohmann::json::parse(line);
      const auto text = golden["text"].get<std::string>();
      const Ids ids = encode(encoder, text);
      EXPECT_EQ(ids, golden["ids"].get<Ids>()) << line;
      EXPECT_EQ(golden_bpe()->decode(ids), text);
    }
    EXPECT_GT(texts, 400);
  }
}

TEST(BpeEncoder, NeverGivesASpecialTokenForText) {
  BpeEncoder encoder(golden_bpe());
  for (const std::uint32_t id : encode(encoder, "<|endoftext|><|pad|><|mask|>")) EXPECT_GT(id, 2u);
}

TEST(BpeEncoder, AppendsToWhatIsThere) {
  BpeEncoder encoder(golden_bpe());
  Ids ids{7};
  encoder.encode("", ids);
  EXPECT_EQ(ids, Ids{7});
  encoder.encode("a", ids);
  EXPECT_EQ(ids.size(), 2u);
  EXPECT_EQ(ids[0], 7u);
}

// More distinct pre-tokens than the cache holds, of every length around the limits of an entry (31 bytes, 8 ids), each asked for three times.
TEST(BpeEncoder, TheCacheChangesNothing) {
  std::mt19937 random(3);
  std::vector<std::string> texts;
  for (int i = 0; i < 60'000; ++i) {
    std::string text = i % 2 ? " " : "";
    for (std::size_t size = 1 + random() % 34; text.size() < size;) text += "etaoinshrdlu"[random() % 12];
    texts.push_back(text);
  }
  BpeEncoder encoder(golden_bpe());
  Bpe::Scratch scratch;
  for (int pass = 0; pass < 3; ++pass)
    for (const std::string& text : texts) {
      Ids expected;
      for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = gpt2_pretoken_end(text, begin);
        golden_bpe()->encode_by_heap(std::string_view(text).substr(begin, end - begin), scratch, expected);
        begin = end;
      }
      ASSERT_EQ(encode(encoder, text), expected) << text;
    }
}

TEST(BpeEncoder, KeepsBytesThatAreNotUtf8) {
  BpeEncoder encoder(golden_bpe());
  std::mt19937 random(4);
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 200, '\0');
    for (char& c : text) c = static_cast<char>(random());
    ASSERT_EQ(golden_bpe()->decode(encode(encoder, text)), text);
  }
}

TEST(BpeEncoder, EncodersOfOneModelRunAtOnce) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += " word" + std::to_string(i * 7919 % 10'007);
  BpeEncoder alone(golden_bpe());
  const Ids expected = encode(alone, text);
  std::vector<Ids> found(4);
  std::vector<std::thread> threads;
  for (Ids& ids : found)
    threads.emplace_back([&ids, &text] {
      BpeEncoder encoder(golden_bpe());
      encoder.encode(text, ids);
    });
  for (std::thread& thread : threads) thread.join();
  for (const Ids& ids : found) EXPECT_EQ(ids, expected);
}

}  // namespace
}  // namespace flowrun::bpe
