#include "config/diagnostics.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "config/diagnostics_json.hpp"

namespace flowrun::config {
namespace {

Diagnostic finding(const std::string& file, std::uint32_t line, std::uint32_t column, const std::string& message) {
  Diagnostic d;
  d.where = {file, line, column};
  d.code = "unknown_key";
  d.message = message;
  return d;
}

TEST(Diagnostics, SortsByPlaceWithFilesAsFirstSeenAndDropsCopies) {
  Diagnostics diagnostics;
  diagnostics.add(finding("z.toml", 9, 1, "nine"));
  diagnostics.add(finding("a.toml", 1, 1, "other file"));
  diagnostics.add(finding("z.toml", 2, 7, "first"));
  diagnostics.add(finding("z.toml", 2, 7, "second"));
  diagnostics.add(finding("z.toml", 2, 7, "first"));
  diagnostics.add(finding("z.toml", 2, 3, "before"));
  std::vector<std::string> messages;
  for (const Diagnostic& d : diagnostics.sorted()) messages.push_back(d.message);
  EXPECT_EQ(messages, (std::vector<std::string>{"before", "first", "second", "nine", "other file"}));
}

TEST(Diagnostics, WarningsAreNoErrors) {
  Diagnostics diagnostics;
  Diagnostic warning = finding("a.toml", 1, 1, "node 'x' is not used");
  warning.severity = Severity::kWarning;
  diagnostics.add(warning);
  EXPECT_FALSE(diagnostics.has_errors());
  diagnostics.add(finding("a.toml", 1, 1, "wrong"));
  EXPECT_TRUE(diagnostics.has_errors());
}

TEST(Render, ShowsLineCaretHelpAndNode) {
  Diagnostic d = finding("graphs/a.toml", 2, 1, "unknown key 'bath_size'");
  d.suggestion = "batch_size";
  d.node = "loss";
  d.plugin = "objectives/clm";
  EXPECT_EQ(render(d, {{"graphs/a.toml", "[node.loss]\nbath_size = 8\n"}}, false),
            "graphs/a.toml:2:1: error: unknown key 'bath_size'\n"
            "bath_size = 8\n"
            "^\n"
            "help: did you mean 'batch_size'?\n"
            "  in node 'loss' (objectives/clm)\n");
}

TEST(Render, CountsCodePointsForTheCaret) {
  EXPECT_EQ(render(finding("a", 1, 9, "bad"), {{"a", "x = \"é😀\" y"}}, false), "a:1:9: error: bad\nx = \"é😀\" y\n        ^\n");
}

TEST(Render, WorksWithoutTheSource) { EXPECT_EQ(render(finding("a", 3, 1, "bad"), {}, false), "a:3:1: error: bad\n"); }

TEST(Render, WorksBehindTheEndOfTheText) {
  EXPECT_EQ(render(finding("a", 9, 1, "bad"), {{"a", "x = 1\n"}}, false), "a:9:1: error: bad\n\n^\n");
  EXPECT_EQ(render(finding("a", 1, 99, "bad"), {{"a", "x = 1\n"}}, false), "a:1:99: error: bad\n");
}

TEST(Render, SendsNoControlCharactersToTheTerminal) {
  const std::string text = render(finding("a", 1, 1, "key '\x1b[31m'"), {{"a", "\x1b]0;title\x07 = 1\r\n"}}, false);
  EXPECT_EQ(text, "a:1:1: error: key '?[31m'\n?]0;title? = 1\n^\n");
}

TEST(Render, CutsLongLinesAroundTheCaret) {
  const std::string text = render(finding("a", 1, 5001, "bad"), {{"a", std::string(5000, 'x') + "Y" + std::string(5000, 'z')}}, false);
  EXPECT_EQ(text, "a:1:5001: error: bad\n" + std::string(80, 'x') + "Y" + std::string(79, 'z') + "\n" + std::string(80, ' ') + "^\n");
}

TEST(Render, ColoursOnlyWhenAsked) {
  EXPECT_NE(render(finding("a", 1, 1, "bad"), {}, true).find("\x1b[1;31m"), std::string::npos);
  EXPECT_EQ(render(finding("a", 1, 1, "bad"), {}, false).find('\x1b'), std::string::npos);
}

TEST(ToJson, HasEveryKeyAndNullForAbsent) {
  Diagnostic d = finding("a.toml", 4, 2, "unknown key 'sed' in [run]");
  d.found = "sed";
  d.suggestion = "seed";
  EXPECT_EQ(to_json(d).dump(),
            R"({"file":"a.toml","line":4,"column":2,"severity":"error","code":"unknown_key","message":"unknown key 'sed' in [run]",)"
            R"("found":"sed","expected":null,"suggestion":"seed","node":null,"plugin":null})");
}

TEST(ToJson, SurvivesTextThatIsNotUtf8) {
  const Diagnostic d = finding("dir\xFF/a.toml", 1, 1, "bad \xC3 byte");
  EXPECT_EQ(to_json(d)["file"], "dir\xEF\xBF\xBD/a.toml");
  EXPECT_NO_THROW(to_json(d).dump());
}

TEST(ValidationReport, IsOkWithWarningsOnly) {
  Diagnostic d = finding("a.toml", 1, 1, "node 'x' is not used");
  d.severity = Severity::kWarning;
  EXPECT_EQ(validation_report("a.toml", {d})["ok"], true);
  d.severity = Severity::kError;
  const auto report = validation_report("a.toml", {d});
  EXPECT_EQ(report["ok"], false);
  EXPECT_EQ(report["version"], 1);
  EXPECT_EQ(report["graph"], "a.toml");
  EXPECT_EQ(report["diagnostics"].size(), 1U);
}

}  // namespace
}  // namespace flowrun::config
