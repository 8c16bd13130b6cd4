#include "dedupers/common/text_units.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace flowrun::dedupers {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> units(std::string_view text, UnitKind kind) {
  const TextUnits found(text, kind);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < found.size(); ++i) out.emplace_back(found[i]);
  return out;
}

std::string without(std::string_view text, UnitKind kind, const std::vector<bool>& removed) { return TextUnits(text, kind).without(removed); }

TEST(TextUnits, AreLinesWithoutTheSpaceAroundThem) {
  EXPECT_THAT(units("a\n\n  b c \r\n \t\nd", UnitKind::kLine), ElementsAre("a", "b c", "d"));
  EXPECT_THAT(units("", UnitKind::kLine), IsEmpty());
  EXPECT_THAT(units(" \n\n", UnitKind::kLine), IsEmpty());
}

TEST(TextUnits, AreParagraphsBetweenBlankLines) {
  EXPECT_THAT(units("\n a\nb \n\n\nc\n \nd\n", UnitKind::kParagraph), ElementsAre("a\nb", "c", "d"));
}

TEST(TextUnits, GoWithWhatSeparatesThem) {
  EXPECT_EQ(without("a\nb\nc", UnitKind::kLine, {false, true, false}), "a\nc");
  EXPECT_EQ(without("a\nb\nc", UnitKind::kLine, {false, false, true}), "a\nb");
  EXPECT_EQ(without("a\nb\nc\n", UnitKind::kLine, {true, false, true}), "b\n");
  EXPECT_EQ(without("\n a\n\nb\n\n\nc \n", UnitKind::kParagraph, {false, true, false}), "\n a\n\nc \n");
  EXPECT_EQ(without("\na\n\nb\n", UnitKind::kParagraph, {true, true}), "\n\n");
}

TEST(TextUnits, StayAsTheyAreWhereNothingIsRemoved) {
  std::mt19937 random(3);
  for (int i = 0; i < 5000; ++i) {
    std::string text(random() % 24, ' ');
    for (char& c : text) c = "ab \n\n\r\t"[random() % 7];
    for (const UnitKind kind : {UnitKind::kLine, UnitKind::kParagraph}) ASSERT_EQ(without(text, kind, std::vector<bool>(TextUnits(text, kind).size())), text);
  }
}

}  // namespace
}  // namespace flowrun::dedupers
