#include <flowrun/message.hpp>

#include <flowrun/testing/rows.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace flowrun {
namespace {

using testing::Document;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A column with nulls, as a foreign library may give it: buffers outside, an offset, `null_count` unknown.
struct ForeignColumn {
  std::vector<std::uint8_t> valid;
  std::vector<std::int32_t> offsets;
  std::string bytes;
  std::vector<std::int64_t> values;
  const void* buffers[3] = {};
  ArrowArray array{};

  ArrowArray& strings(std::int64_t offset, std::int64_t length) {
    buffers[0] = valid.data();
    buffers[1] = offsets.data();
    buffers[2] = bytes.data();
    array.buffers = buffers;
    array.n_buffers = 3;
    array.offset = offset;
    array.length = length;
    array.null_count = -1;
    return array;
  }
  ArrowArray& integers(std::int64_t offset, std::int64_t length) {
    strings(offset, length).n_buffers = 2;
    buffers[1] = values.data();
    return array;
  }
};

bool is_null(const ArrowArray& array, std::int64_t row) { return array.buffers[0] != nullptr && !detail::bit(array.buffers[0], array.offset + row); }

TEST(Gather, KeepsNullsOfAColumnWithAnOffset) {
  ForeignColumn column;
  column.valid = {0b10101};  // rows 1 and 3 are null
  column.values = {10, 11, 12, 13, 14};
  const OwnedArray out = gather(column.integers(1, 4), fields::int64("n"), std::vector<std::int64_t>{3, 0, 1});  // rows 4, 1, 2
  EXPECT_EQ(out.get().null_count, 1);
  EXPECT_FALSE(is_null(out.get(), 0));
  EXPECT_TRUE(is_null(out.get(), 1));
  EXPECT_FALSE(is_null(out.get(), 2));
  const auto* values = static_cast<const std::int64_t*>(out.get().buffers[1]);
  EXPECT_EQ(values[0], 14);
  EXPECT_EQ(values[2], 12);
}

TEST(Gather, OmitsTheBitmapWhereNothingIsNull) {
  ForeignColumn column;
  column.valid = {0b01};
  column.values = {10, 11};
  const OwnedArray out = gather(column.integers(0, 2), fields::int64("n"), std::vector<std::int64_t>{0, 0});
  EXPECT_EQ(out.get().null_count, 0);
  EXPECT_EQ(out.get().buffers[0], nullptr);
}

TEST(Gather, CopiesStringsAcrossOffsets) {
  ForeignColumn column;
  column.valid = {0xFF};
  column.bytes = "aabbbc";
  column.offsets = {0, 2, 2, 5, 6};
  const OwnedArray out = gather(column.strings(1, 3), fields::utf8("s"), std::vector<std::int64_t>{1, 2, 0}, 0);
  const StringColumn strings(ArrowArray{}, out.get());
  EXPECT_EQ(strings[0], "bbb");
  EXPECT_EQ(strings[1], "c");
  EXPECT_EQ(strings[2], "");
}

TEST(Gather, CopiesBooleans) {
  std::vector<std::uint8_t> bits{0b00101100, 0b1};
  const void* buffers[2] = {nullptr, bits.data()};
  ArrowArray column{};
  column.length = 7;
  column.offset = 2;
  column.n_buffers = 2;
  column.buffers = buffers;
  const OwnedArray out = gather(column, fields::boolean("b"), std::vector<std::int64_t>{6, 0, 1, 2, 3});  // bits 8, 2, 3, 4, 5
  std::vector<bool> values;
  for (int i = 0; i < 5; ++i) values.push_back(detail::bit(out.get().buffers[1], i));
  EXPECT_THAT(values, ElementsAre(true, true, true, false, true));
}

TEST(Gather, CopiesListsOfTokens) {
  ListBuilder lists;
  lists.append(std::vector<std::uint32_t>{1, 2, 3});
  lists.append(std::vector<std::uint32_t>{});
  lists.append(std::vector<std::uint32_t>{4});
  const OwnedArray column = lists.finish();
  const OwnedArray out = gather(column.get(), fields::list_uint32("t"), std::vector<std::int64_t>{2, 0, 1, 2});
  const ListColumn rows(ArrowArray{}, out.get());
  EXPECT_THAT(rows[0], ElementsAre(4));
  EXPECT_THAT(rows[1], ElementsAre(1, 2, 3));
  EXPECT_TRUE(rows[2].empty());
  EXPECT_THAT(rows[3], ElementsAre(4));
}

TEST(Gather, CopiesListsOfStrings) {
  StringBuilder words;
  for (const char* word : {"a", "bb", "ccc"}) words.append(word);
  auto holder = std::make_unique<detail::ArrayHolder>();
  holder->buffers[0] = detail::to_bytes(std::vector<std::int32_t>{0, 2, 3});
  holder->pointers[1] = holder->buffers[0].data();
  holder->children.push_back(words.finish());
  const OwnedArray column = detail::make_array(std::move(holder), 2, 2);
  const OwnedArray out = gather(column.get(), {"l", "+l", false, {fields::utf8("item")}}, std::vector<std::int64_t>{1, 0});
  const auto* ends = static_cast<const std::int32_t*>(out.get().buffers[1]);
  EXPECT_THAT(std::vector<std::int32_t>(ends, ends + 3), ElementsAre(0, 1, 3));
  const StringColumn items(ArrowArray{}, *out.get().children[0]);
  EXPECT_EQ(items[0], "ccc");
  EXPECT_EQ(items[1], "a");
  EXPECT_EQ(items[2], "bb");
}

TEST(Gather, RefusesUnknownFormats) {
  ArrowArray column{};
  try {
    gather(column, {"when", "tdD", false, {}}, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnsupported);
    EXPECT_THAT(error.what(), HasSubstr("column 'when' has Arrow format 'tdD'"));
  }
}

TEST(SelectRows, AddsTheOffsetOfTheBatch) {
  const auto batch = testing::slice(testing::documents_batch({{"a", "1", "", ""}, {"b", "2", "", ""}, {"c", "3", "", ""}}), 1, 2);
  EXPECT_EQ(testing::document_rows(batch), (std::vector<Document>{{"b", "2", "", ""}, {"c", "3", "", ""}}));
  const OwnedArray out = select_rows(batch.array.get(), batch.schema, std::vector<std::int64_t>{1});
  EXPECT_EQ(testing::document_rows(out.get(), batch.schema), (std::vector<Document>{{"c", "3", "", ""}}));
}

TEST(SelectRows, InterleavesSeveralBatches) {
  std::vector<OwnedArray> batches;
  batches.push_back(std::move(testing::tokens_batch({{"a", "x", 1, {1}}, {"b", "x", 2, {2, 2}}}).array));
  batches.push_back(std::move(testing::slice(testing::tokens_batch({{"c", "y", 3, {3}}, {"d", "y", 4, {4, 4, 4}}}), 1, 1).array));
  const OwnedArray out = select_rows(batches, fields::tokens(), std::vector<RowRef>{{1, 0}, {0, 1}, {1, 0}});
  EXPECT_THAT(testing::token_rows(out.get(), fields::tokens()),
              ElementsAre(testing::TokenRow{"d", "y", 4, {4, 4, 4}}, testing::TokenRow{"b", "x", 2, {2, 2}}, testing::TokenRow{"d", "y", 4, {4, 4, 4}}));
}

TEST(OwnedArray, ReleasesOnce) {
  int released = 0;
  ArrowArray array{};
  array.private_data = &released;
  array.release = [](ArrowArray* self) {
    ++*static_cast<int*>(self->private_data);
    self->release = nullptr;
  };
  {
    OwnedArray first(std::move(array));
    EXPECT_EQ(array.release, nullptr);
    OwnedArray second(std::move(first));
    first = std::move(second);
    EXPECT_EQ(released, 0);
  }
  EXPECT_EQ(released, 1);
}

TEST(Schema, SurvivesExportAndImport) {
  const Field schema = fields::batch({fields::utf8("id"), fields::list_uint32("input_ids"), {"score", "g", true, {}}});
  ArrowSchema exported{};
  export_schema(schema, &exported);
  EXPECT_EQ(import_schema(exported), schema);
  exported.release(&exported);
  EXPECT_EQ(exported.release, nullptr);
}

TEST(BatchView, NamesAMissingColumnAndAWrongFormat) {
  const auto batch = testing::documents_batch({});
  const BatchView view(batch.array.get(), batch.schema);
  try {
    view.strings("language");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "the batch has no column 'language'");
  }
  try {
    view.lists("text");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "column 'text' has Arrow format 'u', expected '+l'");
  }
}

TEST(DocumentsBuilder, EndsABatchAtItsLimits) {
  DocumentsBuilder builder(10, 3);
  EXPECT_FALSE(builder.must_end_before(11)) << "an empty batch takes a document of any size";
  builder.append("a", "12345", "", "");
  EXPECT_FALSE(builder.full());
  EXPECT_TRUE(builder.must_end_before(11));
  EXPECT_FALSE(builder.must_end_before(10));
  builder.append("b", "12345", "", "");
  EXPECT_TRUE(builder.full());
  EXPECT_EQ(builder.finish().get().length, 2);
  EXPECT_EQ(builder.size(), 0);
  for (int i = 0; i < 3; ++i) builder.append("c", "", "", "");
  EXPECT_TRUE(builder.full());
}

}  // namespace
}  // namespace flowrun
