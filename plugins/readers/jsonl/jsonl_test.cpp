#include "jsonl.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <variant>
#include <vector>

#include "json_paths.hpp"
#include "json_string.hpp"
#include "readers/common/compress_for_test.hpp"
#include "readers/common/reader_test.hpp"

namespace flowrun::readers {
namespace {

using flowrun::testing::Document;
using flowrun::testing::OpenOptions;
using flowrun::testing::Parameters;
using flowrun::testing::Paths;
using flowrun::testing::Runner;
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
  EXPECT_EQ(parse("not json").message, "the record is no JSON, expected an object");
  EXPECT_EQ(parse("null").message, "the record is null, expected an object");
  EXPECT_EQ(parse("{\"text\":\"a\xFFz\"}").message, "invalid UTF-8 at byte 10 of the record: 0xFF; a file of another encoding must be converted, as by iconv -f LATIN1 -t UTF-8");
  EXPECT_EQ(parse("{\"other\":\"\xC3\",\"text\":\"a\"}").code, "bad_utf8");
  EXPECT_EQ(parse("{\"text\":\"\xED\xA0\x80\"}").code, "bad_utf8");
  for (const char* escape : {R"(\ud800)", R"(\udc00)", R"(a\uD83Dz)", R"(\ud83d\n)", R"(\ud83dA)", R"(\ud83d\ud83d)", R"(\ude00\ud83d)"})
    EXPECT_EQ(parse(std::string("{\"text\":\"") + escape + "\"}").code, "bad_utf8") << escape;
  EXPECT_EQ(parse(R"({"text":"a","id":"\udc00"})").code, "bad_utf8");
}

TEST(ReadPath, TakesKeysAndLists) {
  EXPECT_THAT(read_path("text"), ElementsAre(PathStep{"text", false}));
  EXPECT_THAT(read_path("pdf_parse.body_text[].text"), ElementsAre(PathStep{"pdf_parse", false}, PathStep{"body_text", true}, PathStep{"text", false}));
  EXPECT_THAT(read_path("a[].b[]"), ElementsAre(PathStep{"a", true}, PathStep{"b", true}));
  EXPECT_THAT(read_path(R"(a\.b\[].c\\)"), ElementsAre(PathStep{"a.b[]", false}, PathStep{"c\\", false}));
  for (const char* bad : {"", ".", "a.", ".a", "a..b", "[]", "a[", "a[0]", "a[]b", "a[][]", "a\\"}) EXPECT_THROW(read_path(bad), Error) << bad;
}

JsonlKeys paper() {
  JsonlKeys keys{"", "paper_id", ""};
  keys.texts = {"title", "abstract[].text", "pdf_parse.body_text[].text"};
  keys.section = "section";
  return keys;
}

TEST(JsonlParser, ReadsPaths) {
  EXPECT_EQ(parse(R"({"body":{"x":[{"text":"no"}],"text":"yes"},"text":"no"})", {"body.text", "", ""}).text, "yes");
  EXPECT_EQ(parse(R"({"a":{"id":7,"d":"web"},"text":"t"})", {"text", "a.id", "a.d"}).id, "7");
  EXPECT_EQ(parse(R"({"a.b":"dotted"})", {R"(a\.b)", "", ""}).text, "dotted");
  EXPECT_EQ(parse(R"({"body":{"text":"first"},"body":{"text":"last"}})", {"body.text", "", ""}).text, "last");
  EXPECT_EQ(parse(R"({"body":{"text":"first"},"body":{}})", {"body.text", "", ""}).message, "the record has no key 'body.text'");
  EXPECT_EQ(parse(R"({"body":null})", {"body.text", "", ""}).message, "the record has no key 'body.text'");
  EXPECT_EQ(parse(R"({"body":"text"})", {"body.text", "", ""}).message, "key 'body' is a string, expected an object");
  EXPECT_EQ(parse(R"({"a":[],"text":""})", {"text", "a.id", ""}).code, "bad_id");
}

TEST(JsonlParser, JoinsTextsInTheOrderOfTheirPaths) {
  const Parsed parsed = parse(R"({"pdf_parse":{"body_text":[{"text":"one","section":"Intro"},{"section":"Intro","text":"tw\no"},{"text":""},{"text":"three","section":"End"},{"text":"four","section":null},)"
                              R"({"text":"five","section":"End"}],"back_matter":[{"text":"no"}]},"abstract":[{"text":"about","section":"Abstract"}],"paper_id":"p1","title":"T"})",
                              paper());
  EXPECT_EQ(parsed.code, "");
  EXPECT_EQ(parsed.id, "p1");
  EXPECT_EQ(parsed.text, "T\n\nAbstract\n\nabout\n\nIntro\n\none\n\ntw\no\n\nEnd\n\nthree\n\nfour\n\nEnd\n\nfive");
  JsonlKeys lists{"", "", ""};
  lists.texts = {"a[]", "b[].c[].d"};
  lists.separator = "|";
  EXPECT_EQ(parse(R"({"b":[{"c":[{"d":"3"},{}]},{"c":null},{"c":[{"d":"4","d":"5"}]}],"a":["1",null,"2"]})", lists).text, "1|2|3|5");
  EXPECT_EQ(parse(R"({"a":["0"],"b":[{"c":[{"d":"x"}],"c":[{"d":"y"}]}],"a":["1"]})", lists).text, "1|y") << "a list that stands twice counts with its last value, too";
}

TEST(JsonlParser, LeavesOutTextsThatAreMissing) {
  EXPECT_EQ(parse(R"({"title":null,"abstract":[],"pdf_parse":{"body_text":[{"text":"only"}]}})", paper()).text, "only");
  EXPECT_EQ(parse(R"({"title":"","pdf_parse":null})", paper()).text, "") << "there is a text, and it is empty";
  EXPECT_EQ(parse(R"({"title":null,"abstract":[{"section":"A"}]})", paper()).message, "the record has no text at 'title', 'abstract[].text', 'pdf_parse.body_text[].text'");
  EXPECT_EQ(parse(R"({"title":7})", paper()).message, "key 'title' is a number, expected a string");
  EXPECT_EQ(parse(R"({"abstract":{"text":"x"}})", paper()).message, "key 'abstract[]' is an object, expected a list");
  EXPECT_EQ(parse(R"({"abstract":["x"]})", paper()).message, "key 'abstract[]' is a string, expected an object");
  EXPECT_EQ(parse(R"({"abstract":[{"text":"x","section":1}]})", paper()).message, "key 'abstract[].section' is a number, expected a string");
  EXPECT_EQ(parse(R"({"abstract":[{"text":"\ud800"}]})", paper()).code, "bad_utf8");
  for (const char* line : {R"({"abstract":[{"text":"x"})", R"({"abstract":[{"text":"x"}})", R"({"abstract":[{"text":"x"},]})", R"({"abstract":[{"text" "x"}]})", R"({"title":"a"} {)"})
    EXPECT_EQ(parse(line, paper()).code, "bad_json") << line;
}

TEST(JsonlParser, ReadsColumns) {
  JsonlKeys keys{"text", "", ""};
  keys.columns = {{"s", "m.s", ColumnType::kString}, {"i", "m.i", ColumnType::kInteger}, {"n", "n", ColumnType::kNumber}};
  JsonlParser parser(keys);
  const auto read = [&](std::string line) {
    const std::size_t size = line.size();
    line.append(64, '#');
    JsonlRecord record;
    if (const auto fault = parser.parse(std::string_view(line).substr(0, size), line.size(), record)) return std::string(fault->code) + ": " + fault->message;
    std::string out;
    for (const ColumnValue& value : record.columns) {
      if (const auto* text = std::get_if<std::string_view>(&value)) out += *text;
      if (const auto* integer = std::get_if<std::int64_t>(&value)) out += std::to_string(*integer);
      if (const auto* number = std::get_if<double>(&value)) out += std::to_string(*number);
      out += '|';
    }
    return out;
  };
  EXPECT_EQ(read(R"({"n":1e2,"m":{"i":-5 ,"s":"a\tb"},"text":""})"), "a\tb|-5|100.000000|");
  EXPECT_EQ(read(R"({"text":"","m":{"s":1.50,"i":null}})"), "1.50|||") << "nothing is left of the line before";
  EXPECT_EQ(read(R"({"text":"","m":{"s":true},"n":0})"), "true||0.000000|");
  EXPECT_EQ(read(R"({"text":"","m":{"i":1.5}})"), "bad_column: key 'm.i' is 1.5, expected an integer of 64 bits");
  EXPECT_EQ(read(R"({"text":"","m":{"i":"5"}})"), "bad_column: key 'm.i' is a string, expected an integer of 64 bits");
  EXPECT_EQ(read(R"({"text":"","m":{"s":{}}})"), "bad_column: key 'm.s' is an object, expected a string, a number or a boolean");
  for (const char* number : {"01", "1.", ".5", "-", "1e", "1e999", "+1", "0x1"}) EXPECT_NE(read(std::string(R"({"text":"","n":)") + number + "}").find("bad_"), std::string::npos) << number;
}

TEST(JsonlParser, RefusesPathsThatCannotBeReadTogether) {
  const auto refusal = [](std::vector<std::string> texts, std::string id = "") {
    JsonlKeys keys{"", id, ""};
    keys.texts = std::move(texts);
    try {
      JsonlParser parser(keys);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument);
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(refusal({"a", "a.b"}), "'a.b' and 'a' cannot both be read: one lies inside the other");
  EXPECT_EQ(refusal({"a.b", "a"}), "'a' and 'a.b' cannot both be read: one lies inside the other");
  EXPECT_EQ(refusal({"a[]", "a.b"}), "'a.b' and 'a[]' cannot both be read: one lies inside the other");
  EXPECT_EQ(refusal({"a"}, "ids[]"), "path 'ids[]' leads through a list, expected one value; only texts are joined");
  EXPECT_EQ(refusal({"a..b"}), "path 'a..b' is not understood, expected keys with '.' between them, as in \"outer.inner\" or \"list[].key\"");
}

TEST(JsonlParser, NeverFailsOnMutatedPapers) {
  const std::string line = R"({"paper_id":"p","title":"t","abstract":[{"text":"a","section":"s"}],"pdf_parse":{"body_text":[{"text":"b\n"},{"section":"c","text":"d"}]},"year":2001})";
  JsonlKeys keys = paper();
  keys.columns = {{"year", "year", ColumnType::kInteger}};
  int good = 0;
  for (unsigned seed = 0; seed < 5000; ++seed) {
    std::mt19937 random(seed);
    std::string mutated = line;
    for (int change = 0; change < 2; ++change) mutated[random() % mutated.size()] = std::string_view("{}[]\",:\\u0n\0\xFF ", 14)[random() % 14];
    good += parse(mutated, keys).code.empty();
  }
  EXPECT_GT(good, 100) << "some changes hit a text";
  EXPECT_LT(good, 4000);
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

class JsonlNode : public ReaderTest {
 protected:
  JsonlNode() : ReaderTest("data/") {}
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

TEST_F(JsonlNode, WarnsOfKeysThatNoRecordHas) {
  const auto warnings = [&] {
    std::vector<std::string> lines;
    for (const auto& line : node_->logs()) {
      EXPECT_EQ(line.level, FLOWRUN_LOG_WARNING);
      lines.push_back(line.message);
    }
    return lines;
  };
  std::vector<std::pair<std::string, std::string>> files;
  for (int i = 0; i < 3; ++i) files.emplace_back(std::to_string(i) + ".jsonl", "{\"text\":\"1\",\"title\":null,\"meta\":{\"author\":\"a\"}}\nbad\n{\"text\":\"2\",\"lang\":\"en\"}\n" + std::string(i == 0 ? 3 << 20 : 0, ' '));
  read({{"paths", paths(files)}, {"id_field", "ids"}, {"domain_field", "meta.auhtor"}, {"columns", std::vector<std::string>{"titel", "title", "language = lnag", "x = lang"}}});
  EXPECT_THAT(warnings(), ElementsAre("none of 6 records has the key 'ids' that 'id_field' names, so every id is <path>#<record>",
                                      "none of 6 records has the key 'meta.auhtor' that 'domain_field' names, so every domain is that of 'domain'; did you mean 'author'?",
                                      "none of 6 records has the key 'titel' that 'columns' names, so column 'titel' is null in all of them; did you mean 'title'?",
                                      "none of 6 records has the key 'lnag' that 'columns' names, so column 'language' is null in all of them; did you mean 'lang'?"));
  read({{"paths", paths(files)}, {"columns", std::vector<std::string>{"title", "x = meta.author"}}});
  EXPECT_THAT(warnings(), IsEmpty()) << "a null is there";
  read({{"paths", paths({{"a.jsonl", "\n"}})}, {"columns", std::vector<std::string>{"title"}}});
  EXPECT_THAT(warnings(), IsEmpty()) << "no record has what no record can have";
  read({{"paths", paths({{"a.jsonl", "{\"body\":[{\"text\":\"1\"}]}\n"}})}, {"text_fields", std::vector<std::string>{"abstract[].text", "body[].text"}}});
  EXPECT_THAT(warnings(), ElementsAre("none of 1 records has the key 'abstract[]' that 'text_fields' names, so no text comes from it"));
  const auto body = paths({{"a.jsonl", "{\"abstract\":[{\"text\":\"1\"}],\"body\":[{\"text\":\"1\",\"section\":\"s\"}]}\n"}});
  read({{"paths", body}, {"text_fields", std::vector<std::string>{"abstract[].text", "body[].text"}}, {"section_field", "section"}});
  EXPECT_THAT(warnings(), IsEmpty()) << "one of the lists has headings";
  read({{"paths", body}, {"text_field", "body[].text"}, {"section_field", "sectoin"}});
  EXPECT_THAT(warnings(), ElementsAre("none of 1 records has the key 'body[].sectoin' that 'section_field' names, so no heading stands before its texts; did you mean 'section'?"));
}

TEST_F(JsonlNode, WarnsOnceWhenTheLastUnitHasBeenRead) {
  const std::string large = "{\"text\":\"" + std::string(5 << 20, 'x') + "\"}\n";
  node_ = std::make_unique<Runner>(flowrun_plugin_v1, Parameters{{"paths", paths({{"a.jsonl", large}, {"b.jsonl", large}, {"c.jsonl", large}})}, {"columns", std::vector<std::string>{"n"}}});
  node_->open();
  ASSERT_EQ(node_->unit_count(), 3);
  for (const std::int64_t unit : {2, 0}) node_->read_unit(unit);
  EXPECT_TRUE(node_->logs().empty());
  node_->read_unit(1);
  ASSERT_EQ(node_->logs().size(), 1u);
  EXPECT_THAT(node_->logs()[0].message, HasSubstr("none of 3 records has the key 'n'"));
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

TEST_F(JsonlNode, JoinsTextsAndAddsColumns) {
  node_ = std::make_unique<Runner>(flowrun_plugin_v1, Parameters{{"paths", paths({{"a.jsonl.lz4",
                                                                                          lz4("{\"title\":\"T\",\"body\":[{\"text\":\"b\",\"head\":\"H\"}],\"m\":{\"year\":2001}}\n{\"body\":[{\"text\":\"c\"}]}\n{}\n")}})},
                                                                 {"text_fields", std::vector<std::string>{"title", "body[].text"}},
                                                                 {"separator", "\n"},
                                                                 {"section_field", "head"},
                                                                 {"columns", std::vector<std::string>{"year: integer = m.year"}}});
  node_->open();
  const auto batches = node_->read_all();
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_THAT(document_rows(batches[0]), ElementsAre(Document{"data/a.jsonl.lz4#0", "T\nH\nb", "", "data/a.jsonl.lz4"}, Document{"data/a.jsonl.lz4#1", "c", "", "data/a.jsonl.lz4"}));
  const flowrun::BatchView batch(batches[0].array.get(), batches[0].schema);
  EXPECT_EQ(batch.values<std::int64_t>("year", "l")[0], 2001);
  EXPECT_EQ(batches[0].array.get().children[4]->null_count, 1);
  ASSERT_EQ(errors().size(), 1u);
  EXPECT_EQ(errors()[0].message, "the record has no text at 'title', 'body[].text', at byte 89 of the decompressed text");
}

TEST_F(JsonlNode, RefusesPathsBeforeItReads) {
  EXPECT_THROW(read({{"paths", Paths({{"/nowhere", "nowhere"}})}, {"text_field", "a..b"}}), Error);
  EXPECT_THROW(read({{"paths", Paths({{"/nowhere", "nowhere"}})}, {"text_field", "body"}, {"section_field", "head"}}), Error) << "no list";
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
