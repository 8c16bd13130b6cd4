#include "csv.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "readers/common/compress_for_test.hpp"
#include "readers/common/reader_test.hpp"

namespace flowrun::readers {
namespace {

using flowrun::testing::Batch;
using flowrun::testing::Document;
using flowrun::testing::OpenOptions;
using flowrun::testing::Parameters;
using flowrun::testing::Paths;
using flowrun::testing::Runner;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Row = std::vector<std::string>;

// ----------------------------------------------------------------------------------------------------------------- the scanner alone

/// Reads all rows of `text`, shown to the scanner in parts that grow by `step` bytes; empty lines are rows without fields.
std::vector<Row> scan(const std::string& text, CsvDialect dialect = {}, std::size_t step = 1 << 20) {
  CsvScanner scanner(dialect);
  std::vector<Row> rows;
  std::string buffer;
  for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(scanner.size())) {
    scanner.start();
    std::size_t shown = std::min(step, rest.size());
    while (!scanner.scan(rest.substr(0, shown), shown == rest.size())) shown = std::min(shown + step, rest.size());
    Row row;
    for (std::size_t i = 0; i < scanner.field_count(); ++i) row.emplace_back(scanner.field(rest, i, buffer));
    rows.push_back(std::move(row));
  }
  return rows;
}

TEST(CsvScanner, ReadsTheExamplesOfRfc4180) {
  EXPECT_THAT(scan("aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n"), ElementsAre(Row{"aaa", "bbb", "ccc"}, Row{"zzz", "yyy", "xxx"}));
  EXPECT_THAT(scan("aaa,bbb,ccc\r\nzzz,yyy,xxx"), ElementsAre(Row{"aaa", "bbb", "ccc"}, Row{"zzz", "yyy", "xxx"}));
  EXPECT_THAT(scan("\"aaa\",\"b \r\nbb\",\"ccc\"\r\nzzz,yyy,xxx"), ElementsAre(Row{"aaa", "b \r\nbb", "ccc"}, Row{"zzz", "yyy", "xxx"}));
  EXPECT_THAT(scan("\"aaa\",\"b\"\"bb\",\"ccc\""), ElementsAre(Row{"aaa", "b\"bb", "ccc"}));
}

TEST(CsvScanner, TakesEmptyFieldsAndEmptyLines) {
  EXPECT_THAT(scan(",\n"), ElementsAre(Row{"", ""}));
  EXPECT_THAT(scan(","), ElementsAre(Row{"", ""}));
  EXPECT_THAT(scan("\"\"\n\"\",\"\""), ElementsAre(Row{""}, Row{"", ""}));
  EXPECT_THAT(scan("a\n\n\r\n\rb"), ElementsAre(Row{"a"}, Row{}, Row{}, Row{}, Row{"b"}));
  EXPECT_THAT(scan(" \n\"\"\"\"\n"), ElementsAre(Row{" "}, Row{"\""}));
}

TEST(CsvScanner, TakesWhatRfc4180LeavesOpenAsPythonDoes) {
  EXPECT_THAT(scan("a\rb\r\nc\n"), ElementsAre(Row{"a"}, Row{"b"}, Row{"c"}));
  EXPECT_THAT(scan("a\"b,\"c\"d\"e,\"f\"\"\"g"), ElementsAre(Row{"a\"b", "cd\"e", "f\"g"}));
  EXPECT_THAT(scan("x,\"open\ny,\"\"z\n"), ElementsAre(Row{"x", "open\ny,\"z\n"}));
  EXPECT_THAT(scan("\""), ElementsAre(Row{""}));
}

TEST(CsvScanner, TakesOtherDialects) {
  EXPECT_THAT(scan("a\tb,c\t'd\te'\n", {'\t', '\''}), ElementsAre(Row{"a", "b,c", "d\te"}));
  EXPECT_THAT(scan("\"a\t\"b\"\n\"\n", {'\t', 0}), ElementsAre(Row{"\"a", "\"b\""}, Row{"\""}));
}

TEST(CsvScanner, SaysWhatStrictRefuses) {
  const auto flags = [](const std::string& text) {
    CsvScanner scanner({});
    scanner.start();
    EXPECT_TRUE(scanner.scan(text, true));
    return std::string(scanner.text_behind_quote() ? "behind " : "") + (scanner.open_quote() ? "open" : "");
  };
  EXPECT_EQ(flags("\"a\",b\n"), "");
  EXPECT_EQ(flags("a\"b\n"), "");
  EXPECT_EQ(flags("\"a\""), "");
  EXPECT_EQ(flags("\"a\" ,b\n"), "behind ");
  EXPECT_EQ(flags("\"a"), "open");
  EXPECT_EQ(flags("\"a\"\""), "open");
}

/// Writes a table with the quotes that it needs, and more.
std::string write(const std::vector<Row>& rows, std::mt19937& random) {
  static constexpr const char* kEnds[] = {"\n", "\r\n", "\r"};
  std::string text;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool must = row[i].find_first_of(",\"\r\n") != std::string::npos || row.size() == 1;
      if (i > 0) text += ',';
      if (!must && random() % 3 != 0) {
        text += row[i];
        continue;
      }
      text += '"';
      for (const char c : row[i]) text += c == '"' ? "\"\"" : std::string(1, c);
      text += '"';
    }
    text += kEnds[random() % 3];
  }
  return text;
}

TEST(CsvScanner, ReadsBackRandomTablesInPartsOfAnySize) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    std::vector<Row> rows(1 + random() % 8);
    for (Row& row : rows) {
      row.resize(1 + random() % 4);
      for (std::string& field : row)
        for (unsigned size = random() % 6; size > 0; --size) field += std::string_view("ab ,\"\r\n\t\xC3\xA9")[random() % 10];
    }
    const std::string text = write(rows, random);
    for (const std::size_t step : {std::size_t{1}, 1 + random() % 7, std::size_t{1000}}) EXPECT_EQ(scan(text, {}, step), rows) << "seed " << seed << ": " << text;
  }
}

TEST(CsvScanner, FindsTheEndOfADroppedRecord) {
  CsvScanner scanner({});
  scanner.start();
  EXPECT_FALSE(scanner.scan("a,\"b\nc", false));
  EXPECT_EQ(scanner.size(), 6u);
  scanner.drop();
  EXPECT_FALSE(scanner.scan("d\"", false));
  scanner.drop();
  EXPECT_FALSE(scanner.scan("\"still\n\"\r", false)) << "a newline may follow";
  EXPECT_EQ(scanner.size(), 8u);
  scanner.drop();
  EXPECT_TRUE(scanner.scan("\r\nnext", false));
  EXPECT_EQ(scanner.size(), 2u);
}

// ------------------------------------------------------------------------------------------------------------------------- the node

class CsvNode : public ReaderTest {
 protected:
  std::string refusal(Parameters parameters) {
    try {
      read(parameters);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument);
      return error.what();
    }
    return "accepted";
  }
};

TEST_F(CsvNode, ReadsRowsByTheNamesOfEachFilesHeader) {
  const auto rows = read({{"paths", paths({{"a.csv", "\xEF\xBB\xBF\"text\",key,kind\n\"one, \"\"1\"\"\nline\",k1,news\n\ntwo,,\n"}, {"b.csv", "\nkind,text,key\r\nbooks,three,k3"}})},
                          {"domain", "web"},
                          {"id_field", "key"},
                          {"domain_field", "kind"}});
  EXPECT_THAT(rows, ElementsAre(Document{"k1", "one, \"1\"\nline", "news", "a.csv"}, Document{"a.csv#1", "two", "web", "a.csv"}, Document{"k3", "three", "books", "b.csv"}));
  EXPECT_THAT(errors(), IsEmpty());
  EXPECT_THAT(node_->close(), IsEmpty());
}

TEST_F(CsvNode, ReadsRowsByNumbers) {
  const auto rows = read(
      {{"paths", paths({{"a.tsv", "7\t\"text\"\n8\t\"more\t\n"}})}, {"header", false}, {"delimiter", "\t"}, {"quote", ""}, {"strict", false}, {"text_field", "2"}, {"id_field", "1"}});
  EXPECT_THAT(rows, ElementsAre(Document{"7", "\"text\"", "", "a.tsv"}, Document{"8", "\"more", "", "a.tsv"}));
}

TEST_F(CsvNode, AddsColumns) {
  node_ = std::make_unique<Runner>(flowrun_plugin_v1, Parameters{{"paths", paths({{"a.csv", "text,title,stars,n\nx,\"T,1\",4.5,-3\ny,,,\n"}})},
                                                                 {"columns", std::vector<std::string>{"title", "score: number = stars", "n: integer", "again = n"}}});
  node_->open();
  const std::vector<Batch> batches = node_->read_all();
  ASSERT_EQ(batches.size(), 1u);
  const flowrun::BatchView batch(batches[0].array.get(), batches[0].schema);
  EXPECT_EQ(batch.strings("text")[1], "y");
  EXPECT_EQ(batch.strings("title")[0], "T,1");
  EXPECT_EQ(batch.strings("title")[1], "");
  EXPECT_EQ(batch.strings("again")[0], "-3");
  EXPECT_EQ(batch.values<double>("score", "g")[0], 4.5);
  EXPECT_EQ(batch.values<std::int64_t>("n", "l")[0], -3);
  const auto nulls = [&](const char* name) { return batches[0].array.get().children[batches[0].schema.find(name)]->null_count; };
  EXPECT_EQ(nulls("title"), 0);
  EXPECT_EQ(nulls("score"), 1);
  EXPECT_EQ(nulls("n"), 1);
}

TEST_F(CsvNode, RefusesValuesThatAreNotOfTheirType) {
  const auto rows = read({{"paths", paths({{"a.csv", "text,n\nx,1.5\ny,2\n"}})}, {"columns", std::vector<std::string>{"n: integer"}}});
  EXPECT_THAT(rows, ElementsAre(Document{"a.csv#1", "y", "", "a.csv"}));
  ASSERT_EQ(errors().size(), 1u);
  EXPECT_EQ(errors()[0].code, "bad_column");
  EXPECT_EQ(errors()[0].message, "column 'n' is not an integer of 64 bits");
}

TEST_F(CsvNode, RefusesRowsThatAreNotRfc4180) {
  const std::string text = "text,b\n\"x\"y,1\nshort\nlong,1,2\nb\xFF" "d,1\ngood,1\n\"open,1\n";
  const auto rows = read({{"paths", paths({{"a.csv", text}})}});
  EXPECT_THAT(rows, ElementsAre(Document{"a.csv#4", "good", "", "a.csv"}));
  ASSERT_EQ(errors().size(), 5u);
  EXPECT_EQ(errors()[0].code, "bad_csv");
  EXPECT_EQ(errors()[0].message, "text follows a closing quote, expected the delimiter or the row's end ('strict')");
  EXPECT_EQ(errors()[0].record, 0);
  EXPECT_EQ(errors()[0].offset, 7);
  EXPECT_EQ(errors()[1].message, "the row has 1 fields, expected 2 as in the first row ('strict')");
  EXPECT_EQ(errors()[2].message, "the row has 3 fields, expected 2 as in the first row ('strict')");
  EXPECT_EQ(errors()[3].code, "bad_utf8");
  EXPECT_EQ(errors()[3].message, "invalid UTF-8 at byte 1 of the row: 0xFF; a file of another encoding must be converted, as by iconv -f LATIN1 -t UTF-8");
  EXPECT_EQ(errors()[4].message, "the file ends inside quotes ('strict')");
  EXPECT_EQ(errors()[4].record, 5);
  EXPECT_EQ(errors()[4].offset, static_cast<std::int64_t>(text.find("\"open")));
}

TEST_F(CsvNode, TakesThemAsTheyAreWhereNotStrict) {
  const auto rows = read({{"paths", paths({{"a.csv", "b,text\n\"x\"y,\"1\"\"\"z\nshort\nlong,1,2\n,\"open\n"}})}, {"strict", false}, {"id_field", "b"}});
  EXPECT_THAT(rows, ElementsAre(Document{"xy", "1\"z", "", "a.csv"}, Document{"long", "1", "", "a.csv"}, Document{"a.csv#3", "open\n", "", "a.csv"}));
  ASSERT_EQ(errors().size(), 1u);
  EXPECT_EQ(errors()[0].code, "missing_text");
  EXPECT_EQ(errors()[0].message, "the row has 1 fields and its text is column 2");
}

TEST_F(CsvNode, GivesUpAFileWithoutItsColumns) {
  const auto rows = read({{"paths", paths({{"a.csv", "body,id\n1,2\n"}, {"b.csv", "text,text\n1,2\n"}, {"c.csv", "\"text\"x\n1\n"}, {"d.csv", "text\nlast\n"}, {"e.csv", ""}, {"f.csv", "\n\n"}})}});
  EXPECT_THAT(rows, ElementsAre(Document{"d.csv#0", "last", "", "d.csv"}));
  ASSERT_EQ(errors().size(), 3u);
  EXPECT_EQ(errors()[0].code, "bad_header");
  EXPECT_EQ(errors()[0].message, "the header has no column 'text', it has 'body', 'id'");
  EXPECT_EQ(errors()[0].file, "a.csv");
  EXPECT_EQ(errors()[0].record, -1);
  EXPECT_EQ(errors()[0].documents, 0);
  EXPECT_EQ(errors()[0].file_bytes, 12);
  EXPECT_EQ(errors()[1].message, "the header has column 'text' twice, expected once");
  EXPECT_EQ(errors()[2].code, "bad_csv");
}

TEST_F(CsvNode, RefusesColumnsThatNoFileHas) {
  const auto refused = [&](const std::vector<std::pair<std::string, std::string>>& files, const std::string& column) {
    return flowrun::testing::error_of([&] { read({{"paths", paths(files)}, {"columns", std::vector<std::string>{column}}}); });
  };
  EXPECT_EQ(refused({{"a.csv", "text,author\n1,2\n"}}, "auhtor").first, Code::kInvalidArgument);
  EXPECT_EQ(refused({{"a.csv", "\xEF\xBB\xBF\ntext,author\n1,2\n"}}, "auhtor").second, "a.csv: the header has no column 'auhtor', it has 'text', 'author'; did you mean 'author'?");
  EXPECT_EQ(refused({{"a.csv", ""}, {"b.csv.zst", zstd("\n\"text\",author")}, {"c.csv", "text\n"}}, "auhtor").second,
            "no file has the columns that are named; b.csv.zst: the header has no column 'auhtor', it has 'text', 'author'; did you mean 'author'?");
  EXPECT_EQ(read({{"paths", paths({{"a.csv", ""}, {"b.csv.gz", gzip("text").substr(0, 12)}})}, {"columns", std::vector<std::string>{"x"}}}).size(), 0u) << "where no header can be read";
}

TEST_F(CsvNode, RefusesALargeRowInLittleMemory) {
  const std::string large = "\"" + std::string(3'000'000, 'x') + "\n\"\"\"";
  const auto rows = read({{"paths", paths({{"a.csv.zst", zstd("text\n" + large + "\n0123456789abcdef\n0123456789abcdefg\n\"never closed\nlast\n")}})}, {"max_record_bytes", 16}});
  EXPECT_THAT(rows, ElementsAre(Document{"a.csv.zst#1", "0123456789abcdef", "", "a.csv.zst"}));
  ASSERT_EQ(errors().size(), 3u);
  for (const auto& error : errors()) EXPECT_EQ(error.code, "record_too_large");
  EXPECT_EQ(errors()[0].message, "a row of more than 16 bytes ('max_record_bytes'); a quote that is never closed makes such a row, at byte 5 of the decompressed text");
  EXPECT_EQ(errors()[1].record, 2);
  EXPECT_EQ(errors()[2].record, 3);
}

TEST_F(CsvNode, ReadsARowOfManyMegabytes) {
  const std::string large(20'000'000, '\n');
  const auto rows = read({{"paths", paths({{"a.csv.xz", xz("text\n\"" + large + "\"\nlast\n")}})}});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_TRUE(rows[0].text == large);
}

TEST_F(CsvNode, DoesNotGiveARowThatDamageCutShort) {
  std::string text = "text,n\n";
  for (int i = 0; i < 20000; ++i) text += "record " + std::to_string(i * 7919 % 10007) + ",\"" + std::to_string(i) + "\"\n";
  for (const auto& [name, bytes] : {std::pair("a.gz", gzip(text)), std::pair("a.bz2", bzip2(text)), std::pair("a.lz4", lz4(text))}) {
    const auto rows = read({{"paths", paths({{name, bytes.substr(0, bytes.size() / 2)}})}, {"id_field", "n"}});
    ASSERT_EQ(errors().size(), 1u) << name;
    EXPECT_THAT(errors()[0].code, HasSubstr("damaged_"));
    ASSERT_GT(rows.size(), 3000u) << name;
    for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(rows[i], (Document{std::to_string(i), "record " + std::to_string(i * 7919 % 10007), "", name}));
  }
}

TEST_F(CsvNode, EndsBatchesByTheirColumnsToo) {
  std::string text = "text,more\n";
  for (int i = 0; i < 10; ++i) text += "x," + std::string(30, 'y') + "\n";
  node_ = std::make_unique<Runner>(flowrun_plugin_v1, Parameters{{"paths", paths({{"a.csv", text}})}, {"columns", std::vector<std::string>{"more"}}});
  OpenOptions options;
  options.batch_bytes = 100;
  node_->open({}, options);
  std::vector<std::int64_t> sizes;
  for (const Batch& batch : node_->read_all()) sizes.push_back(batch.size());
  EXPECT_THAT(sizes, ElementsAre(4, 4, 2));
}

TEST_F(CsvNode, NeverFailsOnMutatedTables) {
  std::string table = "text,n,kind\n";
  for (int i = 0; i < 30; ++i) table += i % 3 == 0 ? "\"a \"\"quoted\"\" text\nof two lines\",1,x\r\n" : "plain text,2,\"y\"\n";
  for (const bool strict : {true, false}) {
    for (unsigned seed = 0; seed < 300; ++seed) {
      std::mt19937 random(seed);
      std::string bytes = table;
      for (int change = 0; change < 3; ++change) bytes[random() % bytes.size()] = std::string_view("\",\n\r\0\xFFx", 7)[random() % 7];
      // A header that no file has would be wrong in the graph: one file is whole.
      const auto rows = read({{"paths", paths({{"a.csv", bytes}, {"b.csv", "text,n,kind\n"}})}, {"strict", strict}, {"max_record_bytes", 1000}, {"columns", std::vector<std::string>{"kind"}}});
      EXPECT_LE(rows.size(), 100u);
      EXPECT_TRUE(!rows.empty() || !errors().empty()) << "seed " << seed;
      for (const auto& error : errors()) EXPECT_EQ(error.status, Code::kCorruptData);
    }
  }
}

TEST_F(CsvNode, RefusesParametersThatCannotBe) {
  const Paths none = paths({{"a.csv", ""}});
  EXPECT_EQ(refusal({{"paths", none}, {"delimiter", ""}}), "'delimiter' is empty, expected one ASCII character that ends no line");
  for (const char* bad : {"::", "é", "\n", "\r"}) EXPECT_THAT(refusal({{"paths", none}, {"delimiter", bad}}), HasSubstr("expected one ASCII character that ends no line")) << bad;
  EXPECT_EQ(refusal({{"paths", none}, {"quote", ","}}), "'delimiter' and 'quote' are both ',', expected different characters");
  EXPECT_EQ(refusal({{"paths", none}, {"header", false}}), "'text_field' names column 'text', expected a number from 1 on because of 'header = false'");
  EXPECT_THAT(refusal({{"paths", none}, {"header", false}, {"text_field", "0"}}), HasSubstr("a number from 1 on"));
  EXPECT_THAT(refusal({{"paths", none}, {"columns", std::vector<std::string>{"id"}}}), HasSubstr("is one that every document has"));
}

TEST_F(CsvNode, StopsWhenTheRunStops) {
  node_ = std::make_unique<Runner>(flowrun_plugin_v1, Parameters{{"paths", paths({{"a.csv", "text\n\"a\"b\nc\n"}})}});
  node_->open();
  node_->stop_on_record_error();
  EXPECT_THROW(node_->read_all(), Error);
  EXPECT_EQ(errors().size(), 1u);
  EXPECT_THAT(node_->close(), IsEmpty());
}

}  // namespace
}  // namespace flowrun::readers
