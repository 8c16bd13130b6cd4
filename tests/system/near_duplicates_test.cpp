// A deduper that must see all documents first gives those that stay, in order: the same bytes for any threads, batches and memory, with every document that goes named beside the
// one that stays in its place.

#include <fmt/format.h>

#include <random>

#include "support/pipeline.hpp"
#include "support/unpack_zstd.hpp"

namespace flowrun::testing {
namespace {

class NearDuplicates : public RunTest {
 protected:
  void SetUp() override {
    Prose prose(5);
    std::mt19937_64 random(3);
    std::vector<std::string> texts;
    std::string books, web;
    for (int i = 0; i < 900; ++i) {
      std::string text = prose.document();
      if (i > 0 && random() % 3 == 0) {
        text = texts[random() % texts.size()];
        text += " and then some more words";
      }
      texts.push_back(text);
      (i < 300 ? books : web) += nlohmann::json{{"id", fmt::format("{}{}", i < 300 ? "book" : "page", i)}, {"text", text}, {"n", i}}.dump() + "\n";
    }
    write("books.jsonl", books);
    write("web.jsonl", web);
  }

  void write_graph(const std::string& run_keys, const std::string& keys) const {
    write("graph.toml", "[run]\nname = \"t\"\n" + run_keys +
                            "[node.books]\nplugin = \"readers/jsonl\"\npaths = [\"books.jsonl\"]\nid_field = \"id\"\ncolumns = [\"n: integer\"]\n"
                            "[node.web]\nplugin = \"readers/jsonl\"\npaths = [\"web.jsonl\"]\nid_field = \"id\"\n"
                            "[node.distinct]\nplugin = \"dedupers/minhash_lsh\"\nin = [\"books\", \"web\"]\n" +
                            keys + "[node.out]\nplugin = \"writers/jsonl\"\nin = \"distinct\"\npath = \"out.jsonl\"\n");
  }

  /// Runs the graph with a cache of its own and returns what it gives.
  std::map<std::string, std::string> run_with(const std::string& run_keys, const std::string& keys, const std::string& output, std::vector<std::string> more = {}) const {
    write_graph(run_keys, keys);
    more.insert(more.begin(), {"run", "graph.toml", "--output", output, "--artifacts", "artifacts-" + output});
    const auto finished = flowrun(std::move(more));
    EXPECT_EQ(finished.exit_code, 0) << finished;
    expect_exact_sums(json(output + "/funnel.json"));
    auto files = artifacts_of(output, "artifacts-" + output);
    for (const char* name : {"funnel.json", "dropped.jsonl.zst", "out.jsonl"}) files[name] = read(output + "/" + name);
    return files;
  }

  std::vector<nlohmann::json> drops_of(const std::string& output) const {
    std::vector<nlohmann::json> drops;
    std::istringstream lines(unpack_zstd(read(output + "/dropped.jsonl.zst")));
    for (std::string line; std::getline(lines, line);) drops.push_back(nlohmann::json::parse(line));
    return drops;
  }
};

TEST_F(NearDuplicates, GoWithTheNameOfTheOneThatStays) {
  run_with("", "", "run");
  const auto node = json("run/funnel.json")["nodes"]["distinct"];
  const auto kept = json_lines("run/out.jsonl");
  const auto drops = drops_of("run");
  EXPECT_EQ(node["in"]["documents"], 900);
  EXPECT_EQ(node["out"]["documents"], kept.size());
  EXPECT_EQ(node["dropped"]["near_duplicate"]["documents"], drops.size());
  EXPECT_EQ(kept.size() + drops.size(), 900u);
  EXPECT_GT(drops.size(), 200u);

  std::map<std::string, int> order;
  std::set<std::string> stays;
  for (const auto& one : kept) stays.insert(one["id"]);
  const auto number = [](const std::string& id) { return std::stoi(id.substr(4)); };
  int last = -1;
  for (const auto& drop : drops) {
    EXPECT_EQ(drop["node"], "distinct");
    EXPECT_EQ(drop["reason"], "near_duplicate");
    EXPECT_TRUE(stays.contains(drop["kept"])) << drop;
    EXPECT_LT(number(drop["kept"]), number(drop["id"])) << "books come first";
    EXPECT_GT(number(drop["id"]), last) << "in order";
    last = number(drop["id"]);
  }
  for (std::size_t i = 1; i < kept.size(); ++i) EXPECT_LT(number(kept[i - 1]["id"]), number(kept[i]["id"])) << "in order";
  EXPECT_EQ(kept.front()["n"], 0) << "columns that the deduper does not know stay";
  EXPECT_EQ(json("run/funnel.json")["nodes"]["out"]["in"]["documents"], kept.size());
}

TEST_F(NearDuplicates, AreTheSameForAnyThreadsBatchesAndMemory) {
  for (const char* mode : {"equal", "fast"}) {
    const std::string keys = fmt::format("mode = \"{}\"\n", mode), name = mode;
    const auto expected = run_with("", keys, name + "-one", {"--threads", "1"});
    EXPECT_GT(expected.at("out.jsonl").size(), 50'000u);
    EXPECT_EQ(differences(expected, run_with("", keys, name + "-two", {"--threads", "2"})), std::vector<std::string>{}) << mode;
    EXPECT_EQ(differences(expected, run_with("", keys, name + "-four", {"--threads", "4"})), std::vector<std::string>{}) << mode;
    EXPECT_EQ(differences(expected, run_with("batch_bytes = 3000\n", keys, name + "-small", {"--threads", "2"})), std::vector<std::string>{}) << mode;
    EXPECT_EQ(differences(expected, run_with("batch_documents = 7\n", keys, name + "-few", {"--threads", "4"})), std::vector<std::string>{}) << mode;
    EXPECT_EQ(differences(expected, run_with("batch_bytes = 10_000_000\n", keys, name + "-large")), std::vector<std::string>{}) << mode;
    EXPECT_EQ(differences(expected, run_with("", keys + "memory_bytes = 100_000\n", name + "-spilled")), std::vector<std::string>{}) << mode;
  }
}

TEST_F(NearDuplicates, AreTakenFromTheCacheWithTheirAccount) {
  const auto first = run_with("", "", "first");
  const std::string funnel = read("first/funnel.json"), drops = read("first/dropped.jsonl.zst");
  const auto again = flowrun({"run", "graph.toml", "--output", "second", "--artifacts", "artifacts-first"});
  EXPECT_EQ(again.exit_code, 0) << again;
  EXPECT_EQ(read("second/funnel.json"), funnel);
  EXPECT_EQ(read("second/dropped.jsonl.zst"), drops);
}

TEST_F(NearDuplicates, LeaveNothingBehindButTheirSpool) {
  run_with("", "", "run");
  for (const auto& [name, bytes] : read_tree(path("artifacts-run")))
    EXPECT_EQ(name.find("seen"), std::string::npos) << name;
}

TEST_F(NearDuplicates, CanBeTapped) {
  write_graph("", "");
  const auto tapped = flowrun({"tap", "graph.toml", "distinct", "-n", "2", "--artifacts", "artifacts-tap"});
  EXPECT_EQ(tapped.exit_code, 0) << tapped;
  EXPECT_NE(tapped.out.find("book0"), std::string::npos) << tapped;
}

TEST_F(NearDuplicates, TrainATokenizerBehindThem) {
  write_graph("", "");
  write("graph.toml", read("graph.toml") + "[node.vocabulary]\nplugin = \"tokenizers/bpe_trainer\"\nin = \"distinct\"\nvocab_size = 300\n");
  const auto finished = flowrun({"run", "graph.toml", "--output", "run", "--artifacts", "artifacts"});
  EXPECT_EQ(finished.exit_code, 0) << finished;
  const auto nodes = json("run/funnel.json")["nodes"];
  EXPECT_EQ(nodes["vocabulary"]["in"], nodes["distinct"]["out"]);
}

TEST_F(NearDuplicates, AreRefusedInAGraphThatAsksForOtherHashes) {
  write_graph("", "hash_bits = 48\n");
  const auto refused = flowrun({"run", "graph.toml", "--output", "run"});
  EXPECT_EQ(refused.exit_code, 78) << refused;
  EXPECT_NE(refused.err.find("'hash_bits' is 48, expected 32 or 64"), std::string::npos) << refused;
  EXPECT_NE(refused.err.find("graph.toml:"), std::string::npos) << refused;
}

}  // namespace
}  // namespace flowrun::testing
