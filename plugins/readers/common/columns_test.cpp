#include "readers/common/columns.hpp"

#include <flowrun/error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace flowrun::readers {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string refusal(const std::vector<std::string>& texts) {
  try {
    read_columns(texts);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    return error.what();
  }
  return "accepted";
}

TEST(ReadColumns, TakesEachForm) {
  EXPECT_THAT(read_columns({"title", " year : integer ", "score: number = metadata.score", "dc:date", "words=length = n", "a:string=b:integer"}),
              ElementsAre(Column{"title", "title", ColumnType::kString}, Column{"year", "year", ColumnType::kInteger}, Column{"score", "metadata.score", ColumnType::kNumber},
                          Column{"dc:date", "dc:date", ColumnType::kString}, Column{"words", "length = n", ColumnType::kString}, Column{"a", "b:integer", ColumnType::kString}));
  EXPECT_TRUE(read_columns({}).empty());
}

TEST(ReadColumns, NamesWhatIsWrong) {
  for (const char* bad : {"", "  ", "= a", "a =", ":integer", ": number = a"}) EXPECT_THAT(refusal({bad}), HasSubstr("is not understood, expected NAME")) << bad;
  EXPECT_EQ(refusal({"a", "b", "a = c"}), "column 'a' stands twice in 'columns', expected different names");
  EXPECT_THAT(refusal({"source"}), HasSubstr("column 'source' of 'columns' is one that every document has, expected another name, as in \"source_found = source\""));
}

TEST(ReadValue, TakesWholeNumbersAndFiniteOnes) {
  EXPECT_EQ(read_value(ColumnType::kInteger, "-9223372036854775808"), ColumnValue(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(read_value(ColumnType::kNumber, "-1.5e3"), ColumnValue(-1500.0));
  EXPECT_EQ(read_value(ColumnType::kString, ""), ColumnValue(std::string_view()));
  for (const char* bad : {"", " 1", "1 ", "1.0", "9223372036854775808", "0x10", "+1"}) EXPECT_EQ(read_value(ColumnType::kInteger, bad), std::nullopt) << bad;
  for (const char* bad : {"", "1,5", "nan", "inf", "-inf", "1e999", "1.5x", "+1"}) EXPECT_EQ(read_value(ColumnType::kNumber, bad), std::nullopt) << bad;
}

TEST(ColumnBuilder, KeepsValuesAndNulls) {
  ColumnBuilder texts(ColumnType::kString), numbers(ColumnType::kNumber);
  for (int round = 0; round < 2; ++round) {  // a builder starts anew
    for (int i = 0; i < 20; ++i) {
      const std::string text(static_cast<std::size_t>(i), 'x');
      texts.append(i % 3 == 0 ? ColumnValue() : ColumnValue(std::string_view(text)));
      numbers.append(i % 7 == 0 ? ColumnValue() : ColumnValue(i * 0.5));
    }
    const OwnedArray text_array = texts.finish(), number_array = numbers.finish();
    ASSERT_EQ(text_array.get().length, 20);
    EXPECT_EQ(text_array.get().null_count, 7);
    EXPECT_EQ(number_array.get().null_count, 3);
    const auto* offsets = static_cast<const std::int32_t*>(text_array.get().buffers[1]);
    const auto* values = static_cast<const double*>(number_array.get().buffers[1]);
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(detail::bit(text_array.get().buffers[0], i), i % 3 != 0);
      EXPECT_EQ(offsets[i + 1] - offsets[i], i % 3 == 0 ? 0 : i);
      EXPECT_EQ(detail::bit(number_array.get().buffers[0], i), i % 7 != 0);
      EXPECT_EQ(values[i], i % 7 == 0 ? 0 : i * 0.5);
    }
  }
  EXPECT_EQ(texts.finish().get().length, 0);
}

TEST(ColumnBuilder, LeavesOutTheBitmapWhereNothingIsNull) {
  ColumnBuilder integers(ColumnType::kInteger);
  integers.append(std::int64_t{7});
  const OwnedArray array = integers.finish();
  EXPECT_EQ(array.get().buffers[0], nullptr);
  EXPECT_EQ(*static_cast<const std::int64_t*>(array.get().buffers[1]), 7);
  EXPECT_EQ(column_field({"n", "n", ColumnType::kInteger}), (Field{"n", "l", true, {}}));
}

}  // namespace
}  // namespace flowrun::readers
