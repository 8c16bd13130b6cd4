#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "readers/common/compress_for_test.hpp"

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
using flowrun::testing::token_rows;
using flowrun::testing::TokenRow;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Settings = std::vector<std::pair<std::string, flowrun::testing::Value>>;

const std::string kTestdata = FLOWRUN_TEST_SOURCE_DIR "/testdata/";

class TokensNode : public ::testing::Test {
 protected:
  /// Writes the files, reads them as tokens/NAME, and returns the rows.
  std::vector<TokenRow> read(const std::vector<std::pair<std::string, std::string>>& files, Settings settings = {}, OpenOptions options = {}) {
    Paths paths({});
    for (const auto& [name, bytes] : files) paths.files.push_back({folder_.write(name, bytes), "tokens/" + name});
    settings.emplace_back("paths", paths);
    batches_.clear();
    node_ = std::make_unique<Runner>(flowrun_plugin_v1, settings);
    node_->open({}, options);
    batches_ = node_->read_all();
    std::vector<TokenRow> rows;
    for (const auto& batch : batches_)
      for (auto& row : token_rows(batch)) rows.push_back(std::move(row));
    return rows;
  }
  std::vector<TokenRow> read_dataset(const std::string& type, OpenOptions options = {}) {
    return read({{type + ".bin", read_file(kTestdata + type + ".bin")}, {type + ".idx", read_file(kTestdata + type + ".idx")}}, {{"domain", "web"}}, options);
  }
  const std::vector<RecordError>& errors() const { return node_->record_errors(); }
  /// Ends the node and returns the rules that it has broken.
  std::vector<std::string> close() {
    batches_.clear();  // the last owner of an output gives it back before the node ends
    return node_->close();
  }

  TemporaryFolder folder_;
  std::unique_ptr<Runner> node_;
  std::vector<flowrun::testing::Batch> batches_;
};

// ------------------------------------------------------------------------------------------------------------------------- Megatron

TEST_F(TokensNode, ReadsWhatMegatronWrites) {
  const auto expected = nlohmann::json::parse(read_file(kTestdata + "expected.json"));
  for (const char* type : {"uint8", "int8", "int16", "uint16", "int32", "int64"})
    for (const std::int64_t batch_documents : {1, 5, 4096}) {
      OpenOptions options;
      options.batch_documents = batch_documents;
      const auto rows = read_dataset(type, options);
      ASSERT_EQ(rows.size(), expected[type].size()) << type;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        EXPECT_EQ(rows[i].input_ids, expected[type][i].get<std::vector<std::uint32_t>>()) << type << " " << i;
        EXPECT_EQ(rows[i].id, std::string("tokens/") + type + ".bin#" + std::to_string(i));
        EXPECT_EQ(rows[i].domain, "web");
        EXPECT_EQ(rows[i].bytes, 0);
      }
      EXPECT_THAT(errors(), IsEmpty());
      EXPECT_THAT(close(), IsEmpty());
    }
}

template <class T>
void append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// An index, as its numbers.
struct Index {
  std::string magic{"MMIDIDX\0\0", 9};
  std::uint64_t version = 1;
  std::uint8_t type = 8;
  std::vector<std::int32_t> lengths{};
  std::vector<std::int64_t> pointers{}, marks{};
  std::string bytes() const {
    std::string out = magic;
    append(out, version);
    append(out, type);
    append(out, static_cast<std::uint64_t>(lengths.size()));
    append(out, static_cast<std::uint64_t>(marks.size()));
    for (const auto length : lengths) append(out, length);
    for (const auto pointer : pointers) append(out, pointer);
    for (const auto mark : marks) append(out, mark);
    return out;
  }
};

Index three_sequences() { return {.lengths = {2, 1, 1}, .pointers = {0, 4, 6}, .marks = {0, 2, 3}}; }
const std::string kBin("\1\0\2\0\3\0\4\0", 8);

TEST_F(TokensNode, JoinsTheSequencesOfADocument) {
  const auto rows = read({{"a.bin", kBin}, {"a.idx", three_sequences().bytes()}});
  EXPECT_THAT(rows, ElementsAre(TokenRow{"tokens/a.bin#0", "", 0, {1, 2, 3}}, TokenRow{"tokens/a.bin#1", "", 0, {4}}));
  // Modes of a multimodal dataset stand behind the marks and are passed over.
  EXPECT_EQ(read({{"a.bin", kBin}, {"a.idx", three_sequences().bytes() + std::string(3, '\1')}}), rows);
}

TEST_F(TokensNode, TakesAnIndexWithoutDocuments) {
  EXPECT_THAT(read({{"a.bin", ""}, {"a.idx", Index{.marks = {0}}.bytes()}}), IsEmpty());
  EXPECT_THAT(errors(), IsEmpty());
}

TEST_F(TokensNode, SaysWhatIsWrongWithAnIndex) {
  const auto message = [&](const Index& index, const std::string& bin = kBin) {
    read({{"a.bin", bin}, {"a.idx", index.bytes()}});
    EXPECT_EQ(errors().size(), 1u);
    EXPECT_EQ(errors().at(0).code, "damaged_tokens");
    EXPECT_EQ(errors().at(0).file, "tokens/a.bin");
    return errors().at(0).message;
  };
  Index index = three_sequences();
  index.magic[0] = 'X';
  EXPECT_EQ(message(index), "the index does not begin with \"MMIDIDX\", expected an index of Megatron-LM's IndexedDataset");
  index = three_sequences();
  index.version = 2;
  EXPECT_EQ(message(index), "the index has version 2, expected 1");
  index = three_sequences();
  index.type = 7;
  EXPECT_EQ(message(index), "the index names tokens of type 7, expected 1 to 5 or 8, the integers");
  index = three_sequences();
  index.pointers.pop_back();
  EXPECT_EQ(message(index), "the index has 86 bytes, expected 34 + 12 * 3 sequences + 8 * 3 marks of documents");
  index = three_sequences();
  index.marks = {0, 4, 3};
  EXPECT_EQ(message(index), "document 0 of the index ends before sequence 4, expected 0 to 3");
  index.marks = {0, 2, 2};
  EXPECT_EQ(message(index), "document 1 of the index ends before sequence 2, expected 3");
  index.marks = {1, 2, 3};
  EXPECT_EQ(message(index), "the first document of the index begins at sequence 1, expected 0");
  index.marks = {};
  EXPECT_EQ(message(index), "the index has no marks of documents, expected at least 1");
  index = three_sequences();
  index.lengths[2] = 2;
  EXPECT_EQ(message(index), "sequence 2 of the index has 2 tokens of 2 bytes at byte 6, expected a part of the .bin file's 8 bytes");
  index.lengths[2] = -1;
  EXPECT_THAT(message(index), HasSubstr("has -1 tokens"));
  index = three_sequences();
  index.pointers[0] = -2;
  EXPECT_THAT(message(index), HasSubstr("at byte -2"));
  index = {.lengths = {1}, .pointers = {0}, .marks = {0}};
  EXPECT_EQ(message(index), "the index has 1 sequences in no document");
}

TEST_F(TokensNode, RefusesTokensThatAreNoIds) {
  Index index{.type = 4, .lengths = {1, 1}, .pointers = {0, 4}, .marks = {0, 1, 2}};
  std::string bin;
  append(bin, std::int32_t{-1});
  append(bin, std::int32_t{5});
  EXPECT_THAT(read({{"a.bin", bin}, {"a.idx", index.bytes()}}), ElementsAre(TokenRow{"tokens/a.bin#1", "", 0, {5}}));
  ASSERT_EQ(errors().size(), 1u);
  EXPECT_EQ(errors()[0].code, "bad_token");
  EXPECT_EQ(errors()[0].record, 0);
  EXPECT_EQ(errors()[0].documents, 1);
}

// ------------------------------------------------------------------------------------------------------------------------ raw, JSONL

std::string raw_index(const std::string& lengths, int documents, int tokens, const std::string& dtype = "uint16") {
  return R"({"format":"raw_tokens","version":1,"file":"a.bin","dtype":")" + dtype + R"(","endoftext_id":null,"documents":)" + std::to_string(documents) + R"(,"tokens":)" + std::to_string(tokens) +
         R"(,"lengths":)" + lengths + "}\n";
}

TEST_F(TokensNode, ReadsRawTokens) {
  EXPECT_THAT(read({{"a.bin", kBin}, {"a.json", raw_index("[3,0,1]", 3, 4)}}),
              ElementsAre(TokenRow{"tokens/a.bin#0", "", 0, {1, 2, 3}}, TokenRow{"tokens/a.bin#1", "", 0, {}}, TokenRow{"tokens/a.bin#2", "", 0, {4}}));
  EXPECT_THAT(read({{"a.bin", "\xff\xff\xff\xff"}, {"a.json", raw_index("[1]", 1, 1, "uint32")}}), ElementsAre(TokenRow{"tokens/a.bin#0", "", 0, {4294967295u}}));
}

TEST_F(TokensNode, SaysWhatIsWrongWithRawTokens) {
  const auto message = [&](const std::string& index, const std::string& bin = kBin) {
    read({{"a.bin", bin}, {"a.json", index}});
    return errors().at(0).message;
  };
  EXPECT_EQ(message(raw_index("[4]", 1, 4), kBin.substr(1)), "the .bin file has 7 bytes, expected 4 tokens of 2");
  EXPECT_EQ(message(raw_index("[4]", 2, 4)), "the index has 1 lengths, expected 2 ('documents')");
  EXPECT_EQ(message(raw_index("[3]", 1, 4)), "the index has lengths of together 3 tokens, expected 4");
  EXPECT_EQ(message(raw_index("[3,2]", 2, 4)), "the index gives document 1 2 tokens, expected at most the 1 that are left");
  EXPECT_EQ(message(raw_index("[-1,5]", 2, 4)), "the index gives document 0 -1 tokens, expected at most the 4 that are left");
  EXPECT_EQ(message(raw_index("[4]", 1, 4, "float16")), "the index has dtype 'float16', expected 'uint16' or 'uint32'");
  EXPECT_EQ(message("{}"), "the index has format '' and version 0, expected 'raw_tokens' and 1");
  EXPECT_THAT(message("[1]"), StartsWith("the index is not the JSON that writers/token_shards writes: "));
  EXPECT_THAT(message(raw_index("[4", 1, 4)), StartsWith("the index is not the JSON that writers/token_shards writes: "));
}

TEST_F(TokensNode, ReadsJsonLines) {
  const std::string text = R"({"input_ids":[1,2,4294967295],"id":"x","domain":"web","bytes":12,"labels":"unread"}
{"other":{"input_ids":[9]},"input_ids":[]}

{"id":7,"domain":null,"input_ids":[5]}
)";
  const std::vector<TokenRow> expected = {{"x", "web", 12, {1, 2, 4294967295u}}, {"tokens/a.jsonl#1", "none", 0, {}}, {"7", "none", 0, {5}}};
  EXPECT_EQ(read({{"a.jsonl", text}}, {{"domain", "none"}}), expected);
  const std::vector<std::pair<std::string, std::string>> compressed = {{".gz", gzip(text)}, {".zst", zstd(text)}, {".xz", xz(text)}, {".bz2", bzip2(text)}, {".lz4", lz4(text)}};
  for (const auto& [suffix, bytes] : compressed) {
    std::vector<TokenRow> renamed = expected;
    renamed[1].id = "tokens/a.jsonl" + suffix + "#1";
    EXPECT_EQ(read({{"a.jsonl" + suffix, bytes}}, {{"domain", "none"}}), renamed) << suffix;
    read({{"a.jsonl" + suffix, bytes.substr(0, bytes.size() - 1)}}, {{"domain", "none"}});
    ASSERT_EQ(errors().size(), 1u) << suffix;
    EXPECT_EQ(errors()[0].code, "damaged_tokens") << suffix;
  }
}

TEST_F(TokensNode, KeepsLabelsWhereTheyAreAskedFor) {
  const auto rows = read({{"a.jsonl", "{\"input_ids\":[1,2],\"labels\":[-100,2]}\n{\"input_ids\":[3],\"labels\":[]}\n{\"input_ids\":[3]}\n{\"input_ids\":[3,0],\"labels\":[3,-100]}\n"}},
                         {{"labels", true}, {"endoftext_id", 0}});
  ASSERT_EQ(rows.size(), 2u);
  ASSERT_EQ(batches_.size(), 1u);
  const int column = batches_[0].schema.find("labels");
  ASSERT_GE(column, 0);
  const ArrowArray& labels = *batches_[0].array.get().children[column];
  const auto* offsets = static_cast<const std::int32_t*>(labels.buffers[1]);
  const auto* values = static_cast<const std::int64_t*>(labels.children[0]->buffers[1]);
  EXPECT_THAT(std::vector<std::int32_t>(offsets, offsets + 3), ElementsAre(0, 2, 3));
  EXPECT_THAT(std::vector<std::int64_t>(values, values + 3), ElementsAre(-100, 2, 3)) << "the end of a document takes its label along";
  ASSERT_EQ(errors().size(), 2u);
  EXPECT_EQ(errors()[0].message, "0 labels, expected one for each of 1 tokens");
  EXPECT_EQ(errors()[1].code, "missing_labels");
}

TEST_F(TokensNode, RefusesLinesThatAreNoTokens) {
  const std::vector<std::pair<const char*, const char*>> lines = {
      {"{", "bad_json"},
      {"[1]", "bad_json"},
      {"{\"id\":1}", "missing_input_ids"},
      {"{\"input_ids\":5}", "bad_token"},
      {"{\"input_ids\":[-1]}", "bad_token"},
      {"{\"input_ids\":[4294967296]}", "bad_token"},
      {"{\"input_ids\":[99999999999999999999999]}", "bad_token"},
      {"{\"input_ids\":[1.5]}", "bad_token"},
      {"{\"input_ids\":[\"1\"]}", "bad_token"},
      {"{\"input_ids\":[1,]}", "bad_token"},
      {"{\"input_ids\":[1],\"id\":[]}", "bad_id"},
      {"{\"input_ids\":[1],\"domain\":3}", "bad_domain"},
      {"{\"input_ids\":[1],\"bytes\":-1}", "bad_bytes"},
      {"{\"input_ids\":[1]} x", "bad_json"},
      {"{\"input_ids\":[1],\"id\":\"\\ud800\"}", "bad_utf8"},
      {"{\"input_ids\":[1],\"id\":\"\xff\"}", "bad_utf8"},
  };
  std::string text;
  for (const auto& [line, code] : lines) text += std::string(line) + "\n";
  const auto rows = read({{"a.jsonl", text + "{\"input_ids\":[1]}"}});
  ASSERT_EQ(errors().size(), lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(errors()[i].code, lines[i].second) << lines[i].first << ": " << errors()[i].message;
  EXPECT_THAT(rows, ElementsAre(TokenRow{"tokens/a.jsonl#" + std::to_string(lines.size()), "", 0, {1}}));
}

TEST_F(TokensNode, ReportsADamagedArchiveAndGoesOn) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "{\"input_ids\":[" + std::to_string(i * 7919 % 10007) + "]}\n";
  const std::string gz = gzip(text);
  const auto rows = read({{"a.jsonl.gz", gz.substr(0, gz.size() / 2)}, {"b.jsonl", "{\"input_ids\":[77]}"}});
  ASSERT_EQ(errors().size(), 1u);
  EXPECT_EQ(errors()[0].code, "damaged_tokens");
  EXPECT_GT(rows.size(), 5000u);
  EXPECT_THAT(rows.back().input_ids, ElementsAre(77));
}

TEST_F(TokensNode, RefusesALineOverTheLimit) {
  const auto rows = read({{"a.jsonl", "{\"input_ids\":[1]}\n{\"input_ids\":[" + std::string(100'000, ' ') + "2]}\n{\"input_ids\":[3]}\n"}}, {{"max_record_bytes", 20}});
  EXPECT_EQ(rows.size(), 2u);
  EXPECT_EQ(errors().at(0).message, "a line of more than 20 bytes ('max_record_bytes')");
}

// ------------------------------------------------------------------------------------------------------------------------- the node

TEST_F(TokensNode, LeavesOutTheEndOfDocumentsAndPassesItOn) {
  const std::string text = "{\"input_ids\":[1,9]}\n{\"input_ids\":[9]}\n{\"input_ids\":[9,1]}\n{\"input_ids\":[]}\n";
  const auto rows = read({{"a.jsonl", text}}, {{"endoftext_id", 9}});
  std::vector<std::vector<std::uint32_t>> ids;
  for (const auto& row : rows) ids.push_back(row.input_ids);
  EXPECT_THAT(ids, ElementsAre(std::vector<std::uint32_t>{1}, IsEmpty(), std::vector<std::uint32_t>{9, 1}, IsEmpty()));
  const int column = batches_[0].schema.find("endoftext_id");
  ASSERT_GE(column, 0);
  EXPECT_EQ(column_values<std::uint32_t>(batches_[0].array.get(), *batches_[0].array.get().children[column])[3], 9u);
  read({{"a.jsonl", text}}, {{"endoftext_id", 0}});
  EXPECT_EQ(batches_[0].schema.find("endoftext_id"), -1) << "0 is what joins documents anyway";
}

TEST_F(TokensNode, EndsBatchesAtTheirLimits) {
  OpenOptions options;
  options.batch_bytes = 40;  // ten tokens
  std::string text;
  for (const int size : {4, 4, 4, 30, 1, 12, 1}) {
    text += "{\"input_ids\":[1";
    for (int i = 1; i < size; ++i) text += ",1";
    text += "]}\n";
  }
  read({{"a.jsonl", text}}, {}, options);
  std::vector<std::int64_t> sizes;
  for (const auto& batch : batches_) sizes.push_back(batch.size());
  EXPECT_THAT(sizes, ElementsAre(3, 1, 1, 1, 1));
}

TEST_F(TokensNode, NeedsBothFilesOfAPair) {
  const auto message = [&](const std::vector<std::string>& names) {
    std::vector<std::pair<std::string, std::string>> files;
    for (const auto& name : names) files.emplace_back(name, "");
    return message_of([&] { read(files); });
  };
  EXPECT_EQ(message({"a.bin"}), "tokens/a.bin has no index among 'paths', expected its .idx or .json as well, as in \"shards/*\"");
  EXPECT_EQ(message({"a.idx"}), "tokens/a.idx is an index without its .bin file among 'paths', expected both, as in \"shards/*\"");
  EXPECT_EQ(message({"a.bin", "a.idx", "a.json"}), "tokens/a.bin has two indices, .idx and .json, expected one");
  EXPECT_EQ(message({"a.npy"}), "tokens/a.npy has a name that says no format, expected .bin with .idx or .json, .safetensors, or .jsonl, maybe with .gz, .zst, .xz, .bz2 or .lz4");
  EXPECT_EQ(message_of([&] { read({{"a.bin", ""}, {"a.json", ""}}, {{"labels", true}}); }), "'labels' is set, but tokens/a.bin is no file of JSON Lines, which alone has a key of that name");
}

/// Any damage ends in rows or errors.
TEST_F(TokensNode, SurvivesSeededMutations) {
  const std::string lines = "{\"input_ids\":[1,2,3],\"labels\":[1,-100,3],\"id\":\"x\"}\n{\"input_ids\":[70000],\"labels\":[4],\"domain\":\"w\",\"bytes\":3}\n";
  std::mt19937 random(23);
  int with_errors = 0;
  for (int i = 0; i < 1500; ++i) {
    std::vector<std::pair<std::string, std::string>> files;
    if (i % 3 == 0) files = {{"a.idx", read_file(kTestdata + "int32.idx")}, {"a.bin", read_file(kTestdata + "int32.bin")}};
    if (i % 3 == 1) files = {{"a.json", raw_index("[3,0,1]", 3, 4)}, {"a.bin", kBin}};
    if (i % 3 == 2) files = {{"a.jsonl", lines}};
    for (unsigned n = 1 + static_cast<unsigned>(random()) % 3; n > 0; --n) {
      std::string& bytes = files[random() % 4 == 0 ? files.size() - 1 : 0].second;
      if (bytes.empty()) continue;
      const std::size_t at = random() % bytes.size();
      switch (random() % 4) {
        case 0: bytes.resize(at); break;
        case 1: bytes.insert(at, 1 + random() % 9, static_cast<char>(random())); break;
        default: bytes[at] = static_cast<char>(random());
      }
    }
    read(files, {{"labels", i % 3 == 2}});
    with_errors += errors().empty() ? 0 : 1;
    ASSERT_THAT(close(), IsEmpty()) << i;
  }
  EXPECT_GT(with_errors, 750) << "the mutations no longer reach what matters";
}

}  // namespace
}  // namespace flowrun::readers
