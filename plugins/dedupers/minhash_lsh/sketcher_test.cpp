#include "sketcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <random>
#include <set>
#include <string>

#include "golden_file.hpp"
#include "permutations.hpp"
#include "simplified_text.hpp"

namespace flowrun::dedupers {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string simplified(std::string_view text) {
  static const TextSimplifier simplifier;
  std::string out = "what was there before";
  simplifier.simplify(text, out);
  return out;
}

std::vector<std::uint64_t> signature(const Sketcher& sketcher, std::string_view text) {
  Sketcher::Scratch scratch;
  std::vector<std::uint64_t> out{1, 2, 3};
  sketcher.signature(text, scratch, out);
  return out;
}

TEST(TextSimplifier, GivesDatatrovesTextsOfTheGoldenFile) {
  const auto documents = testing::read_golden_file();
  ASSERT_GT(documents.size(), 30u);
  for (const auto& document : documents) EXPECT_EQ(simplified(document.text), document.simplified) << document.id;
}

TEST(TextSimplifier, LowersAndLeavesOutWhatDoesNotCount) {
  EXPECT_EQ(simplified("Hello,  World!\n\tIt's -- FINE."), "hello world it s fine");
  EXPECT_EQ(simplified(" \t\n"), "");
  EXPECT_EQ(simplified(""), "");
  EXPECT_EQ(simplified("Crème Brûlée, ÀÉÎ"), "creme brulee aei");
  EXPECT_EQ(simplified("\xC4\xB0stanbul"), "istanbul") << "a capital I with a dot";
}

TEST(TextSimplifier, TakesEightBytesAtOnceAsOneByOne) {
  const auto one_by_one = [](const std::string& text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
      const auto c = static_cast<unsigned char>(text[at]);
      if (std::isalpha(c)) out += static_cast<char>(std::tolower(c));
      else if (std::isdigit(c)) {
        const auto digits = [&](std::size_t from) { return std::min(text.find_first_not_of("0123456789", from), text.size()); };
        at = digits(at);
        if (at + 1 < text.size() && (text[at] == '.' || text[at] == ',') && digits(at + 1) > at + 1) at = digits(at + 1);
        --at;
        out += '0';
      } else if (!out.empty() && out.back() != ' ') out += ' ';
    }
    return out.empty() || out.back() != ' ' ? out : out.substr(0, out.size() - 1);
  };
  std::mt19937 random(2);
  const std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCXYZ@[`{/09:.,     \n\t\x7F\x01";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    const std::size_t plain = random() % letters.size();  // some texts have few characters that need a closer look
    for (std::size_t n = random() % 60; n > 0; --n) text += letters[random() % (random() % 4 == 0 ? letters.size() : plain + 1)];
    ASSERT_EQ(simplified(text), one_by_one(text)) << text;
  }
}

TEST(TextSimplifier, MakesEveryNumberZero) {
  EXPECT_EQ(simplified("1 22 3.5 1,234 1,234.5 v2.0.1"), "0 0 0 0 0 0 v0 0") << "one decimal separator belongs to a number";
  EXPECT_EQ(simplified("7. and 8,"), "0 and 0");
  EXPECT_EQ(simplified("\u0967\u0968\u0969 \uFF11\uFF12 5\u066B5"), "0 0 0") << "digits of any script";
}

TEST(TextSimplifier, ChoosesTheFinalSigmaAsPythonDoes) {
  EXPECT_EQ(simplified("ΣΊΣΥΦΟΣ"), "σισυφος");
  EXPECT_EQ(simplified("ΑΣ.Β ΑΣ'"), "ασ β ας") << "a full stop between letters does not end a word";
  EXPECT_EQ(simplified("Σ"), "σ");
}

TEST(TextSimplifier, TakesMarksOutAfterSpacesWereJoined) {
  EXPECT_EQ(simplified("a \u0301 b"), "a  b") << "two spaces, with a mark between them before";
  EXPECT_EQ(simplified("\u0301 a \u0301"), "a");
}

TEST(TextSimplifier, PutsMarksThatStayIntoCanonicalOrder) {
  EXPECT_EQ(simplified("x\u302E\u1B44y"), "x\u1B44\u302Ey") << "classes 224 and 9";
  EXPECT_EQ(simplified("x\u302Ea\u1B44"), "x\u302Ea\u1B44") << "not across a letter";
}

TEST(MersennePermutations, DrawWhatNumpyDraws) {
  // numpy.random.RandomState(1).randint(1, 2**61 - 1, dtype=uint64, size=112)[:2]: factors; the next 112 from 0 on are summands.
  const std::uint64_t a[] = {775169054918279404u, 1758426461858698313u}, b[] = {1062448801025099917u, 1324811268927594100u};
  constexpr std::uint64_t kPrime = (std::uint64_t{1} << 61) - 1, kHash = 0x123456789ABCDEF0u;
  std::vector<std::uint64_t> minima(112);
  MersennePermutations(1, 112, 64).minima(std::vector{kHash}, minima);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(minima[static_cast<std::size_t>(i)], (kHash * a[i] + b[i]) % kPrime) << i;
}

TEST(MersennePermutations, ReduceRemaindersToTheEnd) {
  // Hashes that the second permutation brings to the 36 numbers of which one step of reduction leaves 2^61 - 1 or more: its factor is odd, so its inverse leads back.
  constexpr std::uint64_t kFactor = 1758426461858698313u, kSummand = 1324811268927594100u, kPrime = (std::uint64_t{1} << 61) - 1;
  std::uint64_t inverse = kFactor;
  for (int i = 0; i < 6; ++i) inverse *= 2 - kFactor * inverse;  // Newton's iteration, modulo 2^64
  ASSERT_EQ(inverse * kFactor, 1u);
  const MersennePermutations permutations(1, 112, 64), halves(1, 112, 32);
  std::vector<std::uint64_t> minima(112);
  for (std::uint64_t high = 0; high < 8; ++high)
    for (std::uint64_t below = 0; below <= high; ++below) {
      const std::uint64_t value = high << 61 | (kPrime - below), hash = (value - kSummand) * inverse;
      permutations.minima(std::vector{hash}, minima);
      EXPECT_EQ(minima[1], high - below) << value;
      halves.minima(std::vector{hash}, minima);
      EXPECT_EQ(minima[1], high - below) << value;
    }
}

TEST(MersennePermutations, GiveTheMinimumOfEachOverAllHashes) {
  std::mt19937_64 random(3);
  for (const int bits : {64, 32})
    for (const std::size_t count : {1u, 31u, 32u, 33u, 112u, 200u}) {
      const MersennePermutations permutations(9, count, bits);
      std::vector<std::uint64_t> hashes, expected(count, ~std::uint64_t{0}), one(count), all(count);
      for (int i = 0; i < 50; ++i) {
        hashes.push_back(random());
        permutations.minima(std::span(hashes).last(1), one);
        for (std::size_t j = 0; j < count; ++j) expected[j] = std::min(expected[j], one[j]);
      }
      permutations.minima(hashes, all);
      EXPECT_EQ(all, expected) << bits << " bits, " << count;
      EXPECT_LE(*std::max_element(all.begin(), all.end()), bits == 32 ? 0xFFFFFFFFu : (std::uint64_t{1} << 61) - 2);
    }
}

TEST(EqualSketcher, GivesDatatrovesSignaturesOfTheGoldenFile) {
  const auto sketcher = Sketcher::make({.buckets = 2, .hashes_per_bucket = 2, .seed = 3});
  for (const auto& document : testing::read_golden_file()) EXPECT_EQ(signature(*sketcher, document.text), document.signature) << document.id;
}

TEST(Sketcher, GivesNothingForATextOfFewerWordsThanAnNGram) {
  for (const bool fast : {false, true}) {
    const auto sketcher = Sketcher::make({.fast = fast, .buckets = 3});
    EXPECT_THAT(signature(*sketcher, "four words are few"), IsEmpty());
    EXPECT_EQ(signature(*sketcher, "here are exactly five words").size(), 24u);
    Sketcher::Scratch scratch;
    std::vector<BucketKey> keys(3, BucketKey{7, 7});
    EXPECT_FALSE(sketcher->keys("four words are few", scratch, keys));
    EXPECT_THAT(keys, ElementsAre(BucketKey{7, 7}, BucketKey{7, 7}, BucketKey{7, 7}));
    ASSERT_TRUE(sketcher->keys("here are exactly five words", scratch, keys));
    for (const BucketKey& key : keys) EXPECT_EQ(key.low & ((std::uint64_t{1} << 40) - 1), 0u) << "room for a document";
  }
}

TEST(FastSketcher, TakesChineseCharactersForWords) {
  const auto sketcher = Sketcher::make({.fast = true, .n_grams = 4});
  EXPECT_EQ(signature(*sketcher, "東京都庁"), signature(*sketcher, "東 京 都 庁"));
  EXPECT_THAT(signature(*sketcher, "東京都"), IsEmpty());
}

TEST(FastSketcher, SeesTheSameNGramsWhereverTheyStand) {
  // The rolling hash of the last n-gram must be that of the n-gram alone.
  const auto sketcher = Sketcher::make({.fast = true, .n_grams = 3, .buckets = 1, .hashes_per_bucket = 64});
  const auto alone = signature(*sketcher, "x y z"), late = signature(*sketcher, "a b c d e f g h x y z");
  int equal = 0;
  for (std::size_t i = 0; i < alone.size(); ++i) {
    EXPECT_LE(late[i], alone[i]);
    equal += late[i] == alone[i] ? 1 : 0;
  }
  EXPECT_GT(equal, 0) << "one of nine n-grams has the minimum of some permutation";
}

/// Two texts of whose 5-grams a known share is common: `common` words, and behind them words of their own.
struct TwoTexts {
  std::string a, b;
  double similarity;
};

TwoTexts make_texts(int common, int own, std::mt19937& random) {
  const auto words = [&](int count) {
    std::string text;
    const auto letter = [&] { return static_cast<char>('a' + random() % 26); };
    for (int i = 0; i < count; ++i) text += {'w', letter(), letter(), letter(), letter(), ' '};
    return text;
  };
  const auto shingles = [](const std::string& text) {
    std::set<std::string> set;
    std::vector<std::string> list;
    const std::string simple = simplified(text);
    for (std::size_t at = 0; at < simple.size();) {
      const std::size_t end = std::min(simple.find(' ', at), simple.size());
      list.push_back(simple.substr(at, end - at));
      at = end + 1;
    }
    for (std::size_t i = 0; i + 5 <= list.size(); ++i) set.insert(list[i] + " " + list[i + 1] + " " + list[i + 2] + " " + list[i + 3] + " " + list[i + 4]);
    return set;
  };
  TwoTexts texts{words(common), {}, 0};
  texts.b = texts.a + words(own);
  texts.a += words(own);
  const auto a = shingles(texts.a), b = shingles(texts.b);
  std::size_t both = 0;
  for (const auto& one : a) both += b.count(one);
  texts.similarity = static_cast<double>(both) / static_cast<double>(a.size() + b.size() - both);
  return texts;
}

TEST(Sketcher, EstimatesTheExactJaccardSimilarity) {
  constexpr std::size_t kHashes = 2048;
  std::mt19937 random(11);
  for (const bool fast : {false, true}) {
    const auto sketcher = Sketcher::make({.fast = fast, .buckets = 1, .hashes_per_bucket = kHashes});
    for (const auto& [common, own] : {std::pair{190, 10}, {150, 50}, {100, 100}, {40, 160}, {0, 100}}) {
      const TwoTexts texts = make_texts(common, own, random);
      const auto a = signature(*sketcher, texts.a), b = signature(*sketcher, texts.b);
      std::size_t equal = 0;
      for (std::size_t i = 0; i < kHashes; ++i) equal += a[i] == b[i] ? 1 : 0;
      const double deviation = std::sqrt(texts.similarity * (1 - texts.similarity) / kHashes);
      EXPECT_NEAR(static_cast<double>(equal) / kHashes, texts.similarity, 5 * deviation + 1e-9) << (fast ? "fast " : "equal ") << common << " words of " << common + own;
    }
  }
}

}  // namespace
}  // namespace flowrun::dedupers
