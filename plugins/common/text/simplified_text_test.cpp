#include "common/text/simplified_text.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <random>
#include <string>

namespace flowrun::text {
namespace {

std::string simplified(std::string_view text) {
  static const TextSimplifier simplifier;
  std::string out = "what was there before";
  simplifier.simplify(text, out);
  return out;
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

}  // namespace
}  // namespace flowrun::text
