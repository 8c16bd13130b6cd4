// Shards in safetensors: what writers/token_shards writes comes back, and any damage is found. The files are those of the writer's own code.

#include "flowrun_shard.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "writers/token_shards/shard.hpp"

namespace flowrun::readers {
namespace {

using flowrun::testing::error_of;
using flowrun::testing::message_of;
using flowrun::testing::OpenOptions;
using flowrun::testing::Paths;
using flowrun::testing::read_file;
using flowrun::testing::RecordError;
using flowrun::testing::Runner;
using flowrun::testing::TemporaryFolder;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Settings = std::vector<std::pair<std::string, flowrun::testing::Value>>;

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    (out += kDigits[static_cast<unsigned char>(byte) >> 4]) += kDigits[byte & 15];
  }
  return out;
}

/// Draws a value, adds it to a column, and returns how `render` should show it.
std::string draw_value(const Field& field, std::mt19937& random, ValueBuilder& out) {
  if (field.nullable && random() % 4 == 0) {
    out.append_null();
    return "null";
  }
  if (field.format == "+l") {
    std::string text = "[";
    for (unsigned n = static_cast<unsigned>(random()) % 5; n > 0; --n) text += draw_value(field.children[0], random, out.items()) + " ";
    out.end_list();
    return text + "]";
  }
  std::string bytes;
  if (field.format == "u") {
    for (unsigned n = static_cast<unsigned>(random()) % 9; n > 0; --n) bytes += random() % 3 == 0 ? "é" : "x";
  } else if (field.format == "b") {
    bytes = std::string(1, static_cast<char>(random() % 2));
  } else {
    const std::size_t size = field.format == "z" ? random() % 9 : static_cast<std::size_t>(detail::bit_width(field.format[0])) / 8;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(random());
  }
  out.append(bytes);
  return hex(bytes);
}

/// Shows the value at `at`, which counts from the start of the column's buffers.
std::string render(const Field& field, const ArrowArray& column, std::int64_t at) {
  if (detail::may_be_null(column) && !detail::bit(column.buffers[0], at)) return "null";
  if (field.format == "b") return detail::bit(column.buffers[1], at) ? "01" : "00";
  const auto* offsets = static_cast<const std::int32_t*>(column.buffers[1]) + at;
  if (field.format == "+l") {
    std::string text = "[";
    for (std::int32_t i = offsets[0]; i < offsets[1]; ++i) text += render(field.children[0], *column.children[0], column.children[0]->offset + i) + " ";
    return text + "]";
  }
  if (field.format == "u" || field.format == "z") return hex({static_cast<const char*>(column.buffers[2]) + offsets[0], static_cast<std::size_t>(offsets[1] - offsets[0])});
  const auto width = static_cast<std::size_t>(detail::bit_width(field.format[0])) / 8;
  return hex({static_cast<const char*>(column.buffers[1]) + static_cast<std::size_t>(at) * width, width});
}

std::vector<std::string> render_rows(const Field& schema, const ArrowArray& batch) {
  std::vector<std::string> rows(static_cast<std::size_t>(batch.length));
  for (std::size_t c = 0; c < schema.children.size(); ++c)
    for (std::int64_t row = 0; row < batch.length; ++row)
      rows[static_cast<std::size_t>(row)] += render(schema.children[c], *batch.children[c], batch.offset + batch.children[c]->offset + row) + "|";
  return rows;
}

Field nullable(Field field) {
  field.nullable = true;
  return field;
}
Field list_of(std::string name, Field item) { return {std::move(name), "+l", false, {std::move(item)}}; }

/// Columns of every type, each with and without nulls.
Field every_type() {
  Field schema = fields::tokens();
  for (const char format : std::string("bcCsSiIlLefguz"))
    for (const bool with_nulls : {false, true}) schema.children.push_back({std::string("score.") + format + (with_nulls ? "?" : ""), std::string(1, format), with_nulls, {}});
  schema.children.push_back(list_of("labels", fields::int64("item")));
  schema.children.push_back(nullable(list_of("texts", nullable(fields::utf8("item")))));
  schema.children.push_back(list_of("deep", nullable(list_of("item", nullable(fields::boolean("item"))))));
  return schema;
}

/// Rows, and how they are shown.
struct Made {
  Field schema;
  OwnedArray batch;
  std::vector<std::string> rows;
};

Made make_rows(const Field& schema, std::int64_t rows, unsigned seed, std::uint32_t id_end = 65536) {
  std::mt19937 random(seed);
  Made made{schema, {}, std::vector<std::string>(static_cast<std::size_t>(rows))};
  std::vector<OwnedArray> columns;
  for (const Field& field : schema.children) {
    ValueBuilder builder(field);
    for (std::string& row : made.rows) {
      if (field.name == "bytes") {
        const std::int64_t bytes = random() % 1000;
        builder.append({reinterpret_cast<const char*>(&bytes), sizeof bytes});
        row += hex({reinterpret_cast<const char*>(&bytes), sizeof bytes}) + "|";
      } else if (field.name == "input_ids") {
        row += "[";
        for (unsigned n = static_cast<unsigned>(random()) % 12; n > 0; --n) {
          const auto id = static_cast<std::uint32_t>(random()) % id_end;
          builder.items().append({reinterpret_cast<const char*>(&id), sizeof id});
          row += hex({reinterpret_cast<const char*>(&id), sizeof id}) + " ";
        }
        builder.end_list();
        row += "]|";
      } else {
        row += draw_value(field, random, builder) + "|";
      }
    }
    columns.push_back(builder.finish());
  }
  made.batch = make_batch(std::move(columns), rows);
  return made;
}

class FlowrunShards : public ::testing::Test {
 protected:
  /// Writes rows as a shard and returns its path.
  std::string write(const Made& made, const std::string& name = "a", int token_bytes = 2) {
    writers::ShardFormat format;
    format.kind = writers::ShardFormat::Kind::kFlowrun;
    format.token_bytes = token_bytes;
    const auto shard = writers::make_shard(format, made.schema, folder_.path(name));
    const TokensView view(made.batch.get(), made.schema);
    for (std::int64_t row = 0; row < view.size(); ++row) shard->append(view, row);
    shard->finish();
    return folder_.path(name + ".safetensors");
  }
  /// Reads files by the node and returns its rows, as shown.
  std::vector<std::string> read(const std::vector<std::string>& paths, Settings settings = {}, OpenOptions options = {}) {
    Paths files({});
    for (const auto& path : paths) files.files.push_back({path, "shards/" + path.substr(path.rfind('/') + 1)});
    settings.emplace_back("paths", files);
    Runner node(flowrun_plugin_v1, settings);
    node.open({}, options);
    schema_ = node.output_schema();
    std::vector<std::string> rows;
    for (const auto& batch : node.read_all())
      for (auto& row : render_rows(batch.schema, batch.array.get())) rows.push_back(std::move(row));
    errors_ = node.record_errors();
    EXPECT_THAT(node.close(), IsEmpty());
    return rows;
  }

  TemporaryFolder folder_;
  Field schema_;
  std::vector<RecordError> errors_;
};

TEST_F(FlowrunShards, GiveBackColumnsOfEveryType) {
  for (const std::int64_t rows : {0, 1, 700})
    for (const int token_bytes : {2, 4}) {
      const Made made = make_rows(every_type(), rows, static_cast<unsigned>(rows), token_bytes == 2 ? 65536 : 4294967295u);
      const std::string path = write(made, "a", token_bytes);
      for (const std::int64_t batch_documents : {1, 7, 4096}) {
        OpenOptions options;
        options.batch_documents = batch_documents;
        EXPECT_EQ(read({path}, {}, options), made.rows) << rows << " rows, batches of " << batch_documents;
        EXPECT_EQ(schema_, made.schema) << "types, nulls and order";
        EXPECT_THAT(errors_, IsEmpty());
      }
    }
}

TEST_F(FlowrunShards, AreReadOneAfterAnother) {
  const Made first = make_rows(every_type(), 30, 1), none = make_rows(every_type(), 0, 2), last = make_rows(every_type(), 50, 3);
  std::vector<std::string> expected = first.rows;
  expected.insert(expected.end(), last.rows.begin(), last.rows.end());
  EXPECT_EQ(read({write(first, "a"), write(none, "b"), write(last, "c")}), expected);
}

/// Every byte is covered by a checksum, or by the size of the file.
TEST_F(FlowrunShards, SayWhereTheyAreDamaged) {
  int in_header = 0, behind_rows = 0;
  // Many columns have values of the first documents all over the file; tokens alone are given up to the damage.
  for (const Made& made : {make_rows(every_type(), 900, 5), make_rows(fields::tokens(), 12'000, 6)}) {
    const std::string whole = read_file(write(made));
    ASSERT_GT(whole.size(), 2u * 65536) << "several blocks";
    std::mt19937 random(41);
    for (int i = 0; i < 250; ++i) {
      std::string bytes = whole;
      // The header is small beside the data, and has the most to go wrong.
      const std::size_t at = random() % (i % 4 == 0 ? 1'500 : bytes.size());
      const bool is_cut = i % 3 == 0;
      if (is_cut) bytes.resize(at);
      else bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
      const auto rows = read({folder_.write("damaged.safetensors", bytes)});
      ASSERT_EQ(errors_.size(), 1u) << "seed 41, damage " << i << " at byte " << at;
      const std::int64_t offset = errors_[0].offset, place = static_cast<std::int64_t>(at);
      EXPECT_EQ(errors_[0].code, "damaged_tokens");
      EXPECT_EQ(errors_[0].file, "shards/damaged.safetensors");
      const bool in_checksums = at > whole.size() - 100;
      const bool is_told = is_cut ? offset == place : in_checksums || (offset <= place && place < offset + 65536);
      EXPECT_TRUE(offset == 0 || is_told) << at << " " << offset << ": " << errors_[0].message;
      ASSERT_LE(rows.size(), made.rows.size());
      EXPECT_TRUE(std::equal(rows.begin(), rows.end(), made.rows.begin())) << "what is given before is right";
      in_header += offset == 0;
      behind_rows += !rows.empty();
    }
  }
  EXPECT_GT(in_header, 50);
  EXPECT_GT(behind_rows, 40);
}

TEST_F(FlowrunShards, GoOnBehindADamagedOne) {
  const Made made = make_rows(every_type(), 40, 6);
  const std::string good = write(made, "b");
  const std::string bad = folder_.write("a.safetensors", read_file(good).substr(0, 3000));
  EXPECT_EQ(read({bad, good}), made.rows) << "the columns are those of the first that can be read";
  ASSERT_EQ(errors_.size(), 1u);
  EXPECT_THAT(errors_[0].message, HasSubstr("the file has 3000 bytes"));
  EXPECT_EQ(errors_[0].file_bytes, 3000);
}

/// Changes the header, or bytes of the data, and puts checksums that fit.
class Forger {
 public:
  explicit Forger(std::string bytes) : bytes_(std::move(bytes)) {}
  Forger& replace(const std::string& from, const std::string& to) {
    const std::size_t at = bytes_.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    EXPECT_LE(to.size(), from.size());
    // Spaces between values keep the header's length.
    bytes_.replace(at, from.size(), to + std::string(from.size() - to.size(), ' '));
    return *this;
  }
  std::size_t array(const std::string& name) const {
    const std::size_t key = bytes_.find("\"" + name + "\":{"), offsets = bytes_.find("\"data_offsets\":[", key);
    return header_bytes() + static_cast<std::size_t>(std::stoll(bytes_.substr(offsets + 16)));
  }
  Forger& put(std::size_t at, std::string_view value) {
    bytes_.replace(at, value.size(), value);
    return *this;
  }
  std::string bytes() {
    const std::size_t checksums = array(":checksums"), begin = header_bytes();
    put_checksum(checksums, std::string_view(bytes_).substr(0, begin));
    for (std::size_t block = 0; begin + block * 65536 < checksums; ++block)
      put_checksum(checksums + 4 * (block + 1), std::string_view(bytes_).substr(begin + block * 65536, std::min<std::size_t>(65536, checksums - begin - block * 65536)));
    return bytes_;
  }

 private:
  std::size_t header_bytes() const {
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), sizeof length);
    return 8 + static_cast<std::size_t>(length);
  }
  void put_checksum(std::size_t at, std::string_view part) {
    const std::uint32_t checksum = crc32_of(part.data(), part.size());
    bytes_.replace(at, 4, reinterpret_cast<const char*>(&checksum), 4);
  }
  std::string bytes_;
};

TEST_F(FlowrunShards, RefuseWhatDoesNotFitTogether) {
  Field schema = fields::tokens();
  schema.children.push_back(nullable(fields::utf8("title")));
  schema.children.push_back(fields::float64("score.x"));
  const std::string whole = read_file(write(make_rows(schema, 20, 7)));
  const auto message = [&](Forger forger) {
    read({folder_.write("forged.safetensors", forger.bytes())});
    EXPECT_EQ(errors_.size(), 1u);
    return errors_.empty() ? std::string() : errors_[0].message;
  };
  const std::string back(8, '\xff'), far = std::string(7, '\xff') + '\x7f';
  EXPECT_THAT(message(Forger(whole).replace(R"("version":"1")", R"("version":"2")")), HasSubstr("the shard has version 2, expected 1"));
  EXPECT_THAT(message(Forger(whole).replace("flowrun_tokens", "flowrun_images")), HasSubstr("has the format 'flowrun_images', expected 'flowrun_tokens'"));
  EXPECT_THAT(message(Forger(whole).replace(R"("score.x":{"dtype":"F64")", R"("score.x":{"dtype":"I64")")), HasSubstr("no array 'score.x' of F64 with 160 bytes, which column 'score.x' needs"));
  EXPECT_THAT(message(Forger(whole).replace(R"("title:valid":{)", R"("title:volid":{)")), HasSubstr("no array 'title:valid' of BOOL with 20 bytes"));
  EXPECT_THAT(message(Forger(whole).replace(R"("block_bytes":"65536")", R"("block_bytes":"0")")), HasSubstr("blocks of '0' bytes"));
  EXPECT_THAT(message(Forger(whole).replace(R"({\"name\":\"domain\",\"format\":\"u\")", R"({\"name\":\"demain\",\"format\":\"u\")")), HasSubstr("has no column 'domain' of Arrow format 'u'"));
  EXPECT_THAT(message(Forger(whole).put(Forger(whole).array("input_ids:offsets") + 8, back)), HasSubstr("document 0 has tokens 0 to -1"));
  EXPECT_THAT(message(Forger(whole).put(Forger(whole).array("input_ids:offsets") + 16, far)), HasSubstr("document 1 has tokens"));
  EXPECT_THAT(message(Forger(whole).put(Forger(whole).array("id:offsets") + 16, far)), HasSubstr("value 1 of column 'id' reaches from"));
  EXPECT_THAT(message(Forger(whole).put(Forger(whole).array("title:offsets") + 160, far)), HasSubstr("column 'title' ends at 9223372036854775807"));
  read({folder_.write("long.safetensors", far + whole.substr(8))});
  EXPECT_THAT(errors_.at(0).message, HasSubstr("and a header of 9223372036854775807, expected a safetensors file"));
  read({folder_.write("other.safetensors", std::string("\2\0\0\0\0\0\0\0{}", 10))});
  EXPECT_THAT(errors_.at(0).message, HasSubstr("the header has no good '__metadata__'"));
}

TEST_F(FlowrunShards, RefuseDocumentsWhoseTextIsNotUtf8) {
  Field schema = fields::tokens();
  schema.children.push_back(list_of("texts", fields::utf8("item")));
  const Made made = make_rows(schema, 20, 8);
  Forger forger(read_file(write(made)));
  const auto rows = read({folder_.write("forged.safetensors", forger.put(forger.array("texts:items:bytes"), "\xff").bytes())});
  ASSERT_EQ(errors_.size(), 1u);
  EXPECT_EQ(errors_[0].code, "bad_utf8");
  EXPECT_EQ(errors_[0].message, "column 'texts' holds text that is not UTF-8");
  EXPECT_EQ(rows.size(), 19u);
}

TEST_F(FlowrunShards, MustHaveTheSameColumns) {
  Field scored = fields::tokens();
  scored.children.push_back(fields::float64("score.x"));
  const std::string with = write(make_rows(scored, 3, 9), "a"), without = write(make_rows(fields::tokens(), 3, 9), "b");
  EXPECT_EQ(error_of([&] { read({with, without}); }),
            std::pair(Code::kInvalidArgument, std::string("shards/b.safetensors has the columns (none), expected those of shards/a.safetensors: 'score.x' (g)")));
  const std::string lines = folder_.write("c.jsonl", "{\"input_ids\":[1]}\n");
  EXPECT_EQ(read({without, lines}).size(), 4u) << "no shard brings a column that lines have not";
  EXPECT_THAT(message_of([&] { read({with, lines}); }), HasSubstr("shards/c.jsonl has the columns (none)"));
  EXPECT_THAT(message_of([&] { read({with}, {{"endoftext_id", 1}}); }), HasSubstr("'endoftext_id' is set, but shards/a.safetensors holds tokens without an end"));
  EXPECT_THAT(message_of([&] { read({with}, {{"labels", true}}); }), HasSubstr("'labels' is set, but shards/a.safetensors is no file of JSON Lines"));
}

}  // namespace
}  // namespace flowrun::readers
