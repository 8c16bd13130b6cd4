#include "pattern.hpp"

#include <gtest/gtest.h>

#include <flowrun/error.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace flowrun::tokenizers {
namespace {

using Json = nlohmann::json;
using Spans = std::vector<std::pair<std::size_t, std::size_t>>;

std::vector<Pattern::Match> matches_of(const Pattern& pattern, std::string_view text, Pattern::Scratch& scratch) {
  std::vector<Pattern::Match> found;
  Pattern::Matches matches(pattern, text, scratch);
  while (const auto match = matches.next()) found.push_back(*match);
  return found;
}

// What Split makes of the matches: all pieces, or only those between them; without the empty ones.
Spans pieces_of(const std::vector<Pattern::Match>& matches, std::size_t size, bool with_matches) {
  Spans pieces;
  const auto add = [&](std::size_t begin, std::size_t end) {
    if (begin != end) pieces.emplace_back(begin, end);
  };
  std::size_t last = 0;
  for (const auto& match : matches) {
    add(last, match.begin);
    if (with_matches) add(match.begin, match.end);
    last = match.end;
  }
  add(last, size);
  return pieces;
}

std::string refusal_of(std::string_view expression, Code code) {
  try {
    Pattern::compile(expression);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << expression;
    return error.message();
  }
  return "was compiled";
}

TEST(Pattern, EqualsHuggingFaceOnGoldenTexts) {
  std::ifstream file(FLOWRUN_TEST_SOURCE_DIR "/testdata/pattern_splits.jsonl");
  Pattern::Scratch scratch, mindful(Pattern::Scratch::Memory::kAlways);
  int texts = 0;
  for (std::string line; std::getline(file, line);) {
    const Json golden = Json::parse(line);
    const Pattern pattern = Pattern::compile(golden["pattern"].get<std::string>());
    for (const Json& split : golden["splits"]) {
      const auto text = split["text"].get<std::string>();
      const auto matches = matches_of(pattern, text, scratch);
      EXPECT_EQ(matches, matches_of(pattern, text, mindful)) << golden["pattern"] << " on " << split["text"];
      EXPECT_EQ(pieces_of(matches, text.size(), true), split["isolated"].get<Spans>()) << golden["pattern"] << " on " << split["text"];
      EXPECT_EQ(pieces_of(matches, text.size(), false), split["removed"].get<Spans>()) << golden["pattern"] << " on " << split["text"];
      ++texts;
    }
  }
  EXPECT_GT(texts, 1900);
}

TEST(Pattern, FindsFromAPositionAndSeesWhatIsBefore) {
  Pattern::Scratch scratch;
  const std::string text = "ab ab";
  EXPECT_EQ(Pattern::compile("ab").find(text, 1, scratch), (Pattern::Match{3, 5}));
  EXPECT_EQ(Pattern::compile("(?<=a)b").find(text, 1, scratch), (Pattern::Match{1, 2}));
  EXPECT_EQ(Pattern::compile("^ab").find(text, 1, scratch), std::nullopt);
  EXPECT_EQ(Pattern::compile("").find(text, 5, scratch), (Pattern::Match{5, 5}));
}

TEST(Pattern, TakesAByteThatIsNotUtf8ForOneOtherCharacter) {
  Pattern::Scratch scratch;
  EXPECT_EQ(matches_of(Pattern::compile(R"([^\s\p{L}\p{N}])"), "a\xFF\x80z\xE4\xB8", scratch).size(), 4u);
  EXPECT_EQ(matches_of(Pattern::compile(R"(\p{Cn})"), "\xFF", scratch).size(), 1u);
  EXPECT_TRUE(matches_of(Pattern::compile(R"([\x{0}-\x{10FFFF}])"), "\xFF", scratch).empty());
  EXPECT_EQ(matches_of(Pattern::compile("(?<=.)b"), "\x80\xFF\x62", scratch).size(), 1u);
}

// Texts and patterns on which a matcher that forgets needs quadratic or exponential time. Steps are counted; no clock is read.
TEST(Pattern, TakesLinearStepsWhateverThePattern) {
  const std::string many(1000000, 'a'), letters(50000, 'a'), spaces(50000, ' ');
  const struct {
    const char* expression;
    const std::string& text;
    std::uint64_t steps_a_byte;
  } cases[] = {{"a*b|a", many, 60},             {"(?:a|a)*b|a", letters, 80},      {"(?:a*)*b|a", letters, 80},     {R"((?:a?b??)*c|a)", letters, 120},
               {"a++b|a", letters, 60},         {"(?>a*)b|a", letters, 60},        {"a(?=a*$)", letters, 80},       {"a(?!a*b)", letters, 80},
               {"(?<=^a*)a", letters, 80},      {"a*?b|a", letters, 60},           {R"(\s+(?!\S)|\s+)", spaces, 8}, {R"(\s+$|x)", spaces, 8},
               {R"(\s*[\r\n]+|x)", spaces, 60}, {R"((\p{L}+\d*)+\d+x)", letters, 200}, {R"(\p{L}+)", many, 8}};
  for (const auto& [expression, text, steps_a_byte] : cases) {
    Pattern::Scratch scratch;
    matches_of(Pattern::compile(expression), text, scratch);
    EXPECT_LE(scratch.steps(), steps_a_byte * text.size()) << expression << ": " << scratch.steps() / text.size() << " steps a byte";
  }
}

// What is remembered must not change what is found. Most of these patterns have loops whose body can be empty, inside runs of their own.
TEST(Pattern, FindsTheSameWhetherItRemembersOrNot) {
  std::mt19937 random(3);
  const char* const expressions[] = {R"((?=(?:(?:b|)(?:|x)|a)*c)a?)", R"((?:a|b??)*c|.)",           R"((?:(?:a*)*b|a|)+?c|b)",       R"((?>a|ab)*c|(?:|a)+b)",
                                     R"((?<=(?:a|bc)*x)[abc]|a++b|.)", R"((?:(?:|a)(?:b|))+c|a)", R"((?!(?:a|b)*cx)(?:ab?|b)+|x*)", R"((?:(?:b?|a)(?:|x))*+c|a)"};
  Pattern::Scratch forgetful, mindful(Pattern::Scratch::Memory::kAlways);
  for (const char* const expression : expressions) {
    const Pattern pattern = Pattern::compile(expression);
    for (int round = 0; round < 500; ++round) {
      std::string text;
      for (std::size_t n = random() % 24; n > 0; --n) text += "abcx"[random() % (random() % 3 == 0 ? 4 : 2)];
      EXPECT_EQ(matches_of(pattern, text, forgetful), matches_of(pattern, text, mindful)) << expression << " on " << text;
    }
  }
}

TEST(Pattern, RefusesByNameAndOffsetWhatItHasNot) {
  const auto unsupported = [](std::string_view expression) { return refusal_of(expression, Code::kUnsupported); };
  EXPECT_EQ(unsupported(R"((a)\1)"), "the pattern has a back-reference at byte 3, which is not supported");
  EXPECT_EQ(unsupported(R"(é\k<n>)"), "the pattern has a back-reference at byte 2, which is not supported");
  EXPECT_EQ(unsupported(R"(a\g<0>)"), "the pattern has a call of a group at byte 1, which is not supported");
  EXPECT_EQ(unsupported("x(?(1)a|b)"), "the pattern has a conditional at byte 1, which is not supported");
  EXPECT_EQ(unsupported("(?~a)"), "the pattern has an absent operator at byte 0, which is not supported");
  EXPECT_EQ(unsupported(R"(\X)"), "the pattern has '\\X' at byte 0, which is not supported");
  EXPECT_EQ(unsupported(R"([\p{Runic}])"), "the pattern has the property 'Runic' at byte 1, which is not supported");
  EXPECT_EQ(unsupported("(?<=a++)b"), "the pattern has a possessive quantifier in a look-behind at byte 4, which is not supported");
  EXPECT_EQ(unsupported("(?:a?){2}"), "the pattern has a counted repeat of what can be empty at byte 6, which is not supported");
  EXPECT_EQ(unsupported(R"([^[^\u0000-\u00ff]])"), "the pattern has a range from U+0000 beyond ASCII in a class in a class at byte 11, which is not supported");
  EXPECT_EQ(unsupported(R"([a[^\D\p{N}]])"), "the pattern has a negated class of all characters beyond ASCII in a class at byte 2, which is not supported");
  EXPECT_EQ(unsupported("(?:a{1000}){1000}"), "the pattern needs more than 200000 instructions, its repeat counts are too large");
  EXPECT_EQ(unsupported(std::string(200, '(')).substr(0, 44), "the pattern has groups nested more than 100 ");
  EXPECT_EQ(unsupported("a" + std::string(50000, '*')), "the pattern has more than 8 quantifiers in a row at byte 0, which is not supported");
  EXPECT_EQ(unsupported(std::string(70000, 'a')), "the pattern has 70000 bytes, expected at most 65536");
}

TEST(Pattern, RefusesATextThatItMustRememberTooMuchOf) {
  // Each of the many repeats may begin at each of the many characters.
  const Pattern pattern = Pattern::compile("(?:a|ab?){1,9000}c");
  Pattern::Scratch scratch;
  const std::string text(20000, 'a');
  try {
    matches_of(pattern, text, scratch);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnsupported);
    EXPECT_EQ(error.message(), "a pattern must remember more than 1208576 ways to match the text: its repeat counts are too large");
  }
  // The scratch can be used again.
  EXPECT_EQ(matches_of(pattern, "xaac", scratch), (std::vector<Pattern::Match>{{1, 4}}));
}

TEST(Pattern, RefusesWhatIsNoPattern) {
  const auto invalid = [](std::string_view expression) { return refusal_of(expression, Code::kInvalidArgument); };
  EXPECT_EQ(invalid("ab)"), "the pattern has an unmatched ')' at byte 2");
  EXPECT_EQ(invalid("a(b"), "the pattern has a '(' without its ')' at byte 1");
  EXPECT_EQ(invalid("a|*"), "the pattern has a quantifier with nothing to repeat at byte 2");
  EXPECT_EQ(invalid("[a"), "the pattern has a class without its ']' at byte 0");
  EXPECT_EQ(invalid("[]"), "the pattern has an empty class at byte 0");
  EXPECT_EQ(invalid("[b-a]"), "the pattern has an empty range at byte 3");
  EXPECT_EQ(invalid(R"([\d-z])"), "the pattern has a range that begins with a class at byte 3");
  EXPECT_EQ(invalid("a\\"), "the pattern has a '\\' at the end at byte 1");
  EXPECT_EQ(invalid("a{100001}"), "the pattern has a repeat count above 100000 at byte 1");
  EXPECT_EQ(invalid(R"(\b+)"), "the pattern has a quantifier of an anchor or look-around at byte 2");
  EXPECT_EQ(invalid("a\xFF"), "the pattern has a byte that is not UTF-8 at byte 1");
}

TEST(Pattern, CompilesOrRefusesAnyBytes) {
  std::mt19937 random(5);
  const std::string alphabet = std::string("ab()[]{}|*+?\\^$.-&:<>=!,12pPLsdwxuRi#") + "\xC3\xA9\xFF";
  Pattern::Scratch scratch;
  for (int round = 0; round < 30000; ++round) {
    std::string expression;
    for (std::size_t n = random() % 14; n > 0; --n) expression += alphabet[random() % alphabet.size()];
    try {
      matches_of(Pattern::compile(expression), "ab 12\xC3\xA9\n", scratch);
    } catch (const Error&) {
      // Refused, which is the other thing that it may do.
    }
  }
}

}  // namespace
}  // namespace flowrun::tokenizers
