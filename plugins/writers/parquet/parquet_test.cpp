#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "readers/parquet/typed_column_builder.hpp"
#include "readers/parquet/parquet_file.hpp"
#include "writers/jsonl/jsonl.hpp"

namespace flowrun::writers {
namespace {

using flowrun::testing::Batch;
using flowrun::testing::Document;
using flowrun::testing::documents_batch;
using flowrun::testing::error_of;
using flowrun::testing::OpenOptions;
using flowrun::testing::read_file;
using flowrun::testing::Runner;
using flowrun::testing::slice;
using flowrun::testing::TemporaryFolder;
using flowrun::testing::TokenRow;
using flowrun::testing::tokens_batch;
using flowrun::testing::with_column;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Settings = std::vector<std::pair<std::string, flowrun::testing::Value>>;

/// Rows as JSON, by which files and batches are compared.
std::vector<std::string> lines_of(const Field& schema, const ArrowArray& array) {
  std::vector<std::string> lines;
  const JsonlFormat format(schema);
  for (std::int64_t row = 0; row < array.length; ++row) format.append(array, row, lines.emplace_back());
  return lines;
}

/// Reads all columns of a file back by readers/parquet, which is Arrow's lower layer; writers/parquet uses the upper one.
std::vector<std::string> read_back(const std::string& path, const Field& schema, std::vector<std::int64_t>* group_rows = nullptr) {
  readers::WantedColumns wanted;
  wanted.text = "id";  // some column of text
  for (const Field& field : schema.children)
    if (field.name != "id") wanted.kept.push_back({field.name, field.name});
  readers::ParquetFile file(path, wanted, 1 << 30);
  std::vector<std::string> lines;
  for (std::size_t group = 0; group < file.row_groups().size(); ++group) {
    if (group_rows) group_rows->push_back(file.row_groups()[group].rows);
    StringBuilder ids;
    std::vector<readers::TypedColumnBuilder> builders(file.kept_fields().begin(), file.kept_fields().end());
    const auto rows = file.read(group);
    while (rows->next()) {
      ids.append(rows->text().value());
      rows->append_kept(builders);
    }
    Field found = fields::batch({fields::utf8("id")});
    found.children.insert(found.children.end(), file.kept_fields().begin(), file.kept_fields().end());
    const std::int64_t count = ids.length();
    std::vector<OwnedArray> columns;
    columns.push_back(ids.finish());
    for (auto& builder : builders) columns.push_back(builder.finish());
    const OwnedArray array = make_batch(std::move(columns), count);
    for (auto& line : lines_of(found, array.get())) lines.push_back(std::move(line));
  }
  return lines;
}

Batch columns_of_every_kind(std::vector<Document> documents, std::mt19937& random) {
  const std::size_t rows = documents.size();
  Batch batch = documents_batch(documents);
  const auto add = [&]<class T>(const char* name, const char* format, T) {
    std::vector<T> values;
    for (std::size_t i = 0; i < rows; ++i) values.push_back(static_cast<T>(random()));
    batch = with_column(std::move(batch), {name, format, false, {}}, make_column(values));
  };
  add("a", "c", std::int8_t{});
  add("b", "C", std::uint8_t{});
  add("c", "s", std::int16_t{});
  add("d", "S", std::uint16_t{});
  add("e", "i", std::int32_t{});
  add("f", "I", std::uint32_t{});
  add("g", "l", std::int64_t{});
  add("h", "L", std::uint64_t{});
  add("i", "f", float{});
  add("j", "g", double{});
  readers::TypedColumnBuilder flags({"k", "b", true, {}}), tags({"l", "+l", true, {{"item", "u", true, {}}}}), numbers({"m", "g", true, {}});
  for (std::size_t i = 0; i < rows; ++i) {
    random() % 3 == 0 ? flags.append_null() : flags.append_boolean(random() % 2 == 0);
    random() % 3 == 0 ? numbers.append_null() : numbers.append_number(static_cast<double>(random()) / 7);
    if (random() % 4 == 0) {
      tags.append_null();
      continue;
    }
    for (unsigned n = static_cast<unsigned>(random()) % 4; n > 0; --n) random() % 3 == 0 ? tags.items().append_null() : tags.items().append_text("t" + std::to_string(random() % 9));
    tags.end_list();
  }
  batch = with_column(std::move(batch), {"k", "b", true, {}}, flags.finish());
  batch = with_column(std::move(batch), {"l", "+l", true, {{"item", "u", true, {}}}}, tags.finish());
  return with_column(std::move(batch), {"m", "g", true, {}}, numbers.finish());
}

std::vector<Document> sample_documents(int count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<Document> rows;
  for (int i = 0; i < count; ++i) {
    std::string text(random() % 20 == 0 ? random() % 60000 : random() % 900, ' ');
    for (char& c : text) c = static_cast<char>('a' + random() % 26);
    rows.push_back({"doc/" + std::to_string(i), text + "\n\"é", i % 3 == 0 ? "web" : "books", "data/x.jsonl"});
  }
  return rows;
}

/// Writes a batch in slices of `slice_rows` and returns the file's path.
std::string write(Batch batch, std::int64_t slice_rows, Settings settings, const TemporaryFolder& folder) {
  const bool tokens = batch.schema.find("input_ids") >= 0;
  settings.emplace_back("path", "clean/docs.parquet");
  Runner node(flowrun_plugin_v1, settings);
  OpenOptions options;
  options.staging = folder.path();
  if (tokens) node.open({std::nullopt, batch.schema}, options);
  else node.open({batch.schema, std::nullopt}, options);
  const std::int64_t rows = batch.size();
  const auto kept = std::make_shared<OwnedArray>(std::move(batch.array));
  for (std::int64_t first = 0; first < rows; first += slice_rows) {
    std::vector<OwnedArray> columns;
    for (std::int64_t i = 0; i < kept->get().n_children; ++i) columns.push_back(borrow_column(*kept->get().children[i], 0, rows));
    node.process(slice({batch.schema, make_batch(std::move(columns), rows, kept)}, first, std::min(slice_rows, rows - first)), tokens ? 1 : 0);
  }
  node.finish();
  EXPECT_THAT(node.close(), IsEmpty());
  return folder.path("output.parquet");
}

TEST(ParquetWriter, WritesTheSameFileForAnyBatchesAndIsReadBack) {
  std::string first;
  for (const std::int64_t slice_rows : {2000, 1, 7, 333}) {
    const TemporaryFolder folder;
    std::mt19937 random(2);
    Batch batch = columns_of_every_kind(sample_documents(2000, 9), random);
    const auto expected = lines_of(batch.schema, batch.array.get());
    const Field schema = batch.schema;
    std::vector<std::int64_t> group_rows;
    const std::string path = write(std::move(batch), slice_rows, {{"row_group_bytes", 1'000'000}}, folder);
    EXPECT_EQ(read_back(path, schema, &group_rows), expected) << slice_rows;
    EXPECT_GE(group_rows.size(), 3u);
    if (first.empty()) first = read_file(path);
    EXPECT_TRUE(read_file(path) == first) << "slices of " << slice_rows;
  }
}

TEST(ParquetWriter, EndsARowGroupByItsSize) {
  const TemporaryFolder folder;
  const std::string text(1000, 'x');
  std::vector<Document> rows;
  for (int i = 0; i < 10; ++i) rows.push_back({"1", text, "2", "3"});  // 1003 bytes
  std::vector<std::int64_t> group_rows;
  const Batch batch = documents_batch(rows);
  read_back(write(documents_batch(rows), 100, {{"row_group_bytes", 4096}}, folder), batch.schema, &group_rows);
  EXPECT_THAT(group_rows, ::testing::ElementsAre(5, 5)) << "the fifth takes it to 5015";
}

TEST(ParquetWriter, WritesTokens) {
  std::mt19937 random(4);
  std::vector<TokenRow> rows;
  for (int i = 0; i < 5000; ++i) {
    TokenRow& row = rows.emplace_back(TokenRow{"d" + std::to_string(i), "web", i, {}});
    for (unsigned n = static_cast<unsigned>(random()) % 40; n > 0; --n) row.input_ids.push_back(static_cast<std::uint32_t>(random()));
  }
  const TemporaryFolder folder;
  Batch batch = tokens_batch(rows);
  const auto expected = lines_of(batch.schema, batch.array.get());
  const Field schema = batch.schema;
  EXPECT_EQ(read_back(write(std::move(batch), 333, {{"compression_level", 1}}, folder), schema), expected);
}

TEST(ParquetWriter, WritesAFileWithoutRows) {
  const TemporaryFolder folder;
  EXPECT_THAT(read_back(write(documents_batch({}), 1, {}, folder), fields::documents()), IsEmpty());
}

TEST(ParquetWriter, WritesPagesWithChecksums) {
  const TemporaryFolder folder;
  const std::string path = write(documents_batch(sample_documents(50, 1)), 100, {}, folder);
  std::string bytes = read_file(path);
  const std::size_t frame = bytes.find("\x28\xb5\x2f\xfd");  // the first zstd frame is a page of 'id'
  ASSERT_NE(frame, std::string::npos);
  bytes[frame + 20] = static_cast<char>(bytes[frame + 20] ^ 1);
  const std::string damaged = folder.write("damaged.parquet", bytes);
  EXPECT_THAT(error_of([&] { read_back(damaged, fields::documents()); }).second, HasSubstr("CRC"));
}

TEST(ParquetWriter, ExplainsWhatItCannotWrite) {
  const TemporaryFolder folder;
  OpenOptions options;
  options.staging = folder.path("none");
  const auto open = [&](const std::vector<std::optional<Field>>& inputs) {
    return error_of([&] {
      Runner node(flowrun_plugin_v1, {{"path", "x.parquet"}});
      node.open(inputs, options);
    });
  };
  EXPECT_EQ(open({fields::documents(), std::nullopt}), std::pair(Code::kIo, folder.path("none/output.parquet") + ": cannot be written: No such file or directory"));
  EXPECT_EQ(open({std::nullopt, std::nullopt}).second, "nothing is connected, expected in = \"documents\" or in = { tokens = \"tokens\" }");
  EXPECT_THAT(open({fields::documents(), fields::tokens()}).second, StartsWith("documents and tokens are connected"));

  std::filesystem::create_symlink("/dev/full", folder.path("output.parquet"));
  EXPECT_EQ(error_of([&] { write(documents_batch(sample_documents(2000, 1)), 100, {{"row_group_bytes", 100'000}}, folder); }),
            std::pair(Code::kIo, folder.path("output.parquet") + ": cannot be written: No space left on device"));
}

}  // namespace
}  // namespace flowrun::writers
