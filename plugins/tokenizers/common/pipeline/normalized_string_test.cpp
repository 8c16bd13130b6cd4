#include "normalized_string.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tokenizers/common/unicode/normalization.hpp"

namespace flowrun::tokenizers {
namespace {

std::vector<std::string> texts(const std::vector<NormalizedString>& pieces) {
  std::vector<std::string> list;
  for (const auto& piece : pieces) list.push_back(piece.text());
  return list;
}

std::vector<PatternPart> dashes(std::string_view text) {
  return match_characters(text, [](char32_t c) { return c == U'-'; });
}

TEST(NormalizedString, SplitsAsTheLibrarysDocumentationSays) {
  const NormalizedString text("the-final--countdown");
  const auto split = [&](SplitBehavior behavior) { return texts(text.split(dashes(text.text()), behavior)); };
  using Texts = std::vector<std::string>;
  EXPECT_EQ(split(SplitBehavior::kRemoved), (Texts{"the", "final", "countdown"}));
  EXPECT_EQ(split(SplitBehavior::kIsolated), (Texts{"the", "-", "final", "-", "-", "countdown"}));
  EXPECT_EQ(split(SplitBehavior::kMergedWithPrevious), (Texts{"the-", "final-", "-", "countdown"}));
  EXPECT_EQ(split(SplitBehavior::kMergedWithNext), (Texts{"the", "-final", "-", "-countdown"}));
  EXPECT_EQ(split(SplitBehavior::kContiguous), (Texts{"the", "-", "final", "--", "countdown"}));
}

TEST(NormalizedString, KnowsWhereEveryPieceCameFrom) {
  NormalizedString text("aé-b");
  text.prepend("__");
  EXPECT_EQ(text.text(), "__aé-b");
  text.filter([](char32_t c) { return c != U'é'; });
  EXPECT_EQ(text.text(), "__a-b");
  const auto pieces = text.split(dashes(text.text()), SplitBehavior::kRemoved);
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(pieces[1].text(), "b");
  EXPECT_EQ(pieces[1].original_of({0, 1}), (Range{4, 5}));
  EXPECT_EQ(pieces[0].original_of({0, 3}), (Range{0, 1}));  // what was put before "a" comes from it
}

TEST(NormalizedString, EmptyTextStaysEmpty) {
  NormalizedString text("");
  text.prepend("x");
  text.lowercase();
  text.strip(true, true);
  text.filter([](char32_t) { return false; });
  EXPECT_EQ(text.text(), "");
  EXPECT_EQ(text.original_of({0, 0}), (Range{0, 0}));
}

}  // namespace
}  // namespace flowrun::tokenizers
