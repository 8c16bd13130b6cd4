#include "config/scan.hpp"


#include <fmt/core.h>
#include <gtest/gtest.h>

#include "config/limits.hpp"

namespace flowrun::config {
namespace {

/// Returns "LINE:COLUMN CODE" of each finding.
std::vector<std::string> scan_text(const std::string& text, std::optional<ScannedText>* result = nullptr) {
  Diagnostics diagnostics;
  Reporter report(diagnostics);
  std::optional<ScannedText> scanned = scan(text, "a.toml", report);
  EXPECT_EQ(scanned.has_value(), diagnostics.sorted().empty() || diagnostics.sorted()[0].code == "duplicate_node");
  if (result != nullptr) *result = std::move(scanned);
  std::vector<std::string> lines;
  for (const Diagnostic& d : diagnostics.sorted())
    lines.push_back(fmt::format("{}:{} {}", d.where.line, d.where.column, d.code));
  return lines;
}

std::string repeat(const std::string& text, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

using Lines = std::vector<std::string>;

TEST(Scan, PassesOrdinaryText) {
  EXPECT_EQ(scan_text(""), Lines{});
  EXPECT_EQ(scan_text("# comment\r\n[node.a]\r\nx = [1, 2.5, \"a]\"]\r\n"), Lines{});
}

TEST(Scan, CapsNesting) {
  EXPECT_EQ(scan_text("a = " + repeat("[", kMaxNesting) + repeat("]", kMaxNesting)), Lines{});
  EXPECT_EQ(scan_text("x = 1\na = " + repeat("[", kMaxNesting + 1)), Lines{"2:37 too_large"});
  EXPECT_EQ(scan_text("a = " + repeat("{b=", kMaxNesting + 1)), Lines{"1:101 too_large"});
  EXPECT_EQ(scan_text("a = [\n" + repeat("[", kMaxNesting) + "]"), Lines{"2:32 too_large"});
}

TEST(Scan, CapsDottedDepth) {
  const std::string deepest = repeat("a.", kMaxDottedDepth - 1) + "a";
  EXPECT_EQ(scan_text(deepest + " = 1\n[" + deepest + "]\nb = {" + deepest + " = 1}"), Lines{});
  EXPECT_EQ(scan_text(deepest + ".a = 1"), Lines{"1:32 too_large"});
  EXPECT_EQ(scan_text("[" + deepest + ".a]"), Lines{"1:34 too_large"});
  EXPECT_EQ(scan_text("b = { x = 1, " + deepest + ".a = 1}"), Lines{"1:45 too_large"});
  EXPECT_EQ(scan_text(repeat("'a' . ", kMaxDottedDepth) + "a = 1"), Lines{"1:95 too_large"});
}

TEST(Scan, CountsNothingInStringsAndComments) {
  const std::string bomb = repeat("[", 1000) + repeat("a.", 1000) + repeat("{", 1000);
  for (const std::string& text : {"# " + bomb, "a = \"" + bomb + "\"", "a = '" + bomb + "'", "a = \"\"\"\n" + bomb + "\n\"\"\"",
                                  "a = '''\n" + bomb + "'''", "a = \"\\\"" + bomb + "\"", "a = \"\"\"x\\\"\"\"" + bomb + "\"\"\"",
                                  "a = [ # " + bomb + "\n]", "a = \"\"\"\"\"" + bomb + "\"\"\"\"\""}) {
    EXPECT_EQ(scan_text(text), Lines{}) << text.substr(0, 30);
  }
}

TEST(Scan, ReadsOnBehindTheEndOfAString) {
  const std::string bomb = repeat("[", kMaxNesting + 1);
  // Five quotes: two of the string's own text, then its end.
  for (const std::string& text : {"a = [\"x\", " + bomb, "a = ['x\\', " + bomb, "a = [\"\"\"x\"\"\"\"\", " + bomb,
                                  "a = ['''x''''', " + bomb, "a = [\"\\\\\", " + bomb}) {
    EXPECT_EQ(scan_text(text).size(), 1U) << text.substr(0, 30);
  }
}

TEST(Scan, RefusesLargeFilesAndManyTables) {
  EXPECT_EQ(scan_text("#" + std::string(kMaxFileBytes, 'x')), Lines{"1:1 too_large"});
  std::string dotted;
  for (std::size_t i = 0; i <= kMaxImplicitTables; ++i) dotted += fmt::format("a.b{} = 1\n", i);
  EXPECT_EQ(scan_text(dotted), Lines{fmt::format("{}:2 too_large", kMaxImplicitTables + 1)});
}

TEST(Scan, RefusesHundredThousandBrackets) {
  for (const std::string open : {"[", "{a=", "a.", "[[", "{a.b="}) {
    const Lines lines = scan_text((open == "a." ? "" : "a = ") + repeat(open, 100'000));
    ASSERT_EQ(lines.size(), 1U) << open;
    EXPECT_NE(lines[0].find(" too_large"), std::string::npos) << open;
  }
}

TEST(Scan, RefusesBytesThatAreNoText) {
  EXPECT_EQ(scan_text("a = 1\nb = \"é\xFF\""), Lines{"2:7 toml_syntax"});
  for (const std::string bytes : {"\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\x80"}) {
    EXPECT_EQ(scan_text("# " + bytes), Lines{"1:3 toml_syntax"});
  }
  EXPECT_EQ(scan_text(std::string("a = 1\0", 6)), Lines{"1:6 toml_syntax"});
  EXPECT_EQ(scan_text("a = 1 # \r[["), Lines{"1:9 toml_syntax"});
  EXPECT_EQ(scan_text("a = 1 # \f[["), Lines{"1:9 toml_syntax"});
}

TEST(Scan, RenamesDuplicateNodesAndWhatIsBelowThem) {
  const std::string text = "[node.a]\nx = 1\n[node.b]\n[ node . 'a' ] # again\n[node.a.w]\n[node.b.w]\n";
  std::optional<ScannedText> scanned;
  EXPECT_EQ(scan_text(text, &scanned), Lines{"4:1 duplicate_node"});
  ASSERT_TRUE(scanned && scanned->rewritten);
  EXPECT_EQ(*scanned->rewritten, "[node.a]\nx = 1\n[node.b]\n[ node . \"\uE0000\" ] # again\n[node.\"\uE0000\".w]\n[node.b.w]\n");
  EXPECT_EQ(scanned->duplicates.at("\uE0000"), "a");
}

TEST(Scan, EndsTheTextAtWhatTomlPlusPlusMustNotSee) {
  struct Case {
    std::string text;
    std::string rewritten;
    std::uint32_t line;
    std::uint32_t column;
  };
  for (const Case& c : {Case{"a = 1é 2", "a = 1?", 1, 6}, Case{"é = 1", "?", 1, 1}, Case{"[nodé.x]\n[é]", "[nod?", 1, 5},
                        Case{"a = [1,\n、]", "a = [1,\n?", 2, 1}, Case{"[x] é # é", "[x] ?", 1, 5},
                        Case{"a = \"é\" é", "a = \"é\" ?", 1, 9}, Case{"a = \"\"\"\\é\"\"\"", "a = \"\"\"\\?", 1, 9},
                        Case{"\n[é]", "\n?", 2, 1}, Case{" [[ = 1", " ?", 1, 2}, Case{"[", "?", 1, 1}, Case{"a = -1\"é\"", "a = -1?", 1, 7}, Case{"[\na]", "?", 1, 1}}) {
    std::optional<ScannedText> scanned;
    EXPECT_EQ(scan_text(c.text, &scanned), Lines{});
    ASSERT_TRUE(scanned && scanned->rewritten && scanned->stop) << c.text;
    EXPECT_EQ(*scanned->rewritten, c.rewritten);
    EXPECT_EQ(scanned->stop->where.line, c.line) << c.text;
    EXPECT_EQ(scanned->stop->where.column, c.column) << c.text;
  }
}

TEST(Scan, EscapesACharacterBehindALineEndingBackslash) {
  for (const auto& [character, escape] : {std::pair("§", "\\U000000A7"), std::pair("、", "\\U00003001"), std::pair("😀", "\\U0001F600")}) {
    std::optional<ScannedText> scanned;
    EXPECT_EQ(scan_text(std::string("a = \"\"\"x\\  \r\n\n  ") + character + "é\"\"\"", &scanned), Lines{});
    ASSERT_TRUE(scanned && scanned->rewritten);
    EXPECT_FALSE(scanned->stop);
    EXPECT_EQ(*scanned->rewritten, std::string("a = \"\"\"x\\  \r\n\n  ") + escape + "é\"\"\"");
  }
}

TEST(Scan, TakesHeadersInStringsForText) { EXPECT_EQ(scan_text("[node.a]\nx = '''\n[node.a]\n'''\ny = [\n[1]\n]\n"), Lines{}); }

}  // namespace
}  // namespace flowrun::config
