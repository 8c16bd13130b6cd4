#include "gpt2_pretokenizer.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "unicode_classes.hpp"

namespace flowrun::bpe {
namespace {

std::vector<std::size_t> sizes_of(std::string_view text) {
  std::vector<std::size_t> sizes;
  for (std::size_t begin = 0; begin < text.size(); begin += sizes.back()) sizes.push_back(gpt2_pretoken_end(text, begin) - begin);
  return sizes;
}

std::vector<std::string> pieces_of(std::string_view text) {
  std::vector<std::string> pieces;
  std::size_t begin = 0;
  for (const std::size_t size : sizes_of(text)) {
    pieces.emplace_back(text.substr(begin, size));
    begin += size;
  }
  return pieces;
}

using Pieces = std::vector<std::string>;

TEST(Gpt2Pretokenizer, SplitsContractionsAndTakesOneSpaceAlong) {
  EXPECT_EQ(pieces_of("It's we'll, I'M"), (Pieces{"It", "'s", " we", "'ll", ",", " I", "'", "M"}));
  EXPECT_EQ(pieces_of("a  b\n\n c\n"), (Pieces{"a", " ", " b", "\n\n", " c", "\n"}));
  EXPECT_EQ(pieces_of("x \t"), (Pieces{"x", " \t"}));
  EXPECT_EQ(pieces_of("\n\tx"), (Pieces{"\n", "\t", "x"}));
  EXPECT_EQ(pieces_of("ab12!?'"), (Pieces{"ab", "12", "!?'"}));
  EXPECT_TRUE(pieces_of("").empty());
}

TEST(Gpt2Pretokenizer, EqualsHuggingFaceOnGoldenTexts) {
  std::ifstream file(FLOWRUN_TEST_SOURCE_DIR "/testdata/gpt2_pretokens.jsonl");
  int texts = 0;
  for (std::string line; std::getline(file, line); ++texts) {
    const auto golden = nlohmann::json::parse(line);
    EXPECT_EQ(sizes_of(golden["text"].get<std::string>()), golden["sizes"].get<std::vector<std::size_t>>()) << line;
  }
  EXPECT_EQ(texts, 400);
}

TEST(UnicodeClasses, EqualHuggingFaceForEveryCodePoint) {
  std::ifstream file(FLOWRUN_TEST_SOURCE_DIR "/testdata/char_classes.txt");
  std::vector<std::pair<std::uint32_t, std::string>> ranges;
  std::uint32_t first = 0;
  for (std::string name; file >> std::hex >> first >> name;) ranges.emplace_back(first, name);
  ASSERT_GT(ranges.size(), 1000u);
  const std::string names[] = {"other", "letter", "number", "space"};
  std::size_t range = 0;
  for (std::uint32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;  // surrogates are not in UTF-8
    if (range + 1 < ranges.size() && ranges[range + 1].first == c) ++range;
    ASSERT_EQ(names[static_cast<int>(char_class(c))], ranges[range].second) << std::hex << c;
  }
}

// Sixteen bytes that sit at the end of their own allocation, so that the address sanitizer sees any read beyond the text.
TEST(Gpt2Pretokenizer, CutsAnyBytesWithoutReadingBeyondThem) {
  std::mt19937 random(1);
  const std::string alphabet = std::string("a1 '\n!") + "\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x99\x82\xFF\xC0\xED\xA0\x80\xC2";
  for (int round = 0; round < 20000; ++round) {
    std::vector<char> bytes(random() % 16);
    for (char& c : bytes) c = alphabet[random() % alphabet.size()];
    std::size_t total = 0;
    for (const std::size_t size : sizes_of({bytes.data(), bytes.size()})) {
      ASSERT_GT(size, 0u);
      total += size;
    }
    ASSERT_EQ(total, bytes.size());
  }
}

}  // namespace
}  // namespace flowrun::bpe
