#include "precompiled_normalizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <string>

#include <flowrun/testing/errors.hpp>

#include "base64.hpp"
#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

using flowrun::testing::error_of;
using flowrun::testing::message_of;
using Offsets = std::vector<std::pair<std::size_t, std::size_t>>;

std::ifstream open_goldens() { return std::ifstream(FLOWRUN_TEST_SOURCE_DIR "/testdata/precompiled.jsonl"); }

std::string charsmap_base64() {
  std::ifstream file = open_goldens();
  std::string line;
  std::getline(file, line);
  return nlohmann::json::parse(line)["precompiled_charsmap"].get<std::string>();
}

Offsets characters_of(std::string_view text) {
  Offsets characters;
  for (std::size_t i = 0; i < text.size(); i = characters.back().second) characters.emplace_back(i, i + utf8_bytes(text, i));
  return characters;
}

// Where each normalized character comes from, by the rules of NormalizedString::transform: a new one is where the byte before belongs, another
// where the next byte belongs; it passes its own character and the removed ones.
Offsets align(std::string_view text, const std::vector<NormalizedCharacter>& normalized) {
  const Offsets sources = characters_of(text);
  Offsets by_byte;
  for (const auto& source : sources) by_byte.insert(by_byte.end(), source.second - source.first, source);
  Offsets result;
  std::size_t at = 0, next = 0;
  for (const NormalizedCharacter& c : normalized) {
    if (c.change > 0) {
      result.push_back(at == 0 ? Offsets::value_type{0, 0} : by_byte.at(at - 1));
      continue;
    }
    result.push_back(by_byte.at(at));
    for (std::int64_t i = 0; i <= -c.change && next < sources.size(); ++i, ++next) at += sources[next].second - sources[next].first;
  }
  return result;
}

TEST(PrecompiledNormalizer, GivesTextAndOffsetsOfTokenizers) {
  std::ifstream file = open_goldens();
  std::string line;
  std::getline(file, line);
  const auto normalizer = PrecompiledNormalizer::from_base64(charsmap_base64());
  std::size_t texts = 0;
  while (std::getline(file, line)) {
    const auto row = nlohmann::json::parse(line);
    const auto text = row["text"].get<std::string>();
    EXPECT_EQ(normalizer.normalize(text), row["normalized"].get<std::string>()) << line;
    std::vector<NormalizedCharacter> characters;
    const bool modified = normalizer.normalize(text, characters);
    EXPECT_EQ(modified ? align(text, characters) : characters_of(text), row["offsets"].get<Offsets>()) << line;
    ++texts;
  }
  EXPECT_GE(texts, 1000u);
}

// "A" becomes "a", and takes with it the character behind it where both are one grapheme cluster.
TEST(PrecompiledNormalizer, SeesTheMarksOfTokenizers) {
  const auto normalizer = PrecompiledNormalizer::from_base64(charsmap_base64());
  std::ifstream file(FLOWRUN_TEST_SOURCE_DIR "/testdata/marks.txt");
  std::vector<bool> is_mark(0x110000);
  char32_t first = 0, last = 0;
  for (std::string line; std::getline(file, line);) {
    std::uint32_t from = 0, to = 0;
    std::istringstream(line) >> std::hex >> from >> to;
    first = from, last = to;
    for (char32_t c = first; c <= last; ++c) is_mark[c] = true;
  }
  ASSERT_GT(last, 0u);
  for (char32_t c = 0x80; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string alone;
    append_utf8(c, alone);
    if (normalizer.normalize(alone) != alone) continue;  // in the map itself
    EXPECT_EQ(normalizer.normalize("A" + alone) == "a", is_mark[c]) << std::hex << static_cast<std::uint32_t>(c);
  }
}

TEST(PrecompiledNormalizer, SaysHowEachCharacterChanged) {
  const auto normalizer = PrecompiledNormalizer::from_base64(charsmap_base64());
  const auto changes = [&](std::string_view text) {
    std::vector<NormalizedCharacter> out;
    normalizer.normalize(text, out);
    return out;
  };
  EXPECT_EQ(changes("\u2122x"), (std::vector<NormalizedCharacter>{{'t', 0}, {'m', 1}, {'x', 0}}));
  EXPECT_EQ(changes("x\u00AD\u200By"), (std::vector<NormalizedCharacter>{{'x', -2}, {'y', 0}}));
  EXPECT_EQ(changes("\r\nx"), (std::vector<NormalizedCharacter>{{' ', -1}, {'x', 0}}));
  EXPECT_EQ(changes("\u00ADy"), (std::vector<NormalizedCharacter>{{'y', 0}})) << "what is removed at the beginning is counted nowhere";
  std::vector<NormalizedCharacter> out;
  EXPECT_FALSE(normalizer.normalize("plain é", out));
  EXPECT_EQ(out.size(), 7u);
}

TEST(PrecompiledNormalizer, KeepsItsBytes) {
  const std::string bytes = decode_base64(charsmap_base64());
  EXPECT_EQ(PrecompiledNormalizer(bytes).charsmap(), bytes);
}

TEST(PrecompiledNormalizer, RefusesDamagedMaps) {
  const std::string bytes = decode_base64(charsmap_base64());
  const auto message = [](std::string_view charsmap) { return message_of([&] { PrecompiledNormalizer{charsmap}; }); };
  EXPECT_EQ(message(""), "precompiled_charsmap: 0 bytes, expected at least 4");
  EXPECT_EQ(message(std::string_view("\0\0\0\0", 4)), "precompiled_charsmap: a trie of 0 bytes, expected a multiple of 4 above 0");
  EXPECT_EQ(message(std::string_view("\4\0\0\0ab", 6)), "precompiled_charsmap: a trie of 4 bytes, and only 2 follow");
  EXPECT_EQ(message(bytes + '\xFF'), "precompiled_charsmap: the replacements are not UTF-8 at offset " + std::to_string(bytes.size()));
  EXPECT_EQ(error_of([&] { PrecompiledNormalizer(bytes.substr(0, 1000)); }).first, Code::kCorruptData);
  // The root leads to unit 1 << 20.
  EXPECT_EQ(message(std::string("\4\0\0\0\0\0\0\x40", 8)), "precompiled_charsmap: unit 0 leads to 1048576 of 256");
}

TEST(PrecompiledNormalizer, NeverReadsOutsideOfDamagedMaps) {
  const std::string bytes = decode_base64(charsmap_base64());
  std::mt19937 random(11);
  std::string text = "A\u2122\uFF76\uFF9E\r\nE\u0301 \u0149\U0001D400";
  for (char32_t c = 1; c < 0x3400; ++c) append_utf8(c, text);
  std::size_t refused = 0;
  for (int i = 0; i < 1000; ++i) {
    std::string damaged = bytes;
    for (unsigned k = 0; k <= random() % 8; ++k) damaged[random() % damaged.size()] = static_cast<char>(random());
    if (i % 5 == 0) damaged.resize(random() % damaged.size());
    try {
      const PrecompiledNormalizer normalizer(damaged);
      const std::string normalized = normalizer.normalize(i % 8 == 0 ? text : text.substr(0, 27));
      EXPECT_EQ(find_malformed_utf8(normalized), std::string::npos);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kCorruptData);
      ++refused;
    }
  }
  EXPECT_GT(refused, 100u);
  EXPECT_LT(refused, 1000u);
}

TEST(Base64, ReadsWhatRfc4648Gives) {
  const std::pair<const char*, const char*> vectors[] = {
      {"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"}, {"Zm9vYg==", "foob"}, {"Zm9vYmE=", "fooba"}, {"+/+/", "\xFB\xFF\xBF"}};
  for (const auto& [text, bytes] : vectors) {
    EXPECT_EQ(decode_base64(text), bytes);
    EXPECT_EQ(encode_base64(bytes), text);
  }
}

TEST(Base64, RefusesAllElse) {
  const auto message = [](std::string_view text) { return message_of([&] { decode_base64(text); }); };
  EXPECT_EQ(message("Zg="), "base64 of 3 characters, expected a multiple of 4");
  EXPECT_EQ(message("Zg\n="), "no base64 digit at offset 2");
  EXPECT_EQ(message("Z==="), "no base64 digit at offset 1");
  EXPECT_EQ(message("Zg==Zg=="), "no base64 digit at offset 2");
  EXPECT_EQ(message("Zh=="), "unused bits are set in the last base64 digit, at offset 1");
}

}  // namespace
}  // namespace flowrun::tokenizers
