// What a run leaves is used again as long as nothing that decides it has changed, and never otherwise; nothing of the user's is deleted.

#include <fmt/format.h>

#include "support/pipeline.hpp"

namespace flowrun::testing {
namespace {

class Cache : public PipelineTest {
 protected:
  Cache() { write_pipeline(2, 60'000); }

  /// Runs the graph and returns its summary.
  nlohmann::json finish(const std::string& output, const std::vector<std::string>& more = {}) const {
    const auto finished = flowrun(prepare(output, more));
    EXPECT_EQ(finished.exit_code, 0) << finished;
    return nlohmann::json::parse(finished.out, nullptr, false);
  }
  nlohmann::json plan(const std::string& output, const std::vector<std::string>& more = {}) const {
    auto arguments = prepare(output, more);
    arguments[0] = "plan";
    const auto finished = flowrun(arguments);
    EXPECT_EQ(finished.exit_code, 0) << finished;
    return nlohmann::json::parse(finished.out, nullptr, false);
  }
  static std::vector<bool> cached(const nlohmann::json& plan_or_summary) {
    std::vector<bool> list;
    for (const auto& stage : plan_or_summary["stages"]) list.push_back(stage["cached"]);
    return list;
  }
  std::vector<std::string> folders() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path()))
      if (const std::string name = entry.path().filename(); name.starts_with("run")) names.push_back(name);
    std::sort(names.begin(), names.end());
    return names;
  }
};

TEST_F(Cache, AFinishedRunIsNotRunAgain) {
  const auto first = finish("run");
  EXPECT_EQ(first["status"], "finished");
  for (const bool one : cached(first)) EXPECT_FALSE(one);
  const auto before = read_tree(path("run"));
  const auto again = flowrun(prepare("run", {"--threads", "1"}));
  ASSERT_EQ(again.exit_code, 0) << again;
  EXPECT_NE(again.err.find("is finished"), std::string::npos) << again;
  EXPECT_EQ(nlohmann::json::parse(again.out)["documents"], first["documents"]);
  auto after = read_tree(path("run"));
  after["run.lock"] = before.at("run.lock");  // says who held it last
  EXPECT_EQ(differences(before, after), std::vector<std::string>{});
}

TEST_F(Cache, AChangedFilterRunsItsStageAndThoseAfterIt) {
  const auto first = finish("run");
  const auto old_keys = json("run/manifest.json")["artifacts"];
  const std::vector<std::string> change{"--set", "node.good.min_doc_words=80"};
  const auto planned = plan("run", change);
  // Where the filter stands decides what is done again.
  std::size_t filter_stage = 0;
  for (std::size_t s = 0; s < planned["stages"].size(); ++s)
    for (const auto& node : planned["stages"][s]["nodes"])
      if (node == "good") filter_stage = s;
  ASSERT_GE(filter_stage, 1u) << "the deduper is kept, so the filter runs in a later stage: " << planned;
  ASSERT_GT(planned["stages"].size(), filter_stage + 1);
  for (std::size_t s = 0; s < planned["stages"].size(); ++s) EXPECT_EQ(planned["stages"][s]["cached"], s < filter_stage) << planned["stages"][s];
  const auto changed = flowrun(prepare("run", change));
  ASSERT_EQ(changed.exit_code, 0) << changed;
  EXPECT_EQ(cached(nlohmann::json::parse(changed.out)), cached(planned));
  const auto aside = "run-" + first["graph_hash"].get<std::string>().substr(0, 8);
  EXPECT_NE(changed.err.find("'" + aside + "'"), std::string::npos) << changed;
  EXPECT_EQ(json(aside + "/manifest.json")["graph_hash"], first["graph_hash"]);
  const auto new_keys = json("run/manifest.json")["artifacts"];
  EXPECT_GE(new_keys.size(), 8u);
  for (const auto& artifact : new_keys) {
    const bool kept = std::find(old_keys.begin(), old_keys.end(), artifact) != old_keys.end();
    EXPECT_EQ(kept, artifact["node"] == "unique") << artifact;
  }
  // The cached stage is accounted for like the others.
  const auto funnel = json("run/funnel.json");
  expect_exact_sums(funnel);
  EXPECT_EQ(funnel["nodes"]["unique"], json(aside + "/funnel.json")["nodes"]["unique"]);
  EXPECT_GT(funnel["nodes"]["good"]["dropped"]["gopher_short_doc"]["documents"], json(aside + "/funnel.json")["nodes"]["good"]["dropped"]["gopher_short_doc"]["documents"]);
  // Going back, all is there already.
  for (const bool one : cached(finish("run"))) EXPECT_TRUE(one);
}

TEST_F(Cache, TheSavedGraphIsTheSameGraph) {
  const auto first = finish("run");
  std::filesystem::create_directories(path("elsewhere"));
  auto arguments = prepare(path("again"), {"--artifacts", path("artifacts-run")});
  arguments[1] = path("run/run.toml");
  auto elsewhere = command(arguments);
  elsewhere.folder = path("elsewhere");
  const auto again = run(elsewhere);
  ASSERT_EQ(again.exit_code, 0) << again;
  const auto summary = nlohmann::json::parse(again.out);
  EXPECT_EQ(summary["graph_hash"], first["graph_hash"]);
  for (const bool one : cached(summary)) EXPECT_TRUE(one) << again.out;
  EXPECT_EQ(read("run/funnel.json"), read("again/funnel.json"));
  // Overrides and a limit are part of what is saved.
  finish("limited", {"--limit", "20", "--set", "node.good.min_doc_words=70"});
  auto limited = prepare("limited-again");
  limited[1] = "limited/run.toml";
  const auto limited_again = flowrun(limited);
  ASSERT_EQ(limited_again.exit_code, 0) << limited_again;
  EXPECT_EQ(json("limited-again/manifest.json")["graph_hash"], json("limited/manifest.json")["graph_hash"]);
  EXPECT_EQ(read("limited-again/funnel.json"), read("limited/funnel.json"));
  EXPECT_EQ(json("limited/funnel.json")["nodes"]["books"]["out"]["documents"], 20);
}

TEST_F(Cache, AnArtifactThatLostAFileIsMadeAgain) {
  finish("run");
  const auto before = results("run");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path("artifacts-run")))
    if (entry.path().filename() == "data.spool") std::filesystem::remove(entry.path());
  ASSERT_EQ(flowrun(prepare("run", {"--fresh"})).exit_code, 0);
  EXPECT_EQ(differences(before, results("run")), std::vector<std::string>{});
}

TEST_F(Cache, ASecondRunWithoutCacheLeavesTheFirstOnesArtifactsAlone) {
  write("slow.toml", "[run]\nname = \"slow\"\nbatch_documents = 1\n[node.a]\nplugin = \"test/source_numbers\"\ndocuments = 25\n[node.w]\nplugin = \"test/slow_writer\"\nin = \"a\"\nseconds_per_batch = 0.02\n");
  const std::vector<std::string> arguments{"run", "slow.toml", "--output", "run", "--no-cache", "--threads", "2"};
  Process first(command(arguments));
  Watchdog watchdog(30);
  watchdog.begins("waiting for the first run's manifest");
  while (!std::filesystem::exists(path("run/manifest.json"))) std::this_thread::yield();
  EXPECT_EQ(flowrun(arguments).exit_code, 73);
  const auto finished = first.wait(60);
  EXPECT_EQ(finished.exit_code, 0) << finished;
  EXPECT_EQ(read("run/count.txt"), "100\n");
  EXPECT_FALSE(std::filesystem::exists(path("run.no-cache")));
  EXPECT_EQ(flowrun(arguments).exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(path("run.no-cache"))) << "a finished run needs none";
}

TEST_F(Cache, TotalsOfADiamondAreExact) {
  write("diamond.toml", R"([run]
name = "diamond"
[node.books]
plugin = "readers/text"
paths = ["books/*.txt"]
split = "blank_lines"
[node.one]
plugin = "dedupers/exact"
in = "books"
[node.other]
plugin = "filters/gopher_quality"
in = "books"
words = "whitespace"
[node.out]
plugin = "writers/jsonl"
in = ["one", "other"]
path = "out.jsonl"
)");
  const auto finished = flowrun({"run", "diamond.toml", "--output", "diamond", "--artifacts", "artifacts", "--json"});
  ASSERT_EQ(finished.exit_code, 0) << finished;
  const auto funnel = json("diamond/funnel.json");
  expect_exact_sums(funnel);
  // Both branches drop, so each has a copy; all of what is kept is written.
  EXPECT_EQ(funnel["total"]["in"]["documents"].get<int>(), 2 * funnel["nodes"]["books"]["out"]["documents"].get<int>());
  EXPECT_EQ(funnel["total"]["out"], funnel["nodes"]["out"]["out"]);
}

TEST_F(Cache, FreshSetsTheOldFolderAside) {
  const auto first = finish("run");
  const std::string aside = "run-" + first["graph_hash"].get<std::string>().substr(0, 8);
  const auto fresh = flowrun(prepare("run", {"--fresh"}));
  ASSERT_EQ(fresh.exit_code, 0) << fresh;
  EXPECT_NE(fresh.err.find("'" + aside + "'"), std::string::npos) << fresh;
  const auto third = flowrun(prepare("run", {"--fresh"}));
  EXPECT_NE(third.err.find("'" + aside + "-2'"), std::string::npos) << third;
  EXPECT_EQ(folders(), (std::vector<std::string>{"run", aside, aside + "-2"}));
  EXPECT_EQ(read(aside + "/funnel.json"), read("run/funnel.json"));
}

TEST_F(Cache, ChangedInputIsAnotherRun) {
  const auto first = finish("run");
  write("books/0.txt", read("books/0.txt") + "\n\nOne more document of the first file.\n");
  const auto changed = flowrun(prepare("run"));
  ASSERT_EQ(changed.exit_code, 0) << changed;
  EXPECT_NE(changed.err.find("of another graph, input or plugin"), std::string::npos) << changed;
  EXPECT_EQ(nlohmann::json::parse(changed.out)["graph_hash"], first["graph_hash"]);
  EXPECT_EQ(nlohmann::json::parse(changed.out)["documents"]["in"], first["documents"]["in"].get<int>() + 1);
  for (const bool one : cached(nlohmann::json::parse(changed.out))) EXPECT_FALSE(one);
}

TEST_F(Cache, SettingsThatDecideNoByteAreTheSameRun) {
  const auto first = finish("run");
  const auto again = finish("run", {"--threads", "3", "--set", "run.batch_bytes=5000", "--set", "run.memory_bytes=1000000", "--set", "run.name=other"});
  EXPECT_EQ(again, first);
  EXPECT_EQ(folders(), std::vector<std::string>{"run"});
}

TEST_F(Cache, ALockedFolderIsLeftAlone) {
  write("slow.toml", "[run]\nname = \"slow\"\n[node.a]\nplugin = \"test/source_numbers\"\n[node.w]\nplugin = \"test/slow_writer\"\nin = \"a\"\n");
  const std::vector<std::string> arguments{"run", "slow.toml", "--output", "run", "--artifacts", "artifacts"};
  Process holder(command(arguments));
  Watchdog watchdog(30);
  watchdog.begins("waiting for the first run's manifest");
  while (!std::filesystem::exists(path("run/manifest.json"))) std::this_thread::yield();
  const auto refused = flowrun(arguments);
  EXPECT_EQ(refused.exit_code, 73) << refused;
  EXPECT_NE(refused.err.find(fmt::format("pid {} on ", holder.pid())), std::string::npos) << refused;
  holder.send(SIGKILL);
  EXPECT_EQ(holder.wait(10).signal, SIGKILL);
  // The lock went with its holder.
  const auto next = flowrun({"run", "slow.toml", "--output", "run", "--artifacts", "artifacts", "--set", "node.w.seconds_per_batch=0"});
  EXPECT_EQ(next.exit_code, 0) << next;
}

TEST_F(Cache, AFolderThatIsNoRunsIsNotTouched) {
  write("mine/letter.txt", "dear");
  const auto refused = flowrun(prepare("mine"));
  EXPECT_EQ(refused.exit_code, 73) << refused;
  EXPECT_EQ(read_tree(path("mine")).size(), 1u);
  write("file", "");
  EXPECT_EQ(flowrun(prepare("file")).exit_code, 73);
}

TEST_F(Cache, WithoutCacheNothingIsReusedOrKept) {
  finish("run");
  const auto alone = finish("alone", {"--artifacts", "artifacts-run", "--no-cache"});
  for (const bool one : cached(alone)) EXPECT_FALSE(one);
  EXPECT_FALSE(std::filesystem::exists(path("alone.no-cache")));
  EXPECT_EQ(read("alone/funnel.json"), read("run/funnel.json"));
  EXPECT_EQ(read("alone/clean/heldout.jsonl"), read("run/clean/heldout.jsonl"));
}

}  // namespace
}  // namespace flowrun::testing
