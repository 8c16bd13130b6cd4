#include "shard.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <zlib.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace flowrun::writers {
namespace {

using flowrun::testing::Batch;
using flowrun::testing::error_of;
using flowrun::testing::OpenOptions;
using flowrun::testing::read_file;
using flowrun::testing::Runner;
using flowrun::testing::TemporaryFolder;
using flowrun::testing::TokenRow;
using flowrun::testing::tokens_batch;
using flowrun::testing::with_column;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Files = std::map<std::string, std::string>;
using Settings = std::vector<std::pair<std::string, flowrun::testing::Value>>;

/// Writes rows in batches of `batch_rows` and returns every file of the folder by name. `endoftext_id`: a column of that value.
Files write(const std::vector<TokenRow>& rows, Settings settings, std::size_t batch_rows = 1000, std::optional<std::uint32_t> endoftext_id = std::nullopt) {
  const TemporaryFolder folder;
  settings.emplace_back("path", "clean/shards");
  Runner node(flowrun_plugin_v1, settings);
  OpenOptions options;
  options.staging = folder.path();
  Field schema = fields::tokens();
  if (endoftext_id) schema.children.push_back(fields::uint32("endoftext_id"));
  node.open({schema}, options);
  for (std::size_t first = 0; first < rows.size(); first += batch_rows) {
    const std::vector<TokenRow> part(rows.begin() + static_cast<std::ptrdiff_t>(first), rows.begin() + static_cast<std::ptrdiff_t>(std::min(rows.size(), first + batch_rows)));
    auto batch = tokens_batch(part);
    if (endoftext_id) batch = with_column(std::move(batch), fields::uint32("endoftext_id"), make_column(std::vector<std::uint32_t>(part.size(), *endoftext_id)));
    node.process(std::move(batch));
  }
  node.finish();
  EXPECT_THAT(node.close(), IsEmpty());
  Files files;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path("output"))) files[entry.path().filename()] = read_file(entry.path());
  return files;
}

std::vector<std::string> names(const Files& files) {
  std::vector<std::string> out;
  for (const auto& [name, bytes] : files) out.push_back(name);
  return out;
}

template <class T>
std::vector<T> numbers(const std::string& bytes, std::size_t offset = 0, std::size_t count = std::string::npos) {
  count = std::min(count, (bytes.size() - offset) / sizeof(T));
  std::vector<T> out(count);
  std::memcpy(out.data(), bytes.data() + offset, count * sizeof(T));
  return out;
}

const std::vector<TokenRow> kRows = {{"a", "web", 3, {1, 2, 3}}, {"b", "web", 0, {}}, {"c", "books", 9, {65535, 4}}};

TEST(TokenShards, WritesTheIndexOfMegatron) {
  const auto files = write(kRows, {{"format", "megatron"}, {"token_bytes", 2}, {"endoftext_id", 7}});
  ASSERT_THAT(names(files), ElementsAre("shard-00000.bin", "shard-00000.idx"));
  EXPECT_THAT(numbers<std::uint16_t>(files.at("shard-00000.bin")), ElementsAre(1, 2, 3, 7, 7, 65535, 4, 7));
  const std::string& index = files.at("shard-00000.idx");
  EXPECT_EQ(index.substr(0, 9), std::string("MMIDIDX\0\0", 9));
  EXPECT_EQ(numbers<std::uint64_t>(index, 9, 1)[0], 1u);
  EXPECT_EQ(index[17], 8) << "numpy.uint16";
  EXPECT_THAT(numbers<std::uint64_t>(index, 18, 2), ElementsAre(3, 4));
  EXPECT_THAT(numbers<std::int32_t>(index, 34, 3), ElementsAre(4, 1, 3));
  EXPECT_THAT(numbers<std::int64_t>(index, 46), ElementsAre(0, 8, 10, 0, 1, 2, 3));
  EXPECT_EQ(index.size(), 46u + 7 * 8);
}

TEST(TokenShards, TakesFourBytesWhereTheVocabularyIsLarge) {
  for (const auto& [format, vocab_size, bytes] : std::vector<std::tuple<const char*, int, std::size_t>>{
           {"megatron", 65499, 2}, {"megatron", 65500, 4}, {"raw", 65536, 2}, {"raw", 65537, 4}})
    EXPECT_EQ(write({{"a", "", 0, {5}}}, {{"format", format}, {"vocab_size", vocab_size}, {"append_endoftext", false}}).at("shard-00000.bin").size(), bytes) << format << vocab_size;
  EXPECT_EQ(write({{"a", "", 0, {5}}}, {{"format", "megatron"}}).at("shard-00000.idx")[17], 4) << "numpy.int32";
  EXPECT_EQ(write({{"a", "", 0, {5}}}, {{"format", "raw"}, {"token_bytes", 2}, {"append_endoftext", false}}).at("shard-00000.bin"), std::string("\5\0", 2));
  EXPECT_THAT(numbers<std::uint32_t>(write({{"a", "", 0, {4294967295u}}}, {{"format", "raw"}}).at("shard-00000.bin")), ElementsAre(4294967295u, 0u));
}

TEST(TokenShards, WritesTheIndexOfRawTokens) {
  const auto files = write(kRows, {{"format", "raw"}, {"append_endoftext", false}});
  EXPECT_THAT(numbers<std::uint32_t>(files.at("shard-00000.bin")), ElementsAre(1, 2, 3, 65535, 4));
  EXPECT_EQ(nlohmann::json::parse(files.at("shard-00000.json")), nlohmann::json::parse(R"({"format": "raw_tokens", "version": 1, "file": "shard-00000.bin", "dtype": "uint32",
    "endoftext_id": null, "documents": 3, "tokens": 5, "lengths": [3, 0, 2]})"));
}

TEST(TokenShards, EndsDocumentsWithTheIdThatTokensBringAlong) {
  EXPECT_THAT(numbers<std::uint32_t>(write(kRows, {{"format", "raw"}}).at("shard-00000.bin")), ElementsAre(1, 2, 3, 0, 0, 65535, 4, 0));
  EXPECT_THAT(numbers<std::uint32_t>(write(kRows, {{"format", "raw"}}, 1, 50256).at("shard-00000.bin")), ElementsAre(1, 2, 3, 50256, 50256, 65535, 4, 50256));
  EXPECT_THAT(numbers<std::uint32_t>(write(kRows, {{"format", "raw"}, {"endoftext_id", 9}}, 1, 50256).at("shard-00000.bin")), ElementsAre(1, 2, 3, 9, 9, 65535, 4, 9));
  EXPECT_THAT(numbers<std::uint32_t>(write(kRows, {{"format", "raw"}, {"append_endoftext", false}}, 1, 50256).at("shard-00000.bin")), ElementsAre(1, 2, 3, 65535, 4));
}

TEST(TokenShards, BeginsAShardWhereTheLimitWouldBePassed) {
  const std::vector<TokenRow> rows = {{"a", "", 0, {1, 1, 1}}, {"b", "", 0, {2}}, {"c", "", 0, {3, 3}}, {"d", "", 0, {4, 4, 4, 4, 4, 4, 4}}, {"e", "", 0, {5}}};
  for (const Settings& limit : {Settings{{"shard_tokens", 6}}, Settings{{"shard_bytes", 13}, {"token_bytes", 2}}}) {
    Settings settings = limit;
    settings.insert(settings.end(), {{"format", "raw"}, {"endoftext_id", 0}});
    const auto files = write(rows, settings);
    std::vector<nlohmann::json> lengths;
    for (const auto& [name, bytes] : files)
      if (name.ends_with(".json")) lengths.push_back(nlohmann::json::parse(bytes)["lengths"]);
    // Each document has its end: 4 + 2 | 3 | 8, which is more than a shard may have | 2
    EXPECT_THAT(lengths, ElementsAre(nlohmann::json{4, 2}, nlohmann::json{3}, nlohmann::json{8}, nlohmann::json{2}));
    EXPECT_EQ(files.size(), 8u);
  }
}

/// A safetensors file, cut by its header.
class Safetensors {
 public:
  explicit Safetensors(std::string bytes) : bytes_(std::move(bytes)), data_(8 + numbers<std::uint64_t>(bytes_, 0, 1)[0]), header_(nlohmann::json::parse(bytes_.substr(8, data_ - 8))) {}
  const nlohmann::json& header() const { return header_; }
  nlohmann::json schema() const { return nlohmann::json::parse(header_["__metadata__"]["schema"].get<std::string>()); }
  std::size_t begin(const std::string& name) const { return data_ + header_.at(name)["data_offsets"][0].get<std::size_t>(); }
  std::string part(const std::string& name) const {
    const auto offsets = header_.at(name)["data_offsets"];
    return bytes_.substr(begin(name), offsets[1].get<std::size_t>() - offsets[0].get<std::size_t>());
  }
  template <class T>
  std::vector<T> array(const std::string& name, const std::string& dtype) const {
    EXPECT_EQ(header_.at(name)["dtype"], dtype) << name;
    EXPECT_EQ(begin(name) % sizeof(T), 0u) << name << " is not aligned";
    auto values = numbers<T>(part(name));
    EXPECT_EQ(header_.at(name)["shape"], nlohmann::json::array({values.size()})) << name;
    return values;
  }
  /// Returns the checksums that the file should have.
  std::vector<std::uint32_t> checksums() const {
    std::vector<std::uint32_t> out{crc(0, data_)};
    const std::size_t end = begin(":checksums");
    for (std::size_t at = data_; at < end; at += 65536) out.push_back(crc(at, std::min<std::size_t>(65536, end - at)));
    return out;
  }

 private:
  std::uint32_t crc(std::size_t at, std::size_t count) const { return static_cast<std::uint32_t>(::crc32(0, reinterpret_cast<const unsigned char*>(bytes_.data() + at), static_cast<unsigned>(count))); }
  std::string bytes_;
  std::size_t data_;
  nlohmann::json header_;
};

/// Adds columns to `kRows`: numbers, text with a null, and lists.
Batch rows_with_columns() {
  Batch batch = with_column(tokens_batch(kRows), fields::float64("score.x"), make_column(std::vector<double>{0.5, -1, 1e300}));
  batch = with_column(std::move(batch), fields::uint32("endoftext_id"), make_column(std::vector<std::uint32_t>{9, 9, 9}));
  StringBuilder titles;
  for (const char* title : {"one", "hidden", "zwölf"}) titles.append(title);
  OwnedArray column = titles.finish();
  auto holder = std::make_unique<detail::ArrayHolder>();
  holder->buffers[0] = {0b101};
  holder->pointers[0] = holder->buffers[0].data();
  holder->pointers[1] = column.get().buffers[1];
  holder->pointers[2] = column.get().buffers[2];
  holder->kept = std::make_shared<OwnedArray>(std::move(column));
  batch = with_column(std::move(batch), {"title", "u", true, {}}, detail::make_array(std::move(holder), 3, 3, 1));
  ListBuilder lists;
  lists.append(std::vector<std::uint32_t>{1, 2});
  lists.append({});
  lists.append(std::vector<std::uint32_t>{3});
  return with_column(std::move(batch), fields::list_uint32("spans"), lists.finish());
}

Files write_flowrun(const std::vector<std::function<Batch()>>& batches, Settings settings = {}) {
  const TemporaryFolder folder;
  settings.insert(settings.end(), {{"path", "clean/shards"}, {"format", "flowrun"}});
  Runner node(flowrun_plugin_v1, settings);
  OpenOptions options;
  options.staging = folder.path();
  node.open({batches.at(0)().schema}, options);
  for (const auto& batch : batches) node.process(batch());
  node.finish();
  EXPECT_THAT(node.close(), IsEmpty());
  Files files;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path("output"))) files[entry.path().filename()] = read_file(entry.path());
  return files;
}

TEST(TokenShards, KeepsEveryColumnInSafetensors) {
  const auto files = write_flowrun({rows_with_columns}, {{"token_bytes", 2}});
  ASSERT_THAT(names(files), ElementsAre("shard-00000.safetensors"));
  const Safetensors shard(files.at("shard-00000.safetensors"));
  EXPECT_EQ(shard.header()["__metadata__"]["format"], "flowrun_tokens");
  EXPECT_EQ(shard.header()["__metadata__"]["version"], "1");
  EXPECT_THAT(shard.array<std::uint16_t>("input_ids", "U16"), ElementsAre(1, 2, 3, 65535, 4)) << "as they are, without an end";
  EXPECT_THAT(shard.array<std::int64_t>("input_ids:offsets", "I64"), ElementsAre(0, 3, 3, 5));
  EXPECT_EQ(shard.part("id:bytes"), "abc");
  EXPECT_THAT(shard.array<std::int64_t>("id:offsets", "I64"), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(shard.part("domain:bytes"), "webwebbooks");
  EXPECT_THAT(shard.array<std::int64_t>("bytes", "I64"), ElementsAre(3, 0, 9));
  EXPECT_THAT(shard.array<double>("score.x", "F64"), ElementsAre(0.5, -1, 1e300));
  EXPECT_THAT(shard.array<std::uint32_t>("endoftext_id", "U32"), ElementsAre(9, 9, 9));
  EXPECT_THAT(shard.array<std::uint8_t>("title:valid", "BOOL"), ElementsAre(1, 0, 1));
  EXPECT_THAT(shard.array<std::int64_t>("title:offsets", "I64"), ElementsAre(0, 3, 3, 9));
  EXPECT_EQ(shard.part("title:bytes"), "onezwölf") << "what memory holds for a null is not written";
  EXPECT_THAT(shard.array<std::int64_t>("spans:offsets", "I64"), ElementsAre(0, 2, 2, 3));
  EXPECT_THAT(shard.array<std::uint32_t>("spans:items", "U32"), ElementsAre(1, 2, 3));
  EXPECT_EQ(shard.schema()["children"][6], nlohmann::json::parse(R"({"name": "title", "format": "u", "nullable": true, "children": []})"));
  EXPECT_EQ(shard.array<std::uint32_t>(":checksums", "U32"), shard.checksums());
}

TEST(TokenShards, WritesTheSameSafetensorsForAnyBatchesAndShards) {
  const auto part = [](std::int64_t first, std::int64_t n) { return [=] { return flowrun::testing::slice(rows_with_columns(), first, n); }; };
  EXPECT_EQ(write_flowrun({part(0, 1), part(1, 0), part(1, 2)}), write_flowrun({rows_with_columns}));
  const auto files = write_flowrun({rows_with_columns}, {{"shard_tokens", 4}});
  ASSERT_THAT(names(files), ElementsAre("shard-00000.safetensors", "shard-00001.safetensors"));
  EXPECT_EQ(Safetensors(files.at("shard-00000.safetensors")).part("id:bytes"), "ab");
  EXPECT_EQ(Safetensors(files.at("shard-00001.safetensors")).part("id:bytes"), "c");
  EXPECT_THAT(Safetensors(files.at("shard-00001.safetensors")).array<std::int64_t>("spans:offsets", "I64"), ElementsAre(0, 1));
}

TEST(TokenShards, ChecksLongSafetensorsInBlocks) {
  std::mt19937 random(8);
  std::vector<std::uint32_t> ids(100'000);
  for (auto& id : ids) id = static_cast<std::uint32_t>(random());
  const auto files = write_flowrun({[&] { return tokens_batch({{"a", "", 0, ids}, {"b", "", 0, {}}}); }});
  const Safetensors shard(files.at("shard-00000.safetensors"));
  EXPECT_EQ(shard.array<std::uint32_t>("input_ids", "U32"), ids);
  EXPECT_EQ(shard.checksums().size(), 8u) << "the header, 400,000 bytes of tokens, and the rest in the last of 7 blocks";
  EXPECT_EQ(shard.array<std::uint32_t>(":checksums", "U32"), shard.checksums());
  const Safetensors empty(write_flowrun({[] { return tokens_batch({}); }}).at("shard-00000.safetensors"));
  EXPECT_THAT(empty.array<std::int64_t>("input_ids:offsets", "I64"), ElementsAre(0));
  EXPECT_EQ(empty.array<std::uint32_t>(":checksums", "U32"), empty.checksums());
}

TEST(TokenShards, ExplainsWhatSafetensorsCannotKeep) {
  const auto with = [](Field field) { return [field] { return with_column(tokens_batch(kRows), field, make_column(std::vector<std::uint32_t>{1, 2, 3})); }; };
  const auto message = [](const std::function<Batch()>& batch, const Settings& settings = {}) { return error_of([&] { write_flowrun({batch}, settings); }); };
  EXPECT_EQ(message(with({"when", "tdD", false, {}})),
            std::pair(Code::kUnsupported, std::string("column 'when' has Arrow format 'tdD', expected text, bytes, booleans, numbers, or lists of those")));
  const auto [code, text] = message(with(fields::uint32("id:offsets")));
  EXPECT_EQ(code, Code::kInvalidArgument);
  EXPECT_THAT(text, HasSubstr("two columns need an array 'id:offsets' in "));
  EXPECT_EQ(message(with(fields::uint32("x")), {{"endoftext_id", 1}}).second, "'endoftext_id' is set, but format \"flowrun\" keeps tokens as they are");
  EXPECT_EQ(message(with(fields::uint32("x")), {{"append_endoftext", true}}).second, "'append_endoftext' is set, but format \"flowrun\" keeps tokens as they are");
}

TEST(TokenShards, WritesTheSameFilesForAnyBatches) {
  std::mt19937 random(6);
  std::vector<TokenRow> rows;
  for (int i = 0; i < 20000; ++i) {
    TokenRow& row = rows.emplace_back(TokenRow{"d" + std::to_string(i), "web", 1, {}});
    for (unsigned n = static_cast<unsigned>(random()) % 30; n > 0; --n) row.input_ids.push_back(static_cast<std::uint32_t>(random()) % 60000);
  }
  for (const char* format : {"megatron", "raw"}) {
    const Settings settings = {{"format", format}, {"vocab_size", 60000}, {"shard_tokens", 100'000}};
    const Files files = write(rows, settings);
    EXPECT_EQ(files.size(), 8u);
    EXPECT_EQ(write(rows, settings, 1), files);
    EXPECT_EQ(write(rows, settings, 333), files);
    std::string all;
    for (const auto& [name, bytes] : files)
      if (name.ends_with(".bin")) all += bytes;
    std::vector<std::uint16_t> expected;
    for (const TokenRow& row : rows) {
      for (const std::uint32_t id : row.input_ids) expected.push_back(static_cast<std::uint16_t>(id));
      expected.push_back(0);
    }
    EXPECT_EQ(numbers<std::uint16_t>(all), expected);
  }
}

TEST(TokenShards, WritesAnEmptyShardForNoDocuments) {
  const auto files = write({}, {{"format", "megatron"}});
  EXPECT_EQ(files.at("shard-00000.bin"), "");
  EXPECT_THAT(numbers<std::uint64_t>(files.at("shard-00000.idx"), 18), ElementsAre(0, 1, 0));
  EXPECT_EQ(nlohmann::json::parse(write({}, {{"format", "raw"}}).at("shard-00000.json"))["lengths"], nlohmann::json::array());
}

TEST(TokenShards, ExplainsWhatItCannotWrite) {
  const auto message = [](const std::vector<TokenRow>& rows, const Settings& settings, std::optional<std::uint32_t> endoftext_id = std::nullopt) {
    return error_of([&] { write(rows, settings, 1, endoftext_id); });
  };
  EXPECT_EQ(message({{"doc", "", 0, {5, 65536}}}, {{"format", "raw"}, {"token_bytes", 2}}),
            std::pair(Code::kInvalidArgument, std::string("a token of document 'doc' is 65536, expected at most 65535 in tokens of 2 bytes; set 'token_bytes' or 'vocab_size'")));
  EXPECT_EQ(message({{"doc", "", 0, {2147483648u}}}, {{"format", "megatron"}}).second, "a token of document 'doc' is 2147483648, expected at most 2147483647 in tokens of 4 bytes");
  EXPECT_THAT(message(kRows, {{"format", "raw"}, {"token_bytes", 2}}, 100257).second, HasSubstr("the tokenizer's end-of-text id is 100257, expected at most 65535"));
  EXPECT_THAT(message(kRows, {{"format", "raw"}, {"token_bytes", 2}, {"endoftext_id", 65536}}).second, HasSubstr("'endoftext_id' is 65536, expected at most 65535"));
  EXPECT_EQ(message({{"doc", "", 0, {5, 1000}}}, {{"format", "flowrun"}, {"vocab_size", 1000}}).second, "a token of document 'doc' is 1000, expected at most 999 of 'vocab_size' = 1000");
  EXPECT_EQ(message(kRows, {{"format", "raw"}, {"token_bytes", 3}}).second, "'token_bytes' is 3, expected 2 or 4");
}

TEST(TokenShards, NamesTheFileThatCannotBeWritten) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path("output"));
  std::filesystem::create_symlink("/dev/full", folder.path("output/shard-00000.bin"));
  Runner node(flowrun_plugin_v1, {{"path", "x"}, {"format", "raw"}});
  OpenOptions options;
  options.staging = folder.path();
  node.open({fields::tokens()}, options);
  const auto write_all = [&] {
    node.process(tokens_batch({{"a", "", 0, std::vector<std::uint32_t>(200'000, 1)}}));
    node.finish();
  };
  EXPECT_EQ(error_of(write_all), std::pair(Code::kIo, folder.path("output/shard-00000.bin") + ": cannot be written: No space left on device"));
}

}  // namespace
}  // namespace flowrun::writers
