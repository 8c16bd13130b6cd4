#include <gtest/gtest.h>

#include <fstream>
#include <iomanip>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "normalization.hpp"
#include "properties.hpp"
#include "unicode_golden.hpp"
#include "utf8.hpp"

namespace flowrun::tokenizers {
namespace {

const std::pair<const char*, NormalForm> kForms[] = {
    {"nfc", NormalForm::kNfc}, {"nfd", NormalForm::kNfd}, {"nfkc", NormalForm::kNfkc}, {"nfkd", NormalForm::kNfkd}};

std::string text_of(const std::vector<MappedChar>& chars) {
  std::string text;
  for (const MappedChar& c : chars) append_utf8(c.code_point, text);
  return text;
}

std::string utf8(std::u32string_view code_points) {
  std::string text;
  for (const char32_t c : code_points) append_utf8(c, text);
  return text;
}

// Where in the text each code point comes from, as the library counts it: an inserted one from where the one before it in the text lies,
// or from nowhere (-1) if there is none.
std::vector<int> offsets_of(const std::vector<MappedChar>& chars) {
  std::vector<int> offsets;
  int next = 0;
  for (const MappedChar& c : chars) {
    offsets.push_back(c.change > 0 ? next - 1 : next);
    if (c.change <= 0) next += 1 - c.change;
  }
  return offsets;
}

std::vector<MappedChar> unchanged(std::string_view text) {
  std::vector<MappedChar> chars;
  for (std::size_t begin = 0; begin < text.size();) {
    const Utf8Character c = decode_utf8(text, begin);
    chars.push_back({c.code_point, 0});
    begin += c.bytes;
  }
  return chars;
}

std::uint64_t fnv1a(std::uint64_t value, std::string_view bytes) {
  for (const char c : bytes) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return value;
}

using CodePointNormalizer = std::string (*)(const std::string&);

std::string strip_accents_bert(const std::string& text) {
  std::string stripped;
  for (const MappedChar& c : normalize(text, NormalForm::kNfd)) {
    if (!is_nonspacing_mark_bert(c.code_point)) append_utf8(c.code_point, stripped);
  }
  return stripped;
}

// The hash over 4,096 code points, each normalized alone, that make_unicode_golden.py writes for the library.
std::string block_hash(char32_t first, CodePointNormalizer normalizer) {
  bool changed = false;
  std::uint64_t hash = 0xCBF29CE484222325;
  for (char32_t c = first; c < first + 4096; ++c) {
    if (is_surrogate(c)) continue;
    const std::string text = utf8({&c, 1}), normalized = normalizer(text);
    changed |= normalized != text;
    hash = fnv1a(fnv1a(hash, normalized), {"\0", 1});
  }
  std::ostringstream digits;
  digits << std::hex << std::setw(16) << std::setfill('0') << hash;
  return changed ? digits.str() : "same";
}

TEST(Normalization, EqualsTokenizersForEveryCodePoint) {
  const std::map<std::string, CodePointNormalizer> normalizers = {
      {"nfc", [](const std::string& text) { return text_of(normalize(text, NormalForm::kNfc)); }},
      {"nfd", [](const std::string& text) { return text_of(normalize(text, NormalForm::kNfd)); }},
      {"nfkc", [](const std::string& text) { return text_of(normalize(text, NormalForm::kNfkc)); }},
      {"nfkd", [](const std::string& text) { return text_of(normalize(text, NormalForm::kNfkd)); }},
      {"bert", strip_accents_bert}};
  std::ifstream file(FLOWRUN_TEST_SOURCE_DIR "/testdata/normalized_code_points.txt");
  int blocks = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name, expected;
    words >> name;
    for (char32_t first = 0; words >> expected; first += 4096, ++blocks) {
      EXPECT_EQ(block_hash(first, normalizers.at(name)), expected) << name << " from U+" << std::hex << static_cast<unsigned>(first);
    }
  }
  EXPECT_EQ(blocks, 5 * 272);
}

TEST(Normalization, TextsAndOffsetsEqualTokenizers) {
  std::ifstream file(FLOWRUN_TEST_SOURCE_DIR "/testdata/normalized_texts.jsonl");
  int texts = 0, changed = 0;
  for (std::string line; std::getline(file, line); ++texts) {
    const auto golden = nlohmann::json::parse(line);
    const auto text = golden["text"].get<std::string>();
    for (const auto& [name, form] : kForms) {
      const std::vector<MappedChar> chars = normalize(text, form);
      if (!golden.contains(name)) {
        EXPECT_EQ(text_of(chars), text) << name;
        EXPECT_EQ(offsets_of(chars), offsets_of(unchanged(text))) << name << " " << line;
        continue;
      }
      ++changed;
      EXPECT_EQ(text_of(chars), golden[name][0].get<std::string>()) << name << " " << line;
      EXPECT_EQ(offsets_of(chars), golden[name][1].get<std::vector<int>>()) << name << " " << line;
      EXPECT_FALSE(is_normalized_quick(text, form)) << name << " " << line;
    }
  }
  EXPECT_EQ(texts, 1200);
  EXPECT_GT(changed, 2000);
}

TEST(Normalization, SaysWhatEachCodePointReplaces) {
  using Chars = std::vector<MappedChar>;
  EXPECT_EQ(normalize(utf8(U"\u00E9"), NormalForm::kNfd), (Chars{{U'e', 0}, {0x301, 1}}));
  EXPECT_EQ(normalize(utf8(U"e\u0301x"), NormalForm::kNfc), (Chars{{0xE9, -1}, {U'x', 0}}));
  EXPECT_EQ(normalize(utf8(U"\u00E9"), NormalForm::kNfc), (Chars{{0xE9, 0}}));
  EXPECT_EQ(normalize(utf8(U"\u1112\u1161\u11AB"), NormalForm::kNfc), (Chars{{0xD55C, -2}}));
  EXPECT_EQ(normalize(utf8(U"\uD55C"), NormalForm::kNfd), (Chars{{0x1112, 0}, {0x1161, 1}, {0x11AB, 1}}));
  EXPECT_EQ(normalize(utf8(U"\uFB03"), NormalForm::kNfkc), (Chars{{U'f', 0}, {U'f', 1}, {U'i', 1}}));
  // The cedilla goes before the acute, and each keeps its number.
  EXPECT_EQ(normalize(utf8(U"\u00E9\u0327"), NormalForm::kNfc), (Chars{{0x229, -1}, {0x301, 1}}));
}

TEST(Normalization, LeavesAloneWhatUnicode9DidNotKnow) {
  const std::string text = utf8(U"\u32FF\U00011938\U000105C9");
  for (const auto& [name, form] : kForms) EXPECT_EQ(text_of(normalize(text, form)), text) << name;
}

TEST(Normalization, NormalizedTextStaysAndQuickCheckIsRight) {
  std::mt19937 random(3);
  const char32_t starts[] = {0x20, 0xC0, 0x300, 0x900, 0x1100, 0x1160, 0x1E00, 0x3040, 0xAC00, 0xF900, 0xFB00, 0x1D100, 0x0};
  int quick = 0;
  for (int round = 0; round < 40000; ++round) {
    std::u32string code_points;
    for (std::size_t i = random() % 8; i-- > 0;) {
      const char32_t start = starts[random() % std::size(starts)];
      const char32_t c = start == 0 ? random() % kCodePoints : start + random() % 0x80;
      if (!is_surrogate(c)) code_points.push_back(c);
    }
    const std::string text = utf8(code_points);
    for (const auto& [name, form] : kForms) {
      const std::vector<MappedChar> chars = normalize(text, form);
      const std::string normalized = text_of(chars);
      ASSERT_EQ(text_of(normalize(normalized, form)), normalized) << name;
      if (!is_normalized_quick(text, form)) continue;
      ++quick;
      ASSERT_EQ(chars, unchanged(text)) << name << " " << text;
    }
  }
  EXPECT_GT(quick, 10000);
}

TEST(Normalization, QuickCheckTakesPlainTextOfManyScripts) {
  const char32_t* const texts[] = {U"", U"Plain ASCII, longer than eight bytes.", U"na\u00EFve", U"\u4E2D\u6587", U"\uD55C\uAE00 a", U"\u043C\u0438\u0440",
                                   U"\U0001F642"};
  for (const char32_t* text : texts) EXPECT_TRUE(is_normalized_quick(utf8(text), NormalForm::kNfc)) << utf8(text);
  EXPECT_FALSE(is_normalized_quick("na\xC3\xAFve", NormalForm::kNfd));
  EXPECT_FALSE(is_normalized_quick("\xED\x95\x9C", NormalForm::kNfkd));
  EXPECT_FALSE(is_normalized_quick("e\xCC\x81", NormalForm::kNfc));
  EXPECT_FALSE(is_normalized_quick("\xFF", NormalForm::kNfc));
}

// A run of marks is sorted, and sorting by insertion would take hours here.
TEST(Normalization, AMillionMarksTakeNoMoreThanSorting) {
  std::u32string marks = U"a";
  for (int i = 0; i < 500000; ++i) marks += U"\u0301\u0316";
  const std::vector<MappedChar> chars = normalize(utf8(marks), NormalForm::kNfd);
  ASSERT_EQ(chars.size(), marks.size());
  EXPECT_EQ(chars[500000].code_point, 0x316u);
  EXPECT_EQ(chars[500001].code_point, 0x301u);
}

TEST(Normalization, TakesAnyBytes) {
  EXPECT_EQ(text_of(normalize("a\xFF\xCC", NormalForm::kNfc)), "a\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_TRUE(normalize("", NormalForm::kNfkd).empty());
}

}  // namespace
}  // namespace flowrun::tokenizers
