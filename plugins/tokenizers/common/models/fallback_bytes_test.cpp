#include "fallback_bytes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "tokenizers/common/bpe.hpp"

namespace flowrun::tokenizers {
namespace {

using Ids = std::vector<std::uint32_t>;
const std::string kSpace = "\u2581";

GeneralBpe::Options with_fallback() {
  GeneralBpe::Options options;
  options.unk_token = "<unk>";
  options.byte_fallback = true;
  options.fuse_unk = true;
  return options;
}

/// A vocabulary with all bytes and merges over `characters`, which may be listed in any order and make a token in several ways.
struct Made {
  std::vector<VocabularyEntry> vocabulary;
  GeneralBpe::Merges merges;

  explicit Made(const std::vector<std::string>& characters) {
    add("<unk>");
    char name[8];
    for (int byte = 0; byte < 256; ++byte) add((std::snprintf(name, sizeof name, "<0x%02X>", byte), name));
    for (const std::string& character : characters) add(character);
  }

  bool has(const std::string& token) const {
    return std::any_of(vocabulary.begin(), vocabulary.end(), [&](const VocabularyEntry& entry) { return entry.token == token; });
  }
  void add(const std::string& token) {
    if (!has(token)) vocabulary.push_back({token, static_cast<std::uint32_t>(vocabulary.size())});
  }
  void merge(const std::string& left, const std::string& right) {
    add(left + right);
    merges.emplace_back(left, right);
  }
};

const std::vector<std::string> kCharacters = {kSpace, "a", "b", "\u00e9", "\u4e2d", "\u4e3d", "\u56fd", "\U0001f600"};

Made random_made(std::mt19937& random) {
  Made made(kCharacters);
  std::vector<std::string> tokens = kCharacters;
  for (std::size_t n = random() % 24; n > 0; --n) {
    const std::string left = tokens[random() % tokens.size()], right = tokens[random() % tokens.size()];
    if (left.size() + right.size() > 16) continue;
    tokens.push_back(left + right);
    made.merge(left, right);
    // Another pair that makes the same token, better or worse than the first.
    for (std::size_t cut = 1; random() % 2 == 0 && cut < tokens.back().size(); ++cut)
      if (made.has(tokens.back().substr(0, cut)) && made.has(tokens.back().substr(cut))) made.merges.emplace_back(tokens.back().substr(0, cut), tokens.back().substr(cut));
  }
  if (random() % 3 == 0) std::shuffle(made.merges.begin(), made.merges.end(), random);  // else as a training has them
  return made;
}

// Characters of the vocabulary, others that begin with the same bytes, and others.
std::string random_text(std::mt19937& random) {
  static const std::vector<std::string> others = {"c", "\n", "\u00e8", "\u4e2e", "\u5700", "\U0001f601", "\U0001f900", "\u0416"};
  std::string text;
  for (std::size_t n = 1 + random() % 12; n > 0; --n) text += random() % 5 == 0 ? others[random() % others.size()] : kCharacters[random() % kCharacters.size()];
  return text;
}

std::string spaced(std::string text) {
  for (std::size_t at = 0; (at = text.find(kSpace, at)) != std::string::npos;) text.replace(at, kSpace.size(), " ");
  return text;
}

TEST(FallbackBytes, GiveTheIdsOfTheCharacters) {
  std::mt19937 random(1);
  int regular = 0, joined = 0;
  for (int i = 0; i < 600; ++i) {
    const Made made = random_made(random);
    const GeneralBpe general(made.vocabulary, made.merges, with_fallback());
    const auto bytes = find_fallback_bytes(general, kSpace);
    ASSERT_TRUE(bytes);
    const bpe::Bpe bpe(bytes->model);
    regular += bpe.regular() ? 1 : 0;
    bpe::Bpe::Scratch scratch;
    for (int n = 0; n < 40; ++n) {
      const std::string text = random_text(random);
      std::vector<Token> expected;
      general.tokenize(text, expected, *general.make_scratch());
      Ids wanted, ids;
      for (const Token& token : expected) wanted.push_back(token.id);
      bpe.encode_pretoken(spaced(text), scratch, ids);
      bytes->spelt.spell_out(ids, 0);
      ASSERT_EQ(ids, wanted) << text << " with model " << i;
      joined += std::any_of(wanted.begin(), wanted.end(), [](std::uint32_t id) { return id > 256 + kCharacters.size(); }) ? 1 : 0;
    }
  }
  EXPECT_GT(regular, 200);
  EXPECT_LT(regular, 590) << "the lists that no training gives are there too";
  EXPECT_GT(joined, 4000);
}

TEST(FallbackBytes, SpellOutTheBeginningOfACharacter) {
  const Made made({kSpace, "\u4e2d"});
  const GeneralBpe general(made.vocabulary, made.merges, with_fallback());
  const auto bytes = find_fallback_bytes(general, kSpace);
  ASSERT_TRUE(bytes);
  bpe::Bpe::Scratch scratch;
  Ids ids;
  bpe::Bpe(bytes->model).encode_pretoken("\u4e2d \u4e2e", scratch, ids);
  const std::uint32_t beginning = static_cast<std::uint32_t>(general.vocab_size());
  EXPECT_EQ(ids, (Ids{258, 257, beginning, 1 + 0xAE}));
  bytes->spelt.spell_out(ids, 1);
  EXPECT_EQ(ids, (Ids{258, 257, 1 + 0xE4, 1 + 0xB8, 1 + 0xAE}));
}

TEST(FallbackBytes, LeaveOutTokensWithASpaceWhichNoTextGives) {
  Made made({kSpace, " ", "a"});
  made.merge("a", " ");
  made.merge(kSpace, "a");
  const auto bytes = find_fallback_bytes(GeneralBpe(made.vocabulary, made.merges, with_fallback()), kSpace);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->model.tokens[258], "");
  EXPECT_EQ(bytes->model.tokens[260], "") << "'a '";
  EXPECT_EQ(bytes->model.tokens[261], " a");
  EXPECT_EQ(bytes->model.merges.size(), 1u);
}

TEST(FallbackBytes, AreNotFoundWhereTextIsMoreThanCharactersAndBytes) {
  const auto found = [](const Made& made, const GeneralBpe::Options& options) { return find_fallback_bytes(GeneralBpe(made.vocabulary, made.merges, options), kSpace).has_value(); };
  Made made({kSpace, "a"});
  EXPECT_TRUE(found(made, with_fallback()));
  auto options = with_fallback();
  options.byte_fallback = false;
  EXPECT_FALSE(found(made, options));
  options = with_fallback();
  options.ignore_merges = true;
  EXPECT_FALSE(found(made, options));
  options = with_fallback();
  options.end_of_word_suffix = "</w>";
  EXPECT_FALSE(found(made, options));
  EXPECT_FALSE(found(Made({"a"}), with_fallback())) << "no token for a space";
  Made gap = made;
  gap.vocabulary.back().id = 1000;
  EXPECT_FALSE(found(gap, with_fallback()));
  Made byte = made;
  byte.vocabulary[10].token = "<0xZZ>";
  EXPECT_FALSE(found(byte, with_fallback())) << "no token for byte 9";
  Made of_byte = made;
  of_byte.merge("<0x0A>", "a");
  EXPECT_FALSE(found(of_byte, with_fallback())) << "joins what stands for a line feed";
}

TEST(GeneralBpe, FindsTheMergesThatAreEverMade) {
  Made made({"a", "b", "c"});
  made.merge("b", "c");
  made.merge("ab", "c");  // never: 'b' and 'c' are joined first
  made.merge("a", "bc");
  made.merge("a", "b");
  made.merge("ca", "b");  // never: nothing makes its first part
  made.add("ca");
  const GeneralBpe bpe(made.vocabulary, made.merges, with_fallback());
  const auto id = [&](const char* token) { return bpe.token_to_id(token).value(); };
  const std::vector<bpe::BpeMerge> expected = {{id("b"), id("c"), id("bc")}, {id("a"), id("bc"), id("abc")}, {id("a"), id("b"), id("ab")}};
  EXPECT_EQ(bpe.effective_merges(), expected);
}

}  // namespace
}  // namespace flowrun::tokenizers
