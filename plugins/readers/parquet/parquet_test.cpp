#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "typed_column_builder.hpp"
#include "writers/jsonl/jsonl.hpp"

namespace flowrun::readers {
namespace {

using flowrun::testing::error_of;
using flowrun::testing::OpenOptions;
using flowrun::testing::Parameters;
using flowrun::testing::Paths;
using flowrun::testing::read_file;
using flowrun::testing::RecordError;
using flowrun::testing::Runner;
using flowrun::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Json = nlohmann::json;

const std::string kTestdata = FLOWRUN_TEST_SOURCE_DIR "/testdata/";
const std::vector<std::string> kLayouts = {"zstd",  "plain_small_pages", "dictionary_type", "large_string", "binary_without_name", "page_version_2",
                                           "delta", "page_checksums",    "seven_groups",    "version_1"};
const std::vector<std::string> kColumns = {"score", "ratio", "kept", "tiny", "byte", "short", "word", "int", "uint", "long", "input_ids", "tags", "meta.url", "meta.size"};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

class ParquetNode : public ::testing::Test {
 protected:
  /// Reads files, given by their absolute paths, and returns the rows as JSON.
  std::vector<Json> read(const std::vector<std::string>& files, std::vector<std::pair<std::string, flowrun::testing::Value>> parameters = {}, OpenOptions options = {}) {
    Paths paths({});
    for (const auto& file : files) paths.files.push_back({file, "data/" + std::filesystem::path(file).filename().string()});
    parameters.emplace_back("paths", paths);
    node_ = std::make_unique<Runner>(flowrun_plugin_v1, parameters);
    node_->open({}, options);
    std::vector<Json> rows;
    for (const auto& batch : node_->read_all()) {
      const writers::JsonlFormat format(batch.schema);
      for (std::int64_t i = 0; i < batch.size(); ++i) {
        std::string line;
        format.append(batch.array.get(), i, line);
        rows.push_back(Json::parse(line));
      }
    }
    return rows;
  }
  const std::vector<RecordError>& errors() const { return node_->record_errors(); }

  TemporaryFolder folder_;
  std::unique_ptr<Runner> node_;
};

/// What pyarrow finds in every layout.
std::vector<Json> expected_rows(const std::string& layout) {
  std::vector<Json> rows;
  for (const auto& line : lines_of(read_file(kTestdata + "expected.jsonl"))) {
    Json row = Json::parse(line);
    if (const std::string id = row["id"]; id[0] == '#') row["id"] = "data/" + layout + ".parquet" + id;
    row["source"] = "data/" + layout + ".parquet";
    rows.push_back(std::move(row));
  }
  return rows;
}

/// Makes numbers that pyarrow shows as doubles floats again.
Json with_floats(Json row) {
  if (row["ratio"].is_number()) row["ratio"] = row["ratio"].get<float>();
  return row;
}

std::vector<std::pair<std::string, flowrun::testing::Value>> all_columns() {
  return {{"id_field", "number"}, {"domain_field", "topic"}, {"domain", "none"}, {"columns", kColumns}};
}

TEST_F(ParquetNode, ReadsEveryLayoutAsPyarrowDoes) {
  for (const auto& layout : kLayouts)
    for (const std::int64_t batch_documents : {1, 7, 4096}) {
      OpenOptions options;
      options.batch_documents = batch_documents;
      const auto rows = read({kTestdata + layout + ".parquet"}, all_columns(), options);
      const auto expected = expected_rows(layout);
      ASSERT_EQ(rows.size(), expected.size()) << layout;
      for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(with_floats(rows[i]), with_floats(expected[i])) << layout << ", row " << i;
      ASSERT_EQ(errors().size(), 5u) << layout;
      for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(errors()[i].code, "missing_text");
        EXPECT_EQ(errors()[i].message, "column 'text' is null, expected text");
        EXPECT_EQ(errors()[i].record, static_cast<std::int64_t>(5 + 13 * i)) << layout;
        EXPECT_EQ(errors()[i].documents, 1);
      }
      EXPECT_THAT(node_->close(), IsEmpty());
    }
}

TEST_F(ParquetNode, ReadsSeveralFilesInOrder) {
  const auto rows = read({kTestdata + "zstd.parquet", kTestdata + "empty.parquet", kTestdata + "seven_groups.parquet"});
  ASSERT_EQ(rows.size(), 110u);
  EXPECT_EQ(rows[0]["id"], "data/zstd.parquet#0");
  EXPECT_EQ(rows[54]["id"], "data/zstd.parquet#59");
  EXPECT_EQ(rows[55]["id"], "data/seven_groups.parquet#0");
  EXPECT_EQ(rows[109]["id"], "data/seven_groups.parquet#59");
  EXPECT_EQ(rows[0].size(), 4u) << "columns that nobody asked for stay in the file";
  EXPECT_EQ(node_->unit_count(), 1) << "small row groups share a unit";
}

TEST_F(ParquetNode, GivesColumnsOtherNames) {
  const auto rows = read({kTestdata + "zstd.parquet"}, {{"columns", std::vector<std::string>{"quality = score", "meta.url"}}});
  const auto same = read({kTestdata + "zstd.parquet"}, {{"columns", std::vector<std::string>{"score"}}});
  ASSERT_EQ(rows.size(), 55u);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i]["quality"], same[i]["score"]);
    EXPECT_TRUE(rows[i].contains("meta.url"));
    EXPECT_FALSE(rows[i].contains("score"));
  }
  EXPECT_EQ(error_of([&] { read({kTestdata + "zstd.parquet"}, {{"columns", std::vector<std::string>{"quality: number = score"}}}); }),
            std::pair(Code::kInvalidArgument, std::string("column 'quality: number = score' of 'columns' names a type, expected NAME or NAME = COLUMN: a column has the type that the files give it")));
}

TEST_F(ParquetNode, KeepsTheTypesOfColumns) {
  std::vector<std::pair<std::string, flowrun::testing::Value>> parameters = all_columns();
  parameters.emplace_back("paths", Paths({{kTestdata + "zstd.parquet", "z"}}));
  Runner node(flowrun_plugin_v1, parameters);
  node.open();
  const auto batches = node.read_all();
  std::string formats;
  for (const auto& field : batches.at(0).schema.children) formats += field.format + (field.children.empty() ? "" : field.children[0].format) + (field.nullable ? "? " : " ");
  EXPECT_EQ(formats, "u u u u g? f? b? c? C? s? S? i? I? L? +lI? +lu? u? i? ");
}

TEST_F(ParquetNode, RefusesTextThatIsNotUtf8) {
  const auto rows = read({kTestdata + "bad_utf8.parquet"}, {{"columns", std::vector<std::string>{"tags"}}});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0]["text"], "good");
  ASSERT_EQ(errors().size(), 2u);
  EXPECT_EQ(errors()[0].code, "bad_utf8");
  EXPECT_EQ(errors()[0].message, "invalid UTF-8 at byte 2 of column 'text': 0xFF; a file of another encoding must be converted, as by iconv -f LATIN1 -t UTF-8");
  EXPECT_EQ(errors()[0].record, 1);
  EXPECT_EQ(errors()[1].message, "invalid UTF-8 at byte 0 of column 'tags': 0xC3; a file of another encoding must be converted, as by iconv -f LATIN1 -t UTF-8");
  EXPECT_EQ(errors()[1].record, 2);
}

TEST_F(ParquetNode, RefusesAFileWithOtherColumnsAndGoesOn) {
  const auto rows = read({kTestdata + "zstd.parquet", kTestdata + "other_types.parquet", kTestdata + "no_text.parquet", kTestdata + "delta.parquet"},
                         {{"columns", std::vector<std::string>{"score"}}});
  EXPECT_EQ(rows.size(), 110u);
  std::vector<RecordError> of_files;
  for (const auto& error : errors())
    if (error.documents == 0) of_files.push_back(error);
  ASSERT_EQ(of_files.size(), 2u);
  EXPECT_EQ(of_files[0].code, "bad_columns");
  EXPECT_EQ(of_files[0].file, "data/other_types.parquet");
  EXPECT_EQ(of_files[0].message, "column 'score' has Arrow format 'i', expected 'g' as in data/zstd.parquet");
  EXPECT_EQ(of_files[0].file_bytes, static_cast<std::int64_t>(std::filesystem::file_size(kTestdata + "other_types.parquet")));
  EXPECT_EQ(of_files[1].message, "there is no column 'text', expected one of 'content', 'when', 'deep.list.element.list.element', 'two.a', 'two.b'");
}

TEST_F(ParquetNode, SaysWhichColumnsItCannotTake) {
  const auto message = [&](const std::string& text, const std::string& kept) {
    return error_of([&] { read({kTestdata + "no_text.parquet"}, {{"text_field", text}, {"columns", std::vector<std::string>{kept}}}); }).second;
  };
  EXPECT_THAT(message("content", "when"), AllOf(HasSubstr("data/no_text.parquet: column 'when' has the type INT64 (Timestamp("), HasSubstr("expected text, a boolean, an integer, a float or a double")));
  EXPECT_THAT(message("content", "deep"), HasSubstr("column 'deep' holds more than one value or one list of values, expected the name of a part: 'deep.list.element.list.element'"));
  EXPECT_THAT(message("content", "two"), HasSubstr("column 'two' holds more than one value or one list of values, expected the name of a part: 'two.a', 'two.b'"));
  EXPECT_THAT(message("two.a", "content"), HasSubstr("column 'two.a' has Arrow format 'l', expected text"));
}

TEST_F(ParquetNode, RefusesColumnsThatNoFileHas) {
  const std::string broken = folder_.write("a.parquet", "no parquet");
  const auto [code, message] = error_of([&] { read({broken, kTestdata + "no_text.parquet"}, {{"text_field", "contents"}}); });
  EXPECT_EQ(code, Code::kInvalidArgument);
  EXPECT_EQ(message,
            "no file has the columns that are named; data/no_text.parquet: there is no column 'contents', expected one of 'content', 'when', 'deep.list.element.list.element', 'two.a', 'two.b'; "
            "did you mean 'content'?");
}

TEST_F(ParquetNode, NeedsAFileThatSaysWhichTypesColumnsHave) {
  const auto [code, message] = error_of([&] { read({folder_.write("a.parquet", "no parquet")}, {{"columns", std::vector<std::string>{"score"}}}); });
  EXPECT_EQ(code, Code::kCorruptData);
  EXPECT_THAT(message, StartsWith("no file says which types 'columns' have; data/a.parquet: "));
}

TEST_F(ParquetNode, RefusesNamesThatStandTwice) {
  const std::vector<std::string> none{kTestdata + "empty.parquet"};
  EXPECT_EQ(error_of([&] { read(none, {{"id_field", "text"}}); }), std::pair(Code::kInvalidArgument, std::string("'id_field' names column 'text' a second time, expected each column once")));
  EXPECT_EQ(error_of([&] { read(none, {{"text_field", "t"}, {"columns", std::vector<std::string>{"source"}}}); }),
            std::pair(Code::kInvalidArgument, std::string("column 'source' of 'columns' is one that every document has, expected another name, as in \"source_found = source\"")));
}

// --------------------------------------------------------------------------------------------------------------------------- damage

TEST_F(ParquetNode, ReportsAFileThatIsNoParquetAndGoesOn) {
  const std::string good = read_file(kTestdata + "zstd.parquet");
  for (const std::string& bytes : {std::string(), std::string("PAR1"), std::string(100, 'x'), good.substr(0, good.size() / 2), good.substr(0, good.size() - 1), std::string("PAR1\xff\xff\xff\x7fPAR1")}) {
    const auto rows = read({folder_.write("a.parquet", bytes), kTestdata + "zstd.parquet"});
    EXPECT_EQ(rows.size(), 55u);
    ASSERT_EQ(errors().size(), 6u);
    EXPECT_EQ(errors()[0].code, "damaged_parquet");
    EXPECT_EQ(errors()[0].status, Code::kCorruptData);
    EXPECT_EQ(errors()[0].file, "data/a.parquet");
    EXPECT_EQ(errors()[0].documents, 0);
    EXPECT_EQ(errors()[0].file_bytes, static_cast<std::int64_t>(bytes.size()));
    EXPECT_FALSE(errors()[0].message.empty());
  }
}

TEST_F(ParquetNode, RefusesAFileThatIsCutAnywhere) {
  const std::string good = read_file(kTestdata + "page_version_2.parquet");
  for (std::size_t size = 0; size < good.size(); size += good.size() / 50) {
    EXPECT_THAT(read({folder_.write("a.parquet", good.substr(0, size))}), IsEmpty()) << size;
    ASSERT_EQ(errors().size(), 1u) << size;
    EXPECT_EQ(errors()[0].code, "damaged_parquet");
  }
}

TEST_F(ParquetNode, GivesUpARowGroupAndGoesOnWithTheNext) {
  std::string bytes = read_file(kTestdata + "page_checksums.parquet");
  const std::size_t frame = bytes.find("\x28\xb5\x2f\xfd");  // the first zstd frame is a page of 'number'
  ASSERT_NE(frame, std::string::npos);
  bytes[frame + 9] = static_cast<char>(bytes[frame + 9] ^ 1);
  const auto rows = read({folder_.write("a.parquet", bytes)}, {{"id_field", "number"}});
  std::vector<RecordError> damages;
  for (const auto& error : errors())
    if (error.code == "damaged_parquet") damages.push_back(error);
  ASSERT_EQ(damages.size(), 1u);
  EXPECT_THAT(damages[0].message, AllOf(StartsWith("row group 0 of 3, its last 25 of 25 rows: column 'number': "), HasSubstr("CRC")));
  EXPECT_GT(damages[0].file_bytes, 0);
  EXPECT_LT(damages[0].file_bytes, 5000);
  EXPECT_EQ(rows.size(), 32u) << "those of the second and third row group that have a text";
}

TEST_F(ParquetNode, RefusesPagesThatAskForTooMuchMemory) {
  EXPECT_EQ(read({kTestdata + "large_page.parquet"}).size(), 3u);
  const auto rows = read({kTestdata + "large_page.parquet"}, {{"max_page_bytes", 1 << 20}});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1]["text"], "last");
  ASSERT_EQ(errors().size(), 1u);
  EXPECT_THAT(errors()[0].message, AllOf(StartsWith("row group 1 of 3, its last 1 of 1 rows: column 'text': "), HasSubstr("limit=1048576"), HasSubstr("'max_page_bytes'")));
}

/// Any damage ends in rows or errors; what a row group gives before its damage is what is in it.
TEST_F(ParquetNode, SurvivesSeededMutations) {
  int with_errors = 0, files = 0;
  for (const auto& layout : kLayouts) {
    const std::string good = read_file(kTestdata + layout + ".parquet");
    std::mt19937 random(17);
    for (int i = 0; i < 60; ++i) {
      std::string bytes = good;
      // Footers are small beside data, but decide more.
      const std::size_t from = i % 2 == 0 ? 0 : bytes.size() - std::min<std::size_t>(bytes.size(), 3000);
      for (unsigned n = 1 + static_cast<unsigned>(random()) % 4; n > 0; --n) {
        const std::size_t at = from + random() % (bytes.size() - from);
        switch (random() % 5) {
          case 0: bytes.erase(at, 1 + random() % 8); break;
          case 1: bytes.insert(at, 1 + random() % 8, static_cast<char>(random())); break;
          case 2: bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8)); break;
          default: bytes[at] = static_cast<char>(random());
        }
      }
      ++files;
      try {
        read({folder_.write("m.parquet", bytes)}, all_columns());
        with_errors += errors().size() > 5 ? 1 : 0;
      } catch (const Error& error) {
        ++with_errors;
        // A name of a column may be what was changed: then no file has the column that is asked for.
        if (error.code() != Code::kInvalidArgument) {
          EXPECT_THAT(error.what(), StartsWith("no file says which types 'columns' have")) << layout << " " << i;
        }
      }
      ASSERT_THAT(node_->close(), IsEmpty()) << layout << " " << i;
    }
  }
  EXPECT_GT(with_errors, files / 2) << "the mutations no longer reach what matters";
}

TEST_F(ParquetNode, StopsWhenTheRunStops) {
  Paths paths({});
  paths.files.push_back({folder_.write("a.parquet", "bad"), "a"});
  Runner node(flowrun_plugin_v1, {{"paths", paths}});
  node.open();
  node.stop_on_record_error();
  EXPECT_THROW(node.read_all(), Error);
  EXPECT_EQ(node.record_errors().size(), 1u);
  EXPECT_THAT(node.close(), IsEmpty());
}

}  // namespace
}  // namespace flowrun::readers
