#include "character_cuts.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace flowrun::tokenizers {
namespace {

std::vector<std::string> cut(const CharacterCuts& cuts, const std::string& text) {
  std::vector<std::string> parts;
  std::size_t ends[kPretokensAtOnce];
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t count = cuts(text, begin, ends);
    EXPECT_GE(count, 1u);
    EXPECT_LE(count, kPretokensAtOnce);
    for (std::size_t i = 0; i < count; begin = ends[i++]) parts.push_back(text.substr(begin, ends[i] - begin));
  }
  return parts;
}

using Parts = std::vector<std::string>;

TEST(CharacterCuts, CutWhereNoTokenHasBothCharacters) {
  const CharacterCuts cuts({" the", "\u4e2d\u56fd", "e\u00e9", "  "}, false);
  EXPECT_EQ(cut(cuts, ""), Parts{});
  EXPECT_EQ(cut(cuts, "t"), Parts{"t"});
  EXPECT_EQ(cut(cuts, "the  theth"), (Parts{"the", "  the", "th"}));
  EXPECT_EQ(cut(cuts, "\u4e2d\u56fd\u4e2d\u4e2d\u56fd\n"), (Parts{"\u4e2d\u56fd", "\u4e2d", "\u4e2d\u56fd", "\n"}));
  EXPECT_EQ(cut(cuts, "e\u00e9e\u00e8"), (Parts{"e\u00e9", "e", "\u00e8"}));
}

TEST(CharacterCuts, CutBeforeEachSpaceWhereTheTokenizerDoes) {
  const CharacterCuts cuts({"a ", "  ", " a"}, true);
  EXPECT_EQ(cut(cuts, "a  a"), (Parts{"a", " ", " a"}));
  EXPECT_EQ(cut(CharacterCuts({"a ", "  ", " a"}, false), "a  a"), Parts{"a  a"});
}

TEST(CharacterCuts, FindAsManyAsThereIsRoomFor) {
  const CharacterCuts cuts({"ab"}, false);
  for (const std::size_t letters : {kPretokensAtOnce - 1, kPretokensAtOnce, kPretokensAtOnce + 1, 3 * kPretokensAtOnce}) {
    EXPECT_EQ(cut(cuts, std::string(letters, 'a')), Parts(letters, "a"));
    EXPECT_EQ(cut(cuts, std::string(letters, 'a') + "b").back(), "ab");
  }
}

}  // namespace
}  // namespace flowrun::tokenizers
