#include "scanners.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "categories.hpp"
#include "class_window.hpp"
#include "pattern.hpp"
#include "pattern_reader.hpp"

namespace flowrun::tokenizers {
namespace {

struct Published {
  const char* name;
  const char* pattern;
  Dialect dialect = Dialect::kOniguruma;
  // What the engine reads instead where tiktoken's dialect says something else to Oniguruma.
  const char* for_engine = nullptr;
};

#define CONTRACTION R"((?i:'s|'t|'re|'ve|'m|'ll|'d))"

const Published kPublished[] = {
    {"gpt2", R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"},
    {"gpt2 possessive", R"('(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s)"},
    {"llama3", CONTRACTION R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"qwen2", CONTRACTION R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"cl100k", R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)"},
    {"cl100k possessive",
     R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)", Dialect::kTiktoken,
     R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|(?>\p{N}{1,3})| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++\z|\s*[\r\n]|\s+(?!\S)|\s)"},
    {"o200k",
     R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)" CONTRACTION
     R"(?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)" CONTRACTION
     R"(?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"cl100k possessive in Oniguruma",
     R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)"},
};

#undef CONTRACTION

// Characters from all of Unicode, most of them of the kinds that the patterns tell apart.
class RandomText {
 public:
  explicit RandomText(std::uint32_t seed) : random_(seed) {}

  std::string next() {
    std::string text;
    for (std::size_t n = random_() % 12; n > 0; --n) {
      const std::string character = one();
      std::size_t times = random_() % 6 == 0 ? 2 + random_() % 4 : 1;
      if (random_() % 400 == 0) times = 300;
      for (; times > 0; --times) text += character;
    }
    return text;
  }

 private:
  std::string one() {
    static const std::vector<std::string> kTelling = {
        "'s", "'S", "'t", "'re", "'Re", "'vE", "'ll", "'LL", "'lL", "'m", "'d", "'\u017F", "'\u212A", "'", "''", "/", "\u017F", "\u212A", "\u01C5", "\u1F88",
        "\u0301", "\u093F", "\u20DD", "\u6F22", "\u304B", "\uD55C", "\u0E44", "\u02B0", "\u2160", "\u00BD", "\u0663", "\U0001F642", "\u200D", "\u00A0", "\u0085",
        "\u2028", "\u3000", "\u200B", "_", "-", "\u00AB"};
    switch (random_() % 10) {
      case 0: case 1: return kTelling[random_() % kTelling.size()];
      case 2: return std::string(1, static_cast<char>('a' + random_() % 26));
      case 3: return std::string(1, static_cast<char>('A' + random_() % 26));
      case 4: return std::string(1, static_cast<char>('0' + random_() % 10));
      case 5: case 6: return std::string(1, " \n\r\t  "[random_() % 6]);
      case 7: return std::string(1, static_cast<char>(random_() % 128));
      case 8: return scalar(0x3000);
      default: return scalar(0x110000);
    }
  }

  std::string scalar(std::uint32_t below) {
    const std::uint32_t c = static_cast<std::uint32_t>(random_()) % below;
    return c >= 0xD800 && c < 0xE000 ? "\u00E9" : shown(c);
  }

  std::mt19937 random_;
};

TEST(Scanners, EqualTheirPatternsOnRandomUnicode) {
  Pattern::Scratch scratch;
  for (const Published& published : kPublished) {
    const Scanner scanner = find_scanner(published.pattern, published.dialect);
    ASSERT_NE(scanner, nullptr) << published.name;
    const Pattern pattern = Pattern::compile(published.for_engine != nullptr ? published.for_engine : published.pattern);
    RandomText texts(17);
    for (int i = 0; i < 60000; ++i) {
      const std::string text = texts.next();
      Pattern::Matches matches(pattern, text, scratch);
      for (std::size_t begin = 0; begin < text.size();) {
        const auto match = matches.next();
        const std::size_t end = scanner(text, begin);
        ASSERT_TRUE(match && match->begin == begin && match->end == end)
            << published.name << " text " << i << " '" << text << "' from " << begin << ": " << end << ", expected " << (match ? match->end : 0);
        begin = end;
      }
      ASSERT_FALSE(matches.next()) << published.name << " text " << i;
    }
  }
}

// Words of all lengths at all distances from the end of the text, with what ends or goes on with them: scanners read eight letters at a time.
TEST(Scanners, EqualTheirPatternsOnLongWords) {
  Pattern::Scratch scratch;
  const std::vector<std::string> joints = {"", " ", "'s", "'", "\u00E9", "\u00D6", "\u0301", "\u6F22", "\uD55C", "\uC000", "\u3042", "7", "@", "[", "`", "{", "\x7F", "\n", "\xE5", "\xEB\x80", "\xE9\xBF\xBF"};
  for (const Published& published : kPublished) {
    const Scanner scanner = find_scanner(published.pattern, published.dialect);
    const Pattern pattern = Pattern::compile(published.for_engine != nullptr ? published.for_engine : published.pattern);
    std::mt19937 random(23);
    for (int i = 0; i < 20000; ++i) {
      std::string text;
      for (std::size_t n = random() % 5; n > 0; --n) {
        const unsigned capitals = random() % 3;  // none, the first, any
        for (std::size_t letter = 0, letters = random() % 27; letter < letters; ++letter)
          text += static_cast<char>((capitals == 2 ? random() % 2 == 0 : capitals == 1 && letter == 0) ? 'A' + random() % 26 : 'a' + random() % 26);
        text += joints[random() % joints.size()];
      }
      Pattern::Matches matches(pattern, text, scratch);
      for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = scanner(text, begin);
        ASSERT_EQ(matches.next(), (Pattern::Match{begin, end})) << published.name << " text " << i << " '" << text << "'";
        begin = end;
      }
      ASSERT_FALSE(matches.next()) << published.name << " text " << i;
    }
  }
}

// What scanners take for granted of the characters that begin with bytes E5 to E9, EB and EC.
TEST(Scanners, TakeOnlyLettersForLettersUnseen) {
  for (std::uint32_t c = 0x5000; c < 0xA000; ++c) ASSERT_EQ(category(c), Category::kLo) << std::hex << c;
  for (std::uint32_t c = 0xB000; c < 0xD000; ++c) ASSERT_EQ(category(c), Category::kLo) << std::hex << c;
}

TEST(Scanners, ClassEveryCodePointAsTheirPatterns) {
  Pattern::Scratch scratch;
  for (const Published& published : kPublished) {
    const Scanner scanner = find_scanner(published.pattern, published.dialect);
    const Pattern pattern = Pattern::compile(published.for_engine != nullptr ? published.for_engine : published.pattern);
    for (std::uint32_t c = 0x80; c < 0x110000; c += c < 0x3400 ? 1 : 37) {
      if (c >= 0xD800 && c < 0xE000) continue;
      // Behind a capital, before a small letter, a number, another character and white space.
      const std::string one = shown(c), text = "A" + one + "a" + one + "1" + one + "! " + one + one + "\n" + one;
      Pattern::Matches matches(pattern, text, scratch);
      for (std::size_t begin = 0; begin < text.size();) {
        const auto match = matches.next();
        const std::size_t end = scanner(text, begin);
        ASSERT_TRUE(match && match->begin == begin && match->end == end) << published.name << " U+" << std::hex << c << " from " << begin;
        begin = end;
      }
    }
  }
}

// Bytes that sit at the end of their own allocation, so that the address sanitizer sees any read beyond the text.
TEST(Scanners, CutAnyBytesWithoutReadingBeyondThem) {
  std::mt19937 random(1);
  const std::string alphabet = std::string("aA1 '\n!/s") + "\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x99\x82\xFF\xC0\xED\xA0\x80\xC5\xBF\xCC\x81";
  for (const Published& published : kPublished) {
    const Scanner scanner = find_scanner(published.pattern, published.dialect);
    const Pattern pattern = Pattern::compile(published.for_engine != nullptr ? published.for_engine : published.pattern);
    Pattern::Scratch scratch;
    for (int round = 0; round < 20000; ++round) {
      std::vector<char> bytes(random() % 16);
      for (char& c : bytes) c = alphabet[random() % alphabet.size()];
      const std::string_view text(bytes.data(), bytes.size());
      Pattern::Matches matches(pattern, text, scratch);
      for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = scanner(text, begin);
        ASSERT_EQ(matches.next(), (Pattern::Match{begin, end})) << published.name << " round " << round;
        begin = end;
      }
    }
  }
}

std::vector<std::size_t> ends_of(std::string_view text, Scanner scanner) {
  std::vector<std::size_t> ends;
  for (std::size_t begin = 0; begin < text.size(); begin = ends.back()) ends.push_back(scanner(text, begin));
  return ends;
}

std::vector<std::size_t> ends_of(std::string_view text, BatchScanner scanner) {
  std::vector<std::size_t> ends;
  for (std::size_t begin = 0; begin < text.size(); begin = ends.back()) {
    std::vector<std::size_t> batch(kPretokensAtOnce);  // at the end of its own allocation
    batch.resize(scanner(text, begin, batch.data()));
    ends.insert(ends.end(), batch.begin(), batch.end());
  }
  return ends;
}

// Text of several windows: words, numbers and white space in runs of all lengths, with what no window knows in between.
std::string long_text(std::mt19937& random, RandomText& texts) {
  static const std::vector<std::string> kPieces = {"the", "Some", "x", "don't", "we'LL", "'s", "'", "''", "12", "345678", "0", " ", " ", " ", "  ", "    ", "\n", "\n\n", "\r\n", "\n    ", " \n \n  ", "\t\t", "\v\f",
                                                   "!", "() {", "...\n", "!\r\n ", "->", " \"", "\u2019s", "\u2014", "caf\u00E9", "\u6F22\u5B57", "\u304B\u306A", "\u3002\n", "\u00A0", "\u3000", "\u0663\u0664", "'\u017F", "\xE5", "\xFF"};
  std::string text;
  const std::size_t rare = 1 + random() % 12, kinds = random() % 3 == 0 ? 33 : kPieces.size();  // some texts are ASCII and little else
  for (std::size_t n = random() % 120; n > 0; --n) text += random() % (rare * 8) == 0 ? texts.next() : kPieces[random() % kinds];
  return text;
}

TEST(BatchScanners, EqualTheirScannersOnLongTexts) {
  for (const Published& published : kPublished) {
    const Scanner scanner = find_scanner(published.pattern, published.dialect);
    const BatchScanner batch_scanner = find_batch_scanner(published.pattern, published.dialect);
    ASSERT_NE(batch_scanner, nullptr) << published.name;
    std::mt19937 random(5);
    RandomText texts(6);
    for (int i = 0; i < 40000; ++i) {
      const std::string text = long_text(random, texts);
      const std::vector<char> bytes(text.begin(), text.end());  // for the address sanitizer
      const std::string_view view(bytes.data(), bytes.size());
      ASSERT_EQ(ends_of(view, batch_scanner), ends_of(view, scanner)) << published.name << " text " << i << " '" << text << "'";
    }
  }
}

// A few characters of every kind in all orders, so that each shift and sum meets each of its cases, the ends of windows among them.
TEST(BatchScanners, EqualTheirScannersOnFewCharacters) {
  const std::vector<std::string> characters = {"a", "S", "1", " ", "\t", "\n", "\r", "!", "'", "s", "\u00E9", "\u2019"};
  for (const Published& published : kPublished) {
    const Scanner scanner = find_scanner(published.pattern, published.dialect);
    const BatchScanner batch_scanner = find_batch_scanner(published.pattern, published.dialect);
    std::mt19937 random(7);
    for (int i = 0; i < 40000; ++i) {
      const std::size_t first = random() % characters.size(), kinds = 1 + random() % 4;
      std::string text;
      for (std::size_t n = 66 + random() % 150; n > 0; --n) text += characters[(first + (random() % kinds) * (1 + i % 5)) % characters.size()];
      ASSERT_EQ(ends_of(text, batch_scanner), ends_of(text, scanner)) << published.name << " text " << i << " '" << text << "'";
    }
  }
}

TEST(BatchScanners, ReadAsciiAsTheTableHasIt) {
  std::mt19937 random(8);
  for (int i = 0; i < 20000; ++i) {
    std::vector<unsigned char> bytes(scanning::kWindowBytes);
    for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random() % (i % 2 == 0 ? 256 : 128));
    ASSERT_EQ(scanning::read_ascii(bytes.data()), scanning::read_ascii_by_table(bytes.data())) << i;
  }
}

TEST(Scanners, AreFoundByTheExactSpellingAlone) {
  EXPECT_EQ(find_scanner(""), nullptr);
  EXPECT_EQ(find_scanner(R"(\s+)"), nullptr);
  EXPECT_EQ(find_batch_scanner(R"(\s+)"), nullptr);
  EXPECT_EQ(find_scanner(std::string(kPublished[0].pattern) + " "), nullptr);
  // To Oniguruma {1,3}+ is no possessive quantifier, but numbers of any length.
  EXPECT_EQ(find_scanner(kPublished[5].pattern), nullptr);
  EXPECT_NE(find_scanner(kPublished[6].pattern, Dialect::kTiktoken), nullptr);
}

}  // namespace
}  // namespace flowrun::tokenizers
