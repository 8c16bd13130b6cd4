// Nodes that take something out of texts, one behind another: the same bytes for any threads, batches and memory, and an account that comes out even.

#include <fmt/format.h>

#include <random>

#include "support/pipeline.hpp"

namespace flowrun::testing {
namespace {

class CleanTexts : public RunTest {
 protected:
  void SetUp() override {
    Prose prose(5);
    std::mt19937_64 random(3);
    std::string records;
    for (int i = 0; i < 600; ++i) {
      std::string text = prose.document() + "\n";
      for (int line = 0; line < 120; ++line) text += fmt::format("line {} of a menu\n", random() % 150000);
      if (i % 7 == 0) text += fmt::format("write to user{}@firm.de or call +49 30 {:06}\n", i, i * 911);
      if (i % 50 == 0) text += "how many legs has a spider it has eight of them " + std::to_string(i) + "\n";
      records += nlohmann::json{{"id", fmt::format("d{}", i)}, {"text", text}}.dump() + "\n";
    }
    write("books.jsonl", records);
    write("eval/legs.jsonl", "{\"query\":\"How many legs has a spider?\",\"label\":\"It has eight of them.\"}\n");
  }

  /// Runs the graph with a cache of its own and returns what it gives.
  std::map<std::string, std::string> run_with(const std::string& run_keys, const std::string& memory, const std::string& output, std::vector<std::string> more = {}) const {
    write("graph.toml", "[run]\nname = \"t\"\n" + run_keys +
                            "[node.books]\nplugin = \"readers/jsonl\"\npaths = [\"books.jsonl\"]\nid_field = \"id\"\n"
                            "[node.lines]\nplugin = \"dedupers/exact\"\nin = \"books\"\nby = \"line\"\n" + memory +
                            "[node.documents]\nplugin = \"dedupers/bloom\"\nin = \"lines\"\ncapacity = 1000\n"
                            "[node.anonymous]\nplugin = \"filters/pii\"\nin = \"documents\"\nmode = \"tag\"\n"
                            "[node.clean]\nplugin = \"filters/decontaminate\"\nin = \"anonymous\"\nmode = \"split\"\nn_grams = 8\nevaluation_sets = [\"eval/*.jsonl\"]\n"
                            "[node.out]\nplugin = \"writers/jsonl\"\nin = \"clean.out\"\npath = \"out.jsonl\"\n"
                            "[node.report]\nplugin = \"writers/jsonl\"\nin = \"clean.contaminated\"\npath = \"report.jsonl\"\n");
    more.insert(more.begin(), {"run", "graph.toml", "--output", output, "--artifacts", "artifacts-" + output});
    const auto finished = flowrun(std::move(more));
    EXPECT_EQ(finished.exit_code, 0) << finished;
    expect_exact_sums(json(output + "/funnel.json"));
    auto files = artifacts_of(output, "artifacts-" + output);
    for (const char* name : {"funnel.json", "out.jsonl", "report.jsonl"}) files[name] = read(output + "/" + name);
    return files;
  }
};

TEST_F(CleanTexts, AreTheSameForAnyThreadsBatchesAndMemory) {
  const auto expected = run_with("", "", "one", {"--threads", "1"});
  EXPECT_EQ(differences(expected, run_with("", "", "two", {"--threads", "2"})), std::vector<std::string>{});
  EXPECT_EQ(differences(expected, run_with("", "", "four", {"--threads", "4"})), std::vector<std::string>{});
  EXPECT_EQ(differences(expected, run_with("batch_bytes = 3000\n", "", "small", {"--threads", "2"})), std::vector<std::string>{});
  EXPECT_EQ(differences(expected, run_with("batch_documents = 7\n", "", "few")), std::vector<std::string>{});
  EXPECT_EQ(differences(expected, run_with("", "memory_bytes = 1_048_576\n", "spilled")), std::vector<std::string>{}) << "less than the lines take";
}

TEST_F(CleanTexts, AreAccountedFor) {
  run_with("", "", "run");
  const auto nodes = json("run/funnel.json")["nodes"];
  EXPECT_LT(nodes["lines"]["changed"]["bytes"], -100'000) << "lines that came before";
  EXPECT_NE(nodes["anonymous"]["changed"]["bytes"], 0);
  const auto report = json_lines("run/report.jsonl");
  EXPECT_EQ(report.size(), 12u);
  EXPECT_EQ(report.size() + json_lines("run/out.jsonl").size(), nodes["clean"]["in"]["documents"]);
  for (const auto& row : report) {
    EXPECT_EQ(row["decontaminate.set"], "eval/legs.jsonl");
    EXPECT_EQ(row["decontaminate.item"], 0);
    EXPECT_EQ(row["decontaminate.ngram"], "how many legs has a spider it has");
  }
  EXPECT_NE(read("run/out.jsonl").find("write to <EMAIL> or call <PHONE>"), std::string::npos);
  EXPECT_EQ(read("run/out.jsonl").find("@firm.de"), std::string::npos);
}

TEST_F(CleanTexts, WantAFilterThatFitsIntoMemory) {
  write("graph.toml", "[run]\nname = \"t\"\n[node.books]\nplugin = \"readers/jsonl\"\npaths = [\"books.jsonl\"]\n"
                      "[node.unique]\nplugin = \"dedupers/bloom\"\nin = \"books\"\ncapacity = 1_000_000_000\n[node.out]\nplugin = \"writers/jsonl\"\nin = \"unique\"\npath = \"out.jsonl\"\n");
  const auto refused = flowrun({"run", "graph.toml", "--output", "run"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_NE(refused.err.find("have 'memory_bytes' = 268435456: that is enough for a capacity of "), std::string::npos) << refused;
}

}  // namespace
}  // namespace flowrun::testing
