#include "jsonl.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "writers/common/output_file.hpp"

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
using flowrun::testing::with_column;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string json_of(std::string_view text) {
  std::string out;
  append_json(text, out);
  return out;
}

// -------------------------------------------------------------------------------------------------------------------------- one string

TEST(AppendJson, EscapesWhatJsonAsksForAndNothingElse) {
  EXPECT_EQ(json_of("a\"b\\c/\x7f\xC3\xA9\xF0\x9F\x98\x80"), "\"a\\\"b\\\\c/\x7f\xC3\xA9\xF0\x9F\x98\x80\"");
  EXPECT_EQ(json_of(std::string_view("\0\b\f\n\r\t\x1f", 7)), R"("\u0000\b\f\n\r\t\u001f")");
  EXPECT_EQ(json_of(""), "\"\"");
}

TEST(AppendJson, IsReadBackByAnotherParser) {
  std::mt19937 random(4);
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (unsigned n = static_cast<unsigned>(random()) % 40; n > 0; --n) text += random() % 5 == 0 ? "\xE2\x80\xA8" : std::string(1, static_cast<char>(random() % 128));
    ASSERT_EQ(nlohmann::json::parse(json_of(text)).get<std::string>(), text);
  }
}

// ----------------------------------------------------------------------------------------------------------------------------- one row

std::string line_of(const Batch& batch, std::int64_t row = 0) {
  std::string line;
  JsonlFormat(batch.schema).append(batch.array.get(), row, line);
  return line;
}

/// Marks the rows whose bit is 0 as null.
OwnedArray with_nulls(OwnedArray column, std::uint8_t validity, std::int64_t null_count) {
  struct Kept {
    OwnedArray column;
    std::uint8_t bits;
    const void* buffers[3];
  };
  auto kept = std::make_unique<Kept>();
  ArrowArray array = column.get();
  kept->column = std::move(column);
  kept->bits = validity;
  kept->buffers[0] = &kept->bits;
  for (std::int64_t i = 1; i < array.n_buffers; ++i) kept->buffers[i] = array.buffers[i];
  array.null_count = null_count;
  array.buffers = kept->buffers;
  array.private_data = kept.release();
  array.release = [](ArrowArray* self) {
    delete static_cast<Kept*>(self->private_data);
    self->release = nullptr;
  };
  return OwnedArray(std::move(array));
}

Batch three_documents() { return documents_batch({{"a", "one", "web", "f.txt"}, {"b", "two", "web", "f.txt"}, {"c", "three", "web", "f.txt"}}); }

TEST(JsonlFormat, WritesIdTextDomainAndSourceFirst) {
  Batch batch = with_column(three_documents(), fields::float64("score.b"), make_column(std::vector<double>{0.1, 2, 1e300}));
  batch = with_column(std::move(batch), fields::int64("abc"), make_column(std::vector<std::int64_t>{-1, 0, std::numeric_limits<std::int64_t>::min()}));
  EXPECT_EQ(line_of(batch, 0), "{\"id\":\"a\",\"text\":\"one\",\"domain\":\"web\",\"source\":\"f.txt\",\"abc\":-1,\"score.b\":0.1}\n");
  EXPECT_EQ(line_of(batch, 2), "{\"id\":\"c\",\"text\":\"three\",\"domain\":\"web\",\"source\":\"f.txt\",\"abc\":-9223372036854775808,\"score.b\":1e+300}\n");
  EXPECT_EQ(line_of(slice(std::move(batch), 1, 2), 0), "{\"id\":\"b\",\"text\":\"two\",\"domain\":\"web\",\"source\":\"f.txt\",\"abc\":0,\"score.b\":2}\n");
}

TEST(JsonlFormat, WritesColumnsOfEveryKind) {
  const auto value = [](Field field, OwnedArray column, std::int64_t row = 0) {
    Batch batch{fields::batch({field}), {}};
    std::vector<OwnedArray> columns;
    const std::int64_t rows = column.get().length;
    columns.push_back(std::move(column));
    batch.array = make_batch(std::move(columns), rows);
    const std::string line = line_of(batch, row);
    return line.substr(5, line.size() - 7);  // {"x":…}\n
  };
  const auto plain = [](const char* format) { return Field{"x", format, false, {}}; };
  EXPECT_EQ(value(plain("c"), make_column(std::vector<std::int8_t>{-128})), "-128");
  EXPECT_EQ(value(plain("C"), make_column(std::vector<std::uint8_t>{255})), "255");
  EXPECT_EQ(value(plain("s"), make_column(std::vector<std::int16_t>{-32768})), "-32768");
  EXPECT_EQ(value(plain("S"), make_column(std::vector<std::uint16_t>{65535})), "65535");
  EXPECT_EQ(value(plain("i"), make_column(std::vector<std::int32_t>{-7})), "-7");
  EXPECT_EQ(value(plain("I"), make_column(std::vector<std::uint32_t>{4294967295u})), "4294967295");
  EXPECT_EQ(value(plain("L"), make_column(std::vector<std::uint64_t>{18446744073709551615u})), "18446744073709551615");
  EXPECT_EQ(value(plain("f"), make_column(std::vector<float>{0.1f})), "0.1");
  EXPECT_EQ(value(plain("b"), make_column(std::vector<std::uint8_t>{0b10}), 0), "false");
  EXPECT_EQ(value(fields::utf8("x"), [] {
              StringBuilder texts;
              texts.append("\"");
              return texts.finish();
            }()),
            R"("\"")");
  for (const double odd : {std::nan(""), HUGE_VAL, -HUGE_VAL}) EXPECT_EQ(value(plain("g"), make_column(std::vector<double>{odd})), "null");
  EXPECT_EQ(value(plain("f"), make_column(std::vector<float>{HUGE_VALF})), "null");

  ListBuilder lists;
  lists.append(std::vector<std::uint32_t>{9});
  lists.append(std::vector<std::uint32_t>{});
  lists.append(std::vector<std::uint32_t>{1, 2});
  EXPECT_EQ(value(fields::list_uint32("x"), lists.finish(), 2), "[1,2]");
  EXPECT_EQ(value(Field{"x", "g", true, {}}, with_nulls(make_column(std::vector<double>{1, 2}), 0b01, 1), 1), "null");
  EXPECT_EQ(value(Field{"x", "g", true, {}}, with_nulls(make_column(std::vector<double>{1, 2}), 0b01, 1), 0), "1");
}

TEST(JsonlFormat, GivesNumbersThatReadBackTheSame) {
  std::mt19937_64 random(1);
  std::vector<double> values;
  while (values.size() < 3000) {
    const std::uint64_t bits = random();
    double value;
    std::memcpy(&value, &bits, sizeof value);
    if (std::isfinite(value)) values.push_back(value);
  }
  std::vector<OwnedArray> columns;
  columns.push_back(make_column(values));
  const Batch batch{fields::batch({fields::float64("x")}), make_batch(std::move(columns), 3000)};
  for (std::int64_t i = 0; i < 3000; ++i) ASSERT_EQ(nlohmann::json::parse(line_of(batch, i))["x"].get<double>(), values[static_cast<std::size_t>(i)]);
}

TEST(JsonlFormat, RefusesAColumnThatItCannotWrite) {
  const auto [code, message] = error_of([] { JsonlFormat(fields::batch({{"when", "tdm", false, {}}})); });
  EXPECT_EQ(code, Code::kUnsupported);
  EXPECT_EQ(message, "column 'when' has Arrow format 'tdm', expected text, a boolean, a number, or a list of those");
}

// ---------------------------------------------------------------------------------------------------------------------------- the file

std::string gunzip(const std::string& bytes) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string text;
  int status = Z_OK;
  while (status == Z_OK) {
    char buffer[65536];
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof buffer;
    status = inflate(&stream, Z_NO_FLUSH);
    text.append(buffer, sizeof buffer - stream.avail_out);
  }
  EXPECT_EQ(status, Z_STREAM_END);
  EXPECT_EQ(stream.avail_in, 0u) << "one member";
  inflateEnd(&stream);
  return text;
}

std::string unzstd(const std::string& bytes) {
  std::string text(64 << 20, '\0');
  EXPECT_EQ(ZSTD_findFrameCompressedSize(bytes.data(), bytes.size()), bytes.size()) << "one frame";
  const std::size_t size = ZSTD_decompress(text.data(), text.size(), bytes.data(), bytes.size());
  EXPECT_FALSE(ZSTD_isError(size)) << ZSTD_getErrorName(size);
  text.resize(ZSTD_isError(size) ? 0 : size);
  return text;
}

std::string decoded(const std::string& path) {
  const std::string bytes = read_file(path);
  return path.ends_with(".gz") ? gunzip(bytes) : path.ends_with(".zst") ? unzstd(bytes) : bytes;
}

/// Text that compresses somewhat, with repetitions at all distances.
std::string sample_text(std::size_t size) {
  std::mt19937 random(8);
  std::string text;
  while (text.size() < size) {
    if (text.size() > 100 && random() % 2 == 0) text += text.substr(random() % (text.size() - 50), random() % 50);
    else for (int i = 0; i < 20; ++i) text += static_cast<char>('a' + random() % 26);
  }
  text.resize(size);
  return text;
}

TEST(OutputFile, BytesDoNotDependOnThePieces) {
  const TemporaryFolder folder;
  for (const char* suffix : {"", ".gz", ".zst"})
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, OutputFile::kChunkBytes, 3 * OutputFile::kChunkBytes + 12345}) {
      const std::string text = sample_text(size);
      std::vector<std::string> files;
      for (const std::size_t piece : {std::size_t{997}, std::size_t{65536}, OutputFile::kChunkBytes + 1, std::size_t{1} << 30}) {
        const std::string path = folder.path("out" + std::to_string(piece) + suffix);
        OutputFile file(path);
        for (std::size_t at = 0; at < text.size(); at += piece) file.write(std::string_view(text).substr(at, piece));
        file.finish();
        ASSERT_EQ(decoded(path), text) << suffix << ", pieces of " << piece;
        files.push_back(read_file(path));
        ASSERT_EQ(files.back(), files.front()) << suffix << ", pieces of " << piece;
      }
    }
}

TEST(OutputFile, WritesNoTimeIntoAGzipHeader) {
  const TemporaryFolder folder;
  OutputFile file(folder.path("x.gz"));
  file.finish();
  const std::string bytes = read_file(folder.path("x.gz"));
  EXPECT_EQ(bytes.substr(0, 3), "\x1f\x8b\x08");
  EXPECT_EQ(bytes[3], 0) << "no name";
  EXPECT_EQ(bytes.substr(4, 4), std::string(4, '\0')) << "RFC 1952: MTIME";
}

TEST(OutputFile, NamesThePathThatCannotBeWritten) {
  const TemporaryFolder folder;
  const auto [code, message] = error_of([&] { OutputFile file(folder.path("none/x.jsonl")); });
  EXPECT_EQ(code, Code::kIo);
  EXPECT_EQ(message, folder.path("none/x.jsonl") + ": cannot be created: No such file or directory");
  for (const char* name : {"full.jsonl", "full.jsonl.zst"}) {
    std::filesystem::create_symlink("/dev/full", folder.path(name));
    for (const std::size_t size : {std::size_t{10}, std::size_t{4} << 20}) {  // found by the last flush, and by a write
      const auto error = error_of([&] {
        OutputFile file(folder.path(name));
        file.write(sample_text(size));
        file.finish();
      });
      EXPECT_EQ(error, std::pair(Code::kIo, folder.path(name) + ": cannot be written: No space left on device"));
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------------- the node

std::vector<Document> sample_documents() {
  const std::string text = sample_text(100000);
  std::mt19937 random(3);
  std::vector<Document> rows;
  for (int i = 0; i < 300; ++i) rows.push_back({"doc/" + std::to_string(i), text.substr(random() % 50000, random() % 5000) + std::string("\n\0\"", 3), "web", "data/x.txt"});
  rows.push_back({"long", sample_text(900000), "books", "data/y.txt"});
  rows.push_back({"empty", "", "", ""});
  return rows;
}

/// Writes the documents in batches of `batch_rows` and returns the file's path below the folder.
void write_documents(const std::vector<Document>& rows, std::size_t batch_rows, const std::string& path, const TemporaryFolder& folder) {
  Runner node(flowrun_plugin_v1, {{"path", path}});
  OpenOptions options;
  options.staging = folder.path();
  node.open({fields::documents()}, options);
  for (std::size_t first = 0; first < rows.size(); first += batch_rows) {
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(first);
    node.process(documents_batch({begin, begin + static_cast<std::ptrdiff_t>(std::min(batch_rows, rows.size() - first))}));
  }
  node.finish();
  EXPECT_THAT(node.close(), IsEmpty());
}

TEST(JsonlWriter, WritesTheSameFileForAnyBatches) {
  const auto rows = sample_documents();
  for (const std::string suffix : {".jsonl", ".jsonl.gz", ".jsonl.zst"}) {
    const TemporaryFolder one, seven, all;
    write_documents(rows, 1, "clean/docs" + suffix, one);
    write_documents(rows, 7, "clean/docs" + suffix, seven);
    write_documents(rows, rows.size(), "other" + suffix, all);
    const std::string bytes = read_file(one.path("output" + suffix));
    EXPECT_EQ(read_file(seven.path("output" + suffix)), bytes);
    EXPECT_EQ(read_file(all.path("output" + suffix)), bytes);

    const std::string text = decoded(one.path("output" + suffix));
    std::size_t at = 0;
    for (const Document& row : rows) {
      const std::size_t end = text.find('\n', at);
      ASSERT_NE(end, std::string::npos);
      const auto line = nlohmann::json::parse(text.substr(at, end - at));
      EXPECT_EQ((Document{line["id"], line["text"], line["domain"], line["source"]}), row);
      EXPECT_EQ(line.size(), 4u);
      at = end + 1;
    }
    EXPECT_EQ(at, text.size());
  }
}

TEST(JsonlWriter, PutsTheFileWhereTheHostLooksForIt) {
  for (const auto& [path, name] : std::vector<std::pair<std::string, std::string>>{
           {"clean/docs.jsonl.zst", "output.jsonl.zst"}, {"a.b/docs", "output"}, {"docs.v2.jsonl", "output.v2.jsonl"}, {".hidden", "output.hidden"}}) {
    const TemporaryFolder folder;
    write_documents({{"a", "b", "c", "d"}}, 1, path, folder);
    EXPECT_EQ(decoded(folder.path(name)), "{\"id\":\"a\",\"text\":\"b\",\"domain\":\"c\",\"source\":\"d\"}\n") << path;
  }
}

TEST(JsonlWriter, WritesAnEmptyFileForNoDocuments) {
  for (const std::string name : {"output.jsonl", "output.jsonl.gz", "output.jsonl.zst"}) {
    const TemporaryFolder folder;
    write_documents({}, 1, "x" + name.substr(6), folder);
    EXPECT_EQ(decoded(folder.path(name)), "");
  }
}

TEST(JsonlWriter, ExplainsWhatItCannotWrite) {
  for (const char* path : {"", "clean/", "clean/.."}) {
    const auto [code, message] = error_of([&] { Runner(flowrun_plugin_v1, {{"path", path}}); });
    EXPECT_EQ(code, Code::kInvalidArgument);
    EXPECT_EQ(message, "'path' is '" + std::string(path) + "', expected the name of a file");
  }
  const TemporaryFolder folder;
  Runner node(flowrun_plugin_v1, {{"path", "x.jsonl"}});
  OpenOptions options;
  options.staging = folder.path("none");
  const auto [code, message] = error_of([&] { node.open({fields::documents()}, options); });
  EXPECT_EQ(code, Code::kIo);
  EXPECT_THAT(message, StartsWith(folder.path("none/output.jsonl")));
}

}  // namespace
}  // namespace flowrun::writers
