// What is wrong with a graph, a command line or the input is all said before anything starts, with its place and the exit code of the contract.

#include <fmt/format.h>

#include "support/pipeline.hpp"

namespace flowrun::testing {
namespace {

/// Five different mistakes, each on a line of its own; what is right around them is checked all the same.
constexpr const char* kFiveMistakes = R"([run]
name = "five"
sead = 3

[node.books]
plugin = "readers/text"
paths  = [3]

[node.unique]
plugin = "dedupers/exat"
in     = "books"

[node.parts]
plugin = "filters/split"
in     = ["books", "wob"]
heldout_fraction = 1.5

[node.clean]
plugin = "writers/jsonl"
in     = "parts.train"
path   = "clean.jsonl"
)";

class GraphErrors : public RunTest {
 protected:
  /// "LINE:COLUMN code" of every error, in the order of their places.
  std::vector<std::string> places(const nlohmann::json& report) const {
    std::vector<std::string> list;
    for (const auto& one : report["diagnostics"])
      if (one["severity"] == "error") list.push_back(fmt::format("{}:{} {}", one["line"].get<int>(), one["column"].get<int>(), one["code"].get<std::string>()));
    return list;
  }
  nlohmann::json report(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"validate", "--json"});
    const auto finished = flowrun(std::move(arguments));
    EXPECT_TRUE(finished.exit_code == 78 || finished.exit_code == 0) << finished;
    return nlohmann::json::parse(finished.out, nullptr, false);
  }
};

TEST_F(GraphErrors, FiveMistakesAreAllReportedAtTheirPlaces) {
  write("five.toml", kFiveMistakes);
  const auto found = report({"five.toml"});
  EXPECT_EQ(found["version"], 1);
  EXPECT_EQ(found["ok"], false);
  EXPECT_EQ(places(found), (std::vector<std::string>{"3:1 unknown_key", "7:11 wrong_type", "10:10 unknown_plugin", "15:20 unknown_node", "16:20 out_of_range"}));
  const auto& list = found["diagnostics"];
  EXPECT_EQ(list[0]["suggestion"], "seed");
  EXPECT_EQ(list[2]["suggestion"], "dedupers/exact");
  EXPECT_EQ(list[2]["node"], "unique");
  EXPECT_EQ(list[4]["plugin"], "filters/split");
  for (const char* key : {"file", "line", "column", "severity", "code", "message", "found", "expected", "suggestion", "node", "plugin"})
    EXPECT_TRUE(list[3].contains(key)) << key;
  // As text, from every command that takes a graph: place, source line and caret.
  for (const char* name : {"validate", "plan", "run"}) {
    const auto finished = flowrun({name, "five.toml", "--artifacts", "artifacts"});
    EXPECT_EQ(finished.exit_code, 78) << finished;
    EXPECT_EQ(finished.out, "") << name;
    for (const char* text : {"five.toml:3:1: error: ", "five.toml:7:11: error: ", "five.toml:10:10: error: ", "five.toml:15:20: error: ", "five.toml:16:20: error: ",
                             "heldout_fraction = 1.5\n", "^"})
      EXPECT_NE(finished.err.find(text), std::string::npos) << name << " does not say " << text << "\n" << finished;
    EXPECT_EQ(finished.err.find("\x1b["), std::string::npos) << "no colours without a terminal";
  }
  EXPECT_FALSE(std::filesystem::exists(path("runs"))) << "nothing was started";
}

TEST_F(GraphErrors, EdgesOfTheWrongTypeAndCyclesAreFound) {
  write("graph.toml", R"([run]
name = "t"
[node.a]
plugin = "test/source_numbers"
[node.t]
plugin = "test/byte_tokens"
in = "a"
[node.out]
plugin = "test/collect"
in = "t"
[node.x]
plugin = "test/map_double"
in = "y"
[node.y]
plugin = "test/map_double"
in = "x"
[node.dup]
plugin = "dedupers/exact"
)");
  const auto found = report({"graph.toml"});
  std::set<std::string> codes;
  for (const auto& one : found["diagnostics"]) codes.insert(one["code"].get<std::string>());
  for (const char* code : {"type_mismatch", "cycle", "missing_key"}) EXPECT_TRUE(codes.contains(code)) << code << " in " << found;
}

TEST_F(GraphErrors, MistakesOfOverridesAreFoundOnTheirPlace) {
  write("graph.toml", "[run]\nname = \"t\"\n[node.a]\nplugin = \"test/source_numbers\"\n[node.out]\nplugin = \"test/collect\"\nin = \"a\"\n");
  const auto found = report({"graph.toml", "--set", "run.seed=4", "--set", "node.a.unitz=3", "--set", "node.b.units=3", "--set", "node.a.units=many"});
  ASSERT_EQ(found["diagnostics"].size(), 3u) << found;
  for (int i = 0; i < 3; ++i) {
    const auto& one = found["diagnostics"][static_cast<std::size_t>(i)];
    EXPECT_EQ(one["file"], "--set") << one;
    EXPECT_EQ(one["line"], i + 2) << one;
    EXPECT_EQ(one["column"], 1) << one;
  }
  EXPECT_EQ(report({"graph.toml", "--set", "node.a.units=3"})["ok"], true);
}

TEST_F(GraphErrors, ExitCodesAreThoseOfTheContract) {
  write("graph.toml", "[run]\nname = \"t\"\n[node.a]\nplugin = \"test/source_numbers\"\n[node.out]\nplugin = \"test/collect\"\nin = \"a\"\n");
  write("syntax.toml", "[run\nname = \"t\"\n");
  write("unknown.toml", "[run]\nname = \"t\"\n[node.a]\nplugin = \"readers/nosuch\"\n");
  write("refused.toml", "[run]\nname = \"t\"\n[node.a]\nplugin = \"test/wrong_abi\"\n");
  write("both.toml", "[run]\nname = \"t\"\nsead = 1\n[node.a]\nplugin = \"test/wrong_abi\"\n");
  const std::string refused = kBuild + "/tests/refused_plugins";
  const std::vector<std::pair<int, std::vector<std::string>>> cases{
      {0, {"--help"}},
      {0, {"run", "--help"}},
      {0, {"--version"}},
      {0, {"validate", "graph.toml"}},
      {0, {"graph.toml", "--dry-run", "--artifacts", "a"}},
      {2, {}},
      {2, {"nosuch"}},
      {2, {"run"}},
      {2, {"run", "graph.toml", "--nosuch"}},
      {2, {"run", "graph.toml", "--set", "novalue"}},
      {2, {"run", "graph.toml", "--threads", "0"}},
      {2, {"run", "graph.toml", "--limit", "-3"}},
      {66, {"validate", "nosuch.toml"}},
      {66, {"run", "nosuch.toml"}},
      {66, {"inspect", "readers/nosuch"}},
      {69, {"validate", "refused.toml", "--plugins", refused}},
      {69, {"run", "refused.toml", "--plugins", refused, "--artifacts", "a"}},
      {78, {"validate", "both.toml", "--plugins", refused}},
      {78, {"validate", "syntax.toml"}},
      {78, {"validate", "unknown.toml"}},
      {78, {"run", "unknown.toml", "--artifacts", "a"}},
      {78, {"run", "graph.toml", "--set", "run.nosuch=1", "--artifacts", "a"}},
      {78, {"run", "graph.toml", "--set", "node.a.units=-1", "--artifacts", "a"}},
  };
  for (const auto& [code, arguments] : cases) {
    std::string line;
    for (const auto& argument : arguments) line += " " + argument;
    const auto finished = flowrun(arguments);
    EXPECT_EQ(finished.exit_code, code) << "flowrun" << line << "\n" << finished;
    EXPECT_EQ(finished.err.empty(), code == 0) << "flowrun" << line << "\n" << finished;
  }
}

TEST_F(GraphErrors, MissingInputsAreAllListedBeforeAnythingStarts) {
  write("here/a.txt", "text");
  write("graph.toml", R"([run]
name = "t"
[node.one]
plugin = "readers/text"
paths = ["here/*.txt", "gone/*.txt", "also/gone.txt"]
[node.two]
plugin = "readers/jsonl"
paths = ["*.nosuch"]
[node.out]
plugin = "writers/jsonl"
in = ["one", "two"]
path = "out.jsonl"
)");
  for (const char* name : {"plan", "run"}) {
    const auto finished = flowrun({name, "graph.toml", "--artifacts", "artifacts"});
    EXPECT_EQ(finished.exit_code, 66) << finished;
    for (const char* text : {"'gone/*.txt' in node 'one'", "'also/gone.txt' in node 'one'", "'*.nosuch' in node 'two'"}) EXPECT_NE(finished.err.find(text), std::string::npos) << finished;
    EXPECT_EQ(finished.err.find("here/*.txt"), std::string::npos) << finished;
  }
  EXPECT_FALSE(std::filesystem::exists(path("runs")));
  // `validate` looks at no data.
  EXPECT_EQ(flowrun({"validate", "graph.toml"}).exit_code, 0);
}

TEST_F(GraphErrors, AFolderInPathsIsToldHowItsFilesAreWritten) {
  write("src/a/b.txt", "text");
  write("graph.toml", "[node.one]\nplugin = \"readers/text\"\npaths = [\"src/\"]\n[node.out]\nplugin = \"writers/jsonl\"\nin = \"one\"\npath = \"out.jsonl\"\n");
  const auto finished = flowrun({"plan", "graph.toml", "--artifacts", "artifacts"});
  EXPECT_EQ(finished.exit_code, 66) << finished;
  EXPECT_NE(finished.err.find("'src/' in node 'one' (paths of readers/text), which is a folder; its files are 'src/*', and all below it 'src/**/*'"), std::string::npos) << finished;
  EXPECT_EQ(flowrun({"plan", "graph.toml", "--artifacts", "artifacts", "--set", "node.one.paths=[\"src/**/*\"]"}).exit_code, 0);
}

TEST_F(GraphErrors, FilesOfWritersMayNotMeet) {
  const auto with = [&](const std::string& first, const std::string& second) {
    write("graph.toml", fmt::format("[run]\nname = \"t\"\n[node.a]\nplugin = \"test/source_numbers\"\n[node.one]\nplugin = \"writers/jsonl\"\nin = \"a\"\npath = \"{}\"\n"
                                    "[node.two]\nplugin = \"writers/jsonl\"\nin = \"a\"\npath = \"{}\"\n",
                                    first, second));
    return report({"graph.toml"});
  };
  EXPECT_EQ(with("a.jsonl", "b/a.jsonl")["ok"], true);
  for (const auto& [first, second] : std::vector<std::pair<const char*, const char*>>{{"o.jsonl", "o.jsonl"}, {"o.jsonl", "./o.jsonl"}, {"o", "o/x.jsonl"}, {"o/x.jsonl", "o"}}) {
    const auto found = with(first, second);
    ASSERT_EQ(places(found), (std::vector<std::string>{"12:8 constraint"})) << first << ", " << second << ": " << found;
    EXPECT_NE(found["diagnostics"][0]["message"].get<std::string>().find("where 'one' writes already"), std::string::npos) << found;
  }
  for (const char* own : {"manifest.json", "run.lock", "log.jsonl", "model/x.jsonl", "checkpoints", "run.toml.tmp"}) EXPECT_EQ(places(with("o.jsonl", own)), (std::vector<std::string>{"12:8 constraint"})) << own;
}

TEST_F(GraphErrors, OneMistakeIsOneFinding) {
  write("graph.toml", "[run]\nname = \"t\"\n[node.a]\nplugin = \"test/source_numbers\"\n[node.b]\nplugin = \"test/map_double\"\nin = { inn = \"a\" }\n[node.out]\nplugin = \"test/collect\"\nin = \"b\"\n");
  const auto found = report({"graph.toml"});
  ASSERT_EQ(found["diagnostics"].size(), 1u) << found;
  EXPECT_EQ(found["diagnostics"][0]["code"], "unknown_port");
  write("graph.toml", "[run]\nname = \"t\"\n[node.a]\nplugin = \"test/source_numbers\"\non_error = \"ignore\"\n[node.out]\nplugin = \"test/collect\"\nin = \"a\"\n");
  EXPECT_EQ(report({"graph.toml"})["diagnostics"][0]["plugin"], "test/source_numbers");
}

TEST_F(GraphErrors, OptionsMayStandBeforeTheGraph) {
  write("graph.toml", "[run]\nname = \"t\"\n[node.a]\nplugin = \"test/source_numbers\"\n[node.out]\nplugin = \"test/collect\"\nin = \"a\"\n");
  EXPECT_EQ(flowrun({"--threads", "2", "--set", "run.seed=3", "graph.toml", "--artifacts", "a"}).exit_code, 0);
  EXPECT_EQ(flowrun({"-q", "--limit", "3", "graph.toml", "--artifacts", "a", "--output", "limited"}).exit_code, 0);
}

TEST_F(GraphErrors, AFailedRunAnswersInJsonToo) {
  const auto failed = flowrun({"run", "nosuch.toml", "--json"});
  EXPECT_EQ(failed.exit_code, 66) << failed;
  const auto object = nlohmann::json::parse(failed.out);
  EXPECT_EQ(object["version"], 1);
  EXPECT_EQ(object["status"], "failed");
  EXPECT_EQ(object["exit_code"], 66);
}

TEST_F(GraphErrors, JsonIsAloneOnStdout) {
  write("graph.toml", "[run]\nname = \"t\"\n[node.a]\nplugin = \"test/source_numbers\"\n[node.out]\nplugin = \"test/collect\"\nin = \"a\"\n");
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"run", "graph.toml", "--artifacts", "a", "--json"}, {"plan", "graph.toml", "--artifacts", "a", "--json"}, {"validate", "graph.toml", "--json"},
        {"list", "--json"}, {"inspect", "readers/text", "--json"}}) {
    const auto finished = flowrun(arguments);
    EXPECT_EQ(finished.exit_code, 0) << finished;
    const auto object = nlohmann::json::parse(finished.out, nullptr, false);
    ASSERT_TRUE(object.is_object()) << arguments[0] << "\n" << finished;
    EXPECT_EQ(object["version"].is_number() ? object["version"].get<int>() : 1, 1) << finished.out;
    EXPECT_TRUE(object.contains("version")) << arguments[0];
  }
}

TEST_F(GraphErrors, AColumnThatNoFileHasIsWrongInTheGraph) {
  write("in/a.csv", "text,author\none,A\n");
  write("in/b.csv", "text,author\ntwo,B\n");
  const auto run_with = [&](const std::string& column, const std::string& on_error) {
    write("graph.toml", "[run]\nname = \"t\"\n\n[node.table]\nplugin = \"readers/csv\"\npaths = [\"in/*\"]\ncolumns = [\"" + column + "\"]\non_error = \"" + on_error +
                            "\"\n[node.out]\nplugin = \"writers/jsonl\"\nin = \"table\"\npath = \"out.jsonl\"\n");
    return flowrun({"run", "graph.toml", "--output", "run", "--no-cache", "--fresh"});
  };
  for (const char* on_error : {"stop", "skip"}) {
    const auto refused = run_with("auhtor", on_error);
    EXPECT_EQ(refused.exit_code, 78) << refused;
    EXPECT_NE(refused.err.find("error: no file has the columns that are named; in/a.csv: the header has no column 'auhtor', it has 'text', 'author'; did you mean 'author'?\n"
                               "  in node 'table' (readers/csv 0.1.0)\n  at graph.toml:4:1"),
              std::string::npos)
        << refused;
  }
  write("in/b.csv", "text,auhtor\ntwo,B\n");
  const auto damaged = run_with("auhtor", "stop");
  EXPECT_EQ(damaged.exit_code, 65) << "one file has it, so the other is at fault: " << damaged;
  EXPECT_NE(damaged.err.find("file 'in/a.csv'"), std::string::npos) << damaged;
}

}  // namespace
}  // namespace flowrun::testing
