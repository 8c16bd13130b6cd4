#include "jsonl.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "json_string.hpp"
#include "readers/common/compress_for_test.hpp"

namespace flowrun::readers {
namespace {

using flowrun::testing::Document;
using flowrun::testing::OpenOptions;
using flowrun::testing::Parameters;
using flowrun::testing::Paths;
using flowrun::testing::Runner;
using flowrun::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// ------------------------------------------------------------------------------------------------------------------ the parser alone

struct Parsed {
  std::string code, message, text, id = "none", domain = "none";
};

Parsed parse(std::string line, JsonlKeys keys = {"text", "id", "domain"}) {
  const std::size_t size = line.size();
  line.append(64, '#');  // what follows in the window must not matter
  JsonlParser parser(std::move(keys));
  JsonlRecord record;
  Parsed out;
  if (const auto fault = parser.parse(std::string_view(line).substr(0, size), line.size(), record)) {
    out.code = fault->code;
    out.message = fault->message;
    return out;
  }
  out.text = record.text;
  if (record.id) out.id = *record.id;
  if (record.domain) out.domain = *record.domain;
  return out;
}

TEST(JsonlParser, TakesTextIdAndDomain) {
  const Parsed parsed = parse(R"( {"id":"x","text":"a\n\u00e9\ud83d\ude00\u0000b","n":{"text":[1,{"a":"}"}]},"domain":"web"} )");
  EXPECT_EQ(parsed.code, "");
  EXPECT_EQ(parsed.text, std::string("a\né😀\0b", 10));
  EXPECT_EQ(parsed.id, "x");
  EXPECT_EQ(parsed.domain, "web");
}

TEST(JsonlParser, TakesIntegersAsIdsHoweverLong) {
  EXPECT_EQ(parse(R"({"text":"","id": -12 })").id, "-12");
  EXPECT_EQ(parse(R"({"text":"","id":123456789012345678901234567890})").id, "123456789012345678901234567890");
  EXPECT_EQ(parse(R"({"id":7,"text":""})").id, "7");
  EXPECT_EQ(parse(R"({"text":"","id":null,"domain":null})").id, "none");
  EXPECT_EQ(parse(R"({"text":"","id":1.5})").message, "key 'id' is a number, expected a string or an integer");
  EXPECT_EQ(parse(R"({"text":"","id":[1]})").code, "bad_id");
  EXPECT_EQ(parse(R"({"text":"","domain":3})").code, "bad_domain");
}

TEST(JsonlParser, IgnoresWhatItDoesNotNeed) {
  EXPECT_EQ(parse(R"({"n":1e400,"big":99999999999999999999999,"text":"ok"})").text, "ok");
  EXPECT_EQ(parse(R"({"te\u0078t":"escaped key"})").text, "escaped key");
  EXPECT_EQ(parse(R"({"text":"first","text":"last"})").text, "last");
}

TEST(JsonlParser, NamesAMissingText) {
  EXPECT_EQ(parse(R"({"id":"x"})").code, "missing_text");
  EXPECT_EQ(parse(R"({})").message, "the record has no key 'text'");
  EXPECT_EQ(parse(R"({"text":null})").message, "key 'text' is null, expected a string");
  EXPECT_EQ(parse(R"({"body":"b"})", {"body", "", ""}).text, "b");
}

TEST(JsonlParser, RefusesWhatIsNotJson) {
  for (const char* line : {R"({"text":"a")", R"({"text":"a"}})", R"({"text":"a"} x)", R"({"text" "a"})", R"({"text":"a",})", R"({"text":"a\x"})", R"({"text":"a\u12g4"})",
                           R"({text:"a"})", R"(["text"])", R"("text")", R"(12)", R"({"text":"a"},)", R"({'text':'a'})", "{\"text\":\"a\tb\"}", "x", R"({"a":[1,{"text":"a"})",
                           R"({"text":"a)"})
    EXPECT_EQ(parse(line).code, "bad_json") << line;
  EXPECT_EQ(parse("[1]").message, "the record is an array, expected an object");
}

TEST(JsonlParser, NeverRepairsUtf8) {
  EXPECT_EQ(parse("{\"text\":\"a\xFFz\"}").message, "invalid UTF-8 at byte 10 of the record");
  EXPECT_EQ(parse("{\"other\":\"\xC3\",\"text\":\"a\"}").code, "bad_utf8");
  EXPECT_EQ(parse("{\"text\":\"\xED\xA0\x80\"}").code, "bad_utf8");
  for (const char* escape : {R"(\ud800)", R"(\udc00)", R"(a\uD83Dz)", R"(\ud83d\n)", R"(\ud83dA)", R"(\ud83d\ud83d)", R"(\ude00\ud83d)"})
    EXPECT_EQ(parse(std::string("{\"text\":\"") + escape + "\"}").code, "bad_utf8") << escape;
  EXPECT_EQ(parse(R"({"text":"a","id":"\udc00"})").code, "bad_utf8");
}

TEST(Unescape, DecodesWhatJsonKnows) {
  std::string buffer;
  std::string_view out;
  const std::string_view plain = "no escape";
  EXPECT_EQ(unescape(plain, buffer, out), Unescaped::kOk);
  EXPECT_EQ(out.data(), plain.data()) << "text without escapes is not copied";
  EXPECT_EQ(unescape(R"(\"\/\b\f\n\r\t\\u0041\u00e9\u20AC\ud83d\ude00\uDBFF\uDFFF)", buffer, out), Unescaped::kOk);
  EXPECT_EQ(out, "\"/\b\f\n\r\t\\u0041é€😀\xF4\x8F\xBF\xBF");
  for (const char* bad : {R"(\)", R"(\x)", R"(\u12)", R"(\u12g4)", R"(\u-123)", R"(\ud8)"}) EXPECT_EQ(unescape(bad, buffer, out), Unescaped::kBadEscape) << bad;
  for (const char* lone : {R"(\ud800)", R"(\\\ud83d)", R"(\udc00)", R"(\ud83d\\ude00)"}) EXPECT_EQ(unescape(lone, buffer, out), Unescaped::kLoneSurrogate) << lone;
}

// ------------------------------------------------------------------------------------------------------------------------- the node

class JsonlNode : public ::testing::Test {
 protected:
  std::vector<Document> read(Parameters parameters, OpenOptions options = {}) {
    node_ = std::make_unique<Runner>(flowrun_plugin_v1, parameters);
    node_->open({}, options);
    return node_->read_documents();
  }
  Paths paths(std::vector<std::pair<std::string, std::string>> files) {
    Paths out({});
    for (const auto& [name, bytes] : files) out.files.push_back({folder_.write(name, bytes), "data/" + name});
    return out;
  }
  const auto& errors() const { return node_->record_errors(); }

  TemporaryFolder folder_;
  std::unique_ptr<Runner> node_;
};

TEST_F(JsonlNode, ReadsFilesInOrderAndNumbersRecords) {
  const auto rows = read({{"paths", paths({{"a.jsonl", "{\"text\":\"1\"}\n\n  \r\n{\"text\":\"2\"}\r\n"}, {"b.jsonl", "{\"text\":\"3\",\"id\":\"own\",\"domain\":\"books\"}"}})},
                          {"domain", "web"},
                          {"id_field", "id"},
                          {"domain_field", "domain"}});
  EXPECT_THAT(rows, ElementsAre(Document{"data/a.jsonl#0", "1", "web", "data/a.jsonl"}, Document{"data/a.jsonl#1", "2", "web", "data/a.jsonl"},
                                Document{"own", "3", "books", "data/b.jsonl"}));
  EXPECT_THAT(errors(), IsEmpty());
  EXPECT_THAT(node_->close(), IsEmpty());
}

TEST_F(JsonlNode, TakesEmptyFilesAndAByteOrderMark) {
  const auto rows = read({{"paths", paths({{"a.jsonl", ""}, {"b.jsonl.gz", ""}, {"c.jsonl", "\n\n"}, {"d.jsonl", "\xEF\xBB\xBF{\"text\":\"x\"}"}})}});
  EXPECT_THAT(rows, ElementsAre(Document{"data/d.jsonl#0", "x", "", "data/d.jsonl"}));
  EXPECT_THAT(errors(), IsEmpty());
}

TEST_F(JsonlNode, GoesOnAfterABadLine) {
  const std::string bad = "not json", text = "{\"text\":\"1\"}\n" + bad + "\n{\"text\":\"\\ud800\"}\n{\"body\":\"\"}\n{\"text\":\"2\"}\n";
  const auto rows = read({{"paths", paths({{"a.jsonl", text}})}});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].id, "data/a.jsonl#4") << "refused records keep their number";
  ASSERT_EQ(errors().size(), 3u);
  EXPECT_EQ(errors()[0].code, "bad_json");
  EXPECT_EQ(errors()[0].status, Code::kCorruptData);
  EXPECT_EQ(errors()[0].file, "data/a.jsonl");
  EXPECT_EQ(errors()[0].record, 1);
  EXPECT_EQ(errors()[0].offset, 13);
  EXPECT_EQ(errors()[0].documents, 1);
  EXPECT_EQ(errors()[0].file_bytes, 0);
  EXPECT_EQ(errors()[1].code, "bad_utf8");
  EXPECT_EQ(errors()[1].offset, 22);
  EXPECT_EQ(errors()[2].code, "missing_text");
  EXPECT_EQ(errors()[2].record, 3);
}

TEST_F(JsonlNode, SaysWhereInACompressedFileARecordIs) {
  read({{"paths", paths({{"a.jsonl.gz", gzip("{\"text\":\"1\"}\nbad\n")}})}});
  ASSERT_EQ(errors().size(), 1u);
  EXPECT_EQ(errors()[0].offset, -1);
  EXPECT_THAT(errors()[0].message, HasSubstr("at byte 13 of the decompressed text"));
}

TEST_F(JsonlNode, GivesTheRecordsBeforeADamage) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "{\"text\":\"record " + std::to_string(i * 7919 % 10007) + "\"}\n";
  const std::string gz = gzip(text), zst = zstd(text);
  const auto rows = read({{"paths", paths({{"a.jsonl.gz", gz.substr(0, gz.size() / 2)}, {"b.jsonl.zst", zst.substr(0, zst.size() / 2)}, {"c.jsonl", "{\"text\":\"last\"}"}})}});
  ASSERT_EQ(errors().size(), 2u) << "the record that the cut goes through is no error of its own";
  EXPECT_THAT(errors(), ElementsAre(AllOf(Field(&flowrun::testing::RecordError::code, "damaged_gzip"), Field(&flowrun::testing::RecordError::file, "data/a.jsonl.gz")),
                                    Field(&flowrun::testing::RecordError::code, "damaged_zstd")));
  for (const auto& error : errors()) {
    EXPECT_EQ(error.documents, 0);
    EXPECT_EQ(error.record, -1);
    EXPECT_GT(error.offset, 0);
  }
  EXPECT_GT(rows.size(), 5000u);
  EXPECT_EQ(rows.back().text, "last");
  for (std::size_t i = 0; i + 1 < rows.size() && rows[i].source == "data/a.jsonl.gz"; ++i) ASSERT_EQ(rows[i].text, "record " + std::to_string(i * 7919 % 10007));
}

TEST_F(JsonlNode, ReadsALineOfFiftyMegabytes) {
  const std::string large(50'000'000, 'x');
  const auto rows = read({{"paths", paths({{"a.jsonl.zst", zstd("{\"text\":\"1\"}\n{\"text\":\"" + large + "\"}\n{\"text\":\"3\"}\n")}})}});
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_TRUE(rows[1].text == large);
  EXPECT_EQ(rows[2].text, "3");
}

TEST_F(JsonlNode, RefusesALineOverTheLimit) {
  const std::string good = R"({"text":"123"})";
  const auto rows = read({{"paths", paths({{"a.jsonl", good + "\n" + std::string(2'000'000, 'x') + "\n" + good + "\n" + std::string(21, 'y')}})}, {"max_record_bytes", 20}});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].id, "data/a.jsonl#2");
  ASSERT_EQ(errors().size(), 2u);
  EXPECT_EQ(errors()[0].code, "record_too_large");
  EXPECT_EQ(errors()[0].record, 1);
  EXPECT_EQ(errors()[0].offset, 15);
  EXPECT_EQ(errors()[0].message, "a line of more than 20 bytes ('max_record_bytes')");
  EXPECT_EQ(errors()[1].record, 3);
}

TEST_F(JsonlNode, EndsBatchesAtTheirLimits) {
  std::string text;
  for (const int size : {10, 10, 10, 100, 10, 35, 1, 1}) text += "{\"text\":\"" + std::string(static_cast<std::size_t>(size), 'x') + "\"}\n";
  node_ = std::make_unique<Runner>(flowrun_plugin_v1, Parameters{{"paths", paths({{"a.jsonl", text}})}});
  OpenOptions options;
  options.batch_bytes = 40;
  node_->open({}, options);
  std::vector<std::int64_t> sizes;
  for (const auto& batch : node_->read_all()) sizes.push_back(batch.size());
  // 10 + 10 + 10 | 100 alone | 10 + 35 takes it to the limit | the rest
  EXPECT_THAT(sizes, ElementsAre(3, 1, 2, 2));
}

TEST_F(JsonlNode, CutsUnitsBySizeAlone) {
  node_ = std::make_unique<Runner>(flowrun_plugin_v1, Parameters{{"paths", paths({{"a", "{}"}, {"b", std::string(5 << 20, '\n')}, {"c", ""}, {"d", ""}})}});
  node_->open();
  EXPECT_EQ(node_->unit_count(), 3);
}

TEST_F(JsonlNode, RefusesEqualKeys) {
  try {
    read({{"paths", paths({{"a", ""}})}, {"id_field", "text"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_STREQ(error.what(), "'id_field' and 'text_field' are both 'text', expected different keys");
  }
}

TEST_F(JsonlNode, StopsWhenTheRunStops) {
  node_ = std::make_unique<Runner>(flowrun_plugin_v1, Parameters{{"paths", paths({{"a", "bad\n{\"text\":\"\"}"}})}});
  node_->open();
  node_->stop_on_record_error();
  EXPECT_THROW(node_->read_all(), Error);
  EXPECT_EQ(errors().size(), 1u);
  EXPECT_THAT(node_->close(), IsEmpty());
}

}  // namespace
}  // namespace flowrun::readers
