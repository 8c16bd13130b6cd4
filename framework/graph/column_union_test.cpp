#include "graph/column_union.hpp"

#include <flowrun/node.hpp>
#include <gtest/gtest.h>

#include "graph/dataset_source.hpp"
#include "graph/node_call.hpp"
#include "graph/spool.hpp"

namespace flowrun::graph {
namespace {

Field with(Field schema, std::vector<Field> columns) {
  schema.children.insert(schema.children.end(), columns.begin(), columns.end());
  return schema;
}

Field joined(const std::vector<Field>& schemas) { return join_schemas(schemas, std::vector<std::string>{"books", "web", "code"}); }

TEST(ColumnUnion, HasTheColumnsOfAllInTheOrderOfTheirFirstGiver) {
  const Field books = with(fields::documents(), {fields::utf8("title"), fields::int64("year")});
  const Field web = with(fields::documents(), {fields::int64("year"), fields::float64("score")});
  const Field all = joined({books, web, fields::documents()});
  std::vector<std::string> names;
  for (const Field& column : all.children) names.push_back(column.name + (column.nullable ? "?" : ""));
  EXPECT_EQ(names, (std::vector<std::string>{"id", "text", "domain", "source", "title?", "year?", "score?"}));
  EXPECT_EQ(joined({books, books}), books) << "nothing is missing, so nothing may be null";
}

TEST(ColumnUnion, AColumnThatOneMayGiveAsNullMayBeNull) {
  Field rated = with(fields::documents(), {fields::float64("score")});
  Field unsure = rated;
  unsure.children.back().nullable = true;
  EXPECT_TRUE(joined({rated, unsure}).children.back().nullable);
  EXPECT_EQ(joined({rated, unsure}), joined({unsure, rated}));
}

TEST(ColumnUnion, NamesTheColumnWhoseTypesDiffer) {
  try {
    joined({fields::documents(), with(fields::documents(), {fields::int64("score")}), with(fields::documents(), {fields::list_uint32("score")})});
    FAIL() << "joined";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_EQ(error.message(), "column 'score' is int64 from 'web' and list<uint32> from 'code'; give one of them another name or type");
  }
}

/// Three token rows "a", "b", "c" of 1, 2 and 3 ids, sliced so that offsets count.
OwnedArray three_rows() {
  StringBuilder ids, domains;
  ListBuilder tokens;
  std::vector<std::int64_t> bytes;
  for (std::uint32_t i = 0; i < 4; ++i) {
    ids.append(std::string(1, static_cast<char>('`' + i)));
    domains.append("d" + std::to_string(i));
    tokens.append(std::vector<std::uint32_t>(i, 10 + i));
    bytes.push_back(i);
  }
  std::vector<OwnedArray> columns;
  columns.push_back(ids.finish());
  columns.push_back(domains.finish());
  columns.push_back(make_column(bytes));
  columns.push_back(tokens.finish());
  OwnedArray batch = make_batch(std::move(columns), 4);
  batch.address()->offset = 1;
  batch.address()->length = 3;
  return batch;
}

TEST(Widening, KeepsWhatIsThereAndAddsNullsOfEveryType) {
  std::vector<Field> added;
  for (const char* format : {"b", "c", "I", "l", "f", "g", "u", "z"}) added.push_back({std::string("new_") + format, format, true, {}});
  added.push_back({"new_list", "+l", true, {fields::utf8("item")}});
  Field to = with(fields::tokens(), added);
  std::swap(to.children[0], to.children[3]);  // by name, whatever the order
  const OwnedArray batch = Widening(fields::tokens(), to).apply(three_rows());
  check_array(batch.get(), to);
  const TokensView view(batch.get(), to);
  ASSERT_EQ(view.size(), 3);
  EXPECT_EQ(view.id[0], "a");
  EXPECT_EQ(view.id[2], "c");
  EXPECT_EQ(view.domain[1], "d2");
  EXPECT_EQ(view.bytes[2], 3);
  EXPECT_EQ(std::vector(view.input_ids[2].begin(), view.input_ids[2].end()), std::vector<std::uint32_t>(3, 13));
  for (std::size_t i = 4; i < to.children.size(); ++i) {
    const ArrowArray& column = *batch.get().children[i];
    EXPECT_EQ(column.null_count, 3) << to.children[i].name;
    for (std::int64_t row = 0; row < 3; ++row) EXPECT_FALSE(detail::bit(column.buffers[0], column.offset + row)) << to.children[i].name;
    EXPECT_EQ(copy_rows(batch.get(), to, 1, 2).get().children[i]->null_count, 2) << to.children[i].name;
  }
}

TEST(Widening, OfNothingIsNothing) { EXPECT_FALSE(Widening(fields::tokens(), fields::tokens()).apply(OwnedArray())); }

/// A dataset of rows "0", "1", ..., row i with i % 7 ids of value i, and `longer` more where it has any; -1 rows: without end.
class CountedRows {
 public:
  explicit CountedRows(std::int64_t rows, std::uint32_t longer = 0) : rows_(rows), longer_(longer) {
    export_schema(fields::tokens(), &schema_);
    export_schema(index_schema(fields::tokens()), &index_schema_);
    table_ = {sizeof table_, this, [](void* self) { return static_cast<CountedRows*>(self)->rows_; }, index, read, &index_schema_, &schema_};
  }
  ~CountedRows() {
    schema_.release(&schema_);
    index_schema_.release(&index_schema_);
  }
  const flowrun_dataset& table() const noexcept { return table_; }
  std::int64_t most_read() const noexcept { return most_read_; }
  void fail_from(std::int64_t row) { bad_row_ = row; }

 private:
  static flowrun_status index(void* self, const flowrun_call* call, std::int64_t first, std::int64_t n, ArrowArray* out) { return get(self, call, first, n, false, out); }
  static flowrun_status read(void* self, const flowrun_call* call, std::int64_t first, std::int64_t n, ArrowArray* out) {
    auto& rows = *static_cast<CountedRows*>(self);
    rows.most_read_ = std::max(rows.most_read_, n);
    return get(self, call, first, n, true, out);
  }
  static flowrun_status get(void* self, const flowrun_call* call, std::int64_t first, std::int64_t n, bool whole, ArrowArray* out) {
    return guarded(call, [&] {
      if (whole && first + n > static_cast<CountedRows*>(self)->bad_row_) throw Error(Code::kCorruptData, "row " + std::to_string(first) + " is damaged");
      StringBuilder ids, domains;
      ListBuilder tokens;
      std::vector<std::int64_t> bytes;
      std::vector<std::uint32_t> lengths;
      for (std::int64_t row = first; row < first + n; ++row) {
        ids.append(std::to_string(row));
        domains.append("d");
        const auto length = static_cast<std::uint32_t>(row % 7 == 0 ? 0 : row % 7 + static_cast<CountedRows*>(self)->longer_);
        if (whole) tokens.append(std::vector<std::uint32_t>(length, static_cast<std::uint32_t>(row)));
        bytes.push_back(row);
        lengths.push_back(length);
      }
      std::vector<OwnedArray> columns;
      columns.push_back(ids.finish());
      columns.push_back(domains.finish());
      columns.push_back(make_column(bytes));
      columns.push_back(whole ? tokens.finish() : make_column(lengths));
      make_batch(std::move(columns), n).move_to(out);
    });
  }

  std::int64_t rows_, most_read_ = 0, bad_row_ = INT64_MAX;
  std::uint32_t longer_;
  ArrowSchema schema_{}, index_schema_{};
  flowrun_dataset table_{};
};

TEST(WidenedDataset, WidensRowsAndIndexAlike) {
  const CountedRows rows(100);
  const Field schema = with(fields::tokens(), {{"score", "g", true, {}}});
  const WidenedDataset dataset(rows.table(), schema);
  const flowrun_dataset& table = *dataset.table();
  EXPECT_EQ(table.count(table.self), 100);
  EXPECT_EQ(import_schema(*table.schema), schema);
  EXPECT_EQ(import_schema(*table.index_schema), index_schema(schema));
  const NodeCall call(nullptr);
  OwnedArray read, index;
  call.check(table.read(table.self, call.table(), 40, 3, read.address()));
  call.check(table.index(table.self, call.table(), 40, 3, index.address()));
  check_array(read.get(), schema);
  check_array(index.get(), index_schema(schema));
  EXPECT_EQ(TokensView(read.get(), schema).id[2], "42");
  const Field by_index = index_schema(schema);
  EXPECT_EQ(BatchView(index.get(), by_index).values<std::uint32_t>("length", "I")[1], 41u % 7);
}

/// Reads all units of a source and returns the ids of the rows, and how many rows each batch has.
std::pair<std::vector<std::string>, std::vector<std::int64_t>> read_all(DatasetSource& source) {
  std::pair<std::vector<std::string>, std::vector<std::int64_t>> found;
  const NodeCall call(nullptr);
  for (std::int64_t unit = 0; unit < source.unit_count(); ++unit) {
    const auto reader = source.open_unit(call.table(), unit);
    for (bool end = false; !end;) {
      OwnedArray batch;
      end = reader->next(call.table(), batch);
      const TokensView view(batch.get(), source.schema());
      found.second.push_back(view.size());
      for (std::int64_t row = 0; row < view.size(); ++row) {
        EXPECT_EQ(view.input_ids[row].size() % (1 << 20), static_cast<std::size_t>(std::stoll(std::string(view.id[row])) % 7));
        found.first.emplace_back(view.id[row]);
      }
    }
  }
  return found;
}

TEST(DatasetSource, GivesEveryRowOnceInOrderWhateverTheBatches) {
  for (const std::int64_t count : {std::int64_t{0}, std::int64_t{1}, DatasetSource::kUnitRowsMin, 3 * DatasetSource::kUnitRowsMin + 5}) {
    std::vector<std::string> expected;
    for (std::int64_t i = 0; i < count; ++i) expected.push_back(std::to_string(i));
    for (const auto& [bytes, documents] : std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 1}, {100, 4096}, {1 << 20, 10}, {1 << 20, 4096}}) {
      const CountedRows rows(count);
      DatasetSource source(rows.table(), {100'000, bytes, documents});
      const auto [ids, sizes] = read_all(source);
      EXPECT_EQ(ids, expected) << bytes << " " << documents;
      for (const std::int64_t size : sizes) EXPECT_LE(size, documents);
    }
  }
}

TEST(DatasetSource, ReadsWindowsOfManyBatchesThatMemoryLimits) {
  const CountedRows rows(20'000);
  DatasetSource source(rows.table(), {180'000, 120, 4096});  // 30 ids: ten rows of three on average, and one more
  EXPECT_EQ(source.unit_count(), 2) << "a unit is about a window";
  const auto [ids, sizes] = read_all(source);
  EXPECT_LE(*std::max_element(sizes.begin(), sizes.end()), 15);
  EXPECT_NEAR(static_cast<double>(rows.most_read()), 15'000, 15) << "rows of twelve bytes";
  const CountedRows long_rows(100, 1 << 20);
  DatasetSource long_source(long_rows.table(), {DatasetSource::kWindowBytesMin, 1, 4096});
  read_all(long_source);
  EXPECT_LE(long_rows.most_read(), 1 + DatasetSource::kWindowBytesMin / (4 << 20) * 7 / 6) << "rows of 4 MiB";
}

TEST(DatasetSource, HasWindowsThatTogetherTakeHalfTheMemory) {
  constexpr std::int64_t kGiB = std::int64_t{1} << 30;
  EXPECT_EQ(DatasetSource::window_bytes(kGiB, 2), kGiB / 8);
  EXPECT_EQ(DatasetSource::window_bytes(4'000'000, 2), DatasetSource::kWindowBytesMin);
}

TEST(DatasetSource, PassesErrorsOn) {
  CountedRows damaged(100);
  damaged.fail_from(50);
  DatasetSource source(damaged.table(), {1 << 20, 1, 1});
  try {
    read_all(source);
    FAIL() << "read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kCorruptData);
    EXPECT_EQ(error.message(), "row 0 is damaged");
  }
}

}  // namespace
}  // namespace flowrun::graph
