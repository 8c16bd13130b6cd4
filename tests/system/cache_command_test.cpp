// `flowrun cache`: what it lists is what lies there, what it removes can be made again, and it never takes what a run needs.

#include <fcntl.h>
#include <sys/stat.h>

#include <ctime>

#include "support/pipeline.hpp"

namespace flowrun::testing {
namespace {

class CacheCommand : public PipelineTest {
 protected:
  CacheCommand() { write_pipeline(2, 60'000); }

  nlohmann::json finish(const std::string& output, std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--artifacts", "artifacts"});
    const auto finished = flowrun(prepare(output, more));
    EXPECT_EQ(finished.exit_code, 0) << finished;
    return nlohmann::json::parse(finished.out, nullptr, false);
  }
  nlohmann::json cache(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "cache");
    arguments.insert(arguments.end(), {"--json", "--artifacts", path("artifacts")});
    const auto finished = flowrun(arguments);
    EXPECT_EQ(finished.exit_code, 0) << finished;
    return nlohmann::json::parse(finished.out, nullptr, false);
  }
  static std::vector<std::string> keys(const nlohmann::json& artifacts) {
    std::vector<std::string> list;
    for (const auto& artifact : artifacts) list.push_back(artifact["key"]);
    std::sort(list.begin(), list.end());
    return list;
  }
  static std::vector<std::string> keys_of_run(const nlohmann::json& manifest) {
    auto list = keys(manifest["artifacts"]);
    list.erase(std::unique(list.begin(), list.end()), list.end());
    return list;
  }
  std::string folder_of(const std::string& key) const { return path("artifacts/" + key.substr(0, 2) + "/" + key); }
  /// Lets the artifacts of a run look as if nothing had used them for so many days.
  void age(const nlohmann::json& manifest, int days) const {
    for (const auto& key : keys_of_run(manifest)) {
      const timespec time{std::time(nullptr) - days * 86400, 0}, times[2] = {time, time};
      ASSERT_EQ(::utimensat(AT_FDCWD, (folder_of(key) + "/manifest.json").c_str(), times, 0), 0);
    }
  }
};

TEST_F(CacheCommand, ListsEveryArtifactWithItsSize) {
  finish("run");
  const auto listed = cache({"list"});
  EXPECT_EQ(listed["version"], 1);
  EXPECT_EQ(listed["folder"], path("artifacts"));
  EXPECT_EQ(keys(listed["artifacts"]), keys_of_run(json("run/manifest.json")));
  std::int64_t total = 0;
  for (const auto& artifact : listed["artifacts"]) {
    std::int64_t bytes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_of(artifact["key"])))
      if (entry.is_regular_file() && entry.path().filename() != "manifest.json") bytes += static_cast<std::int64_t>(entry.file_size());
    EXPECT_EQ(artifact["bytes"], bytes);
    EXPECT_FALSE(artifact["in_use"]);
    EXPECT_TRUE(artifact["plugin"].is_string());
    total += bytes;
  }
  EXPECT_EQ(listed["bytes"], total);
}

TEST_F(CacheCommand, RemovesWhatNoRunHasUsedForSoManyDays) {
  finish("run");
  const auto old_manifest = json("run/manifest.json");
  age(old_manifest, 10);
  // The second run uses some of the first one's artifacts, which makes them new again.
  finish("run", {"--set", "node.good.min_doc_words=80"});
  const auto new_keys = keys_of_run(json("run/manifest.json"));
  const auto dry = cache({"prune", "--keep-days", "5", "--dry-run"});
  const auto pruned = cache({"prune", "--keep-days", "5"});
  EXPECT_EQ(keys(dry["removed"]), keys(pruned["removed"]));
  EXPECT_EQ(keys(pruned["kept"]), new_keys);
  EXPECT_FALSE(pruned["removed"].empty());
  EXPECT_EQ(keys(cache({"list"})["artifacts"]), new_keys);
  for (const auto& key : keys(pruned["removed"])) EXPECT_FALSE(std::filesystem::exists(folder_of(key)));
  EXPECT_FALSE(std::filesystem::exists(path("artifacts/staging/removed")));
}

TEST_F(CacheCommand, KeepsWhatWasUsedLastWithinTheBytes) {
  finish("run");
  age(json("run/manifest.json"), 10);
  finish("run", {"--set", "node.good.min_doc_words=80"});
  const auto newest = cache({"list"})["artifacts"];
  std::int64_t bytes = 0;
  for (const auto& artifact : newest)
    if (artifact["in_use"] == false && artifact["used_time"] == newest[0]["used_time"]) bytes += artifact["bytes"].get<std::int64_t>();
  const auto pruned = cache({"prune", "--max-bytes", std::to_string(bytes)});
  EXPECT_LE(pruned["kept_bytes"], bytes);
  EXPECT_FALSE(pruned["removed"].empty());
  const auto all = cache({"prune", "--max-bytes", "0"});
  for (const auto& artifact : all["kept"]) EXPECT_EQ(artifact["bytes"], 0);
}

TEST_F(CacheCommand, WhatWasRemovedIsMadeAgainWithTheSameBytes) {
  finish("run");
  const auto before = read_tree(path("artifacts"));
  const auto pruned = cache({"prune", "--keep-days", "0"});
  EXPECT_EQ(keys(pruned["removed"]), keys_of_run(json("run/manifest.json")));
  finish("again");
  std::size_t compared = 0;
  for (const auto& [name, content] : read_tree(path("artifacts"))) {
    if (name.find('/') != 2 || name.ends_with("/manifest.json")) continue;  // a manifest has the time
    EXPECT_EQ(content, before.at(name)) << name;
    ++compared;
  }
  EXPECT_GT(compared, 0u);
}

TEST_F(CacheCommand, KeepsWhatARunUses) {
  finish("run");
  const auto keys_before = keys_of_run(json("run/manifest.json"));
  // What a running process writes there: the keys, under a lock.
  std::filesystem::create_directories(path("artifacts/uses"));
  write("artifacts/uses/other", keys_before.front() + "\n");
  auto shell = [&](const std::string& script) { return run({{"/bin/sh", "-c", script}, path("")}); };
  const auto pruned = shell("flock artifacts/uses/other '" + kFlowrun + "' cache prune --keep-days 0 --json --artifacts artifacts");
  ASSERT_EQ(pruned.exit_code, 0) << pruned;
  EXPECT_EQ(keys(nlohmann::json::parse(pruned.out)["kept"]), std::vector<std::string>{keys_before.front()});
  // Without the lock the process is gone.
  EXPECT_EQ(keys(cache({"prune", "--keep-days", "0"})["removed"]), std::vector<std::string>{keys_before.front()});
  EXPECT_FALSE(std::filesystem::exists(path("artifacts/uses/other")));
}

TEST_F(CacheCommand, ARunNotesWhatItUsesAndForgetsItAtItsEnd) {
  finish("run");
  EXPECT_TRUE(std::filesystem::is_empty(path("artifacts/uses")));
}

TEST_F(CacheCommand, RemovesDamagedArtifactsAndWhatUnfinishedBuildsHaveLeft) {
  finish("run");
  const auto key = keys_of_run(json("run/manifest.json")).front();
  std::filesystem::permissions(folder_of(key) + "/manifest.json", std::filesystem::perms::owner_all);
  write("artifacts/" + key.substr(0, 2) + "/" + key + "/manifest.json", "{");
  const std::string other(64, 'a');
  write("artifacts/staging/" + other + "/data.spool", "half");
  std::map<std::string, std::string> types;
  const auto listed = cache({"list"});
  for (const auto& artifact : listed["artifacts"]) types[artifact["key"]] = artifact["type"];
  EXPECT_EQ(types.at(key), "damaged");
  EXPECT_EQ(types.at(other), "unfinished");
  const auto pruned = cache({"prune", "--max-bytes", "1TB"});
  EXPECT_EQ(keys(pruned["removed"]), (std::vector<std::string>{std::min(key, other), std::max(key, other)}));
}

TEST_F(CacheCommand, RefusesWhatIsNoQuestion) {
  const auto refused = [&](const std::vector<std::string>& arguments, int code, const char* text) {
    const auto finished = flowrun(arguments);
    EXPECT_EQ(finished.exit_code, code) << finished;
    EXPECT_NE(finished.err.find(text), std::string::npos) << finished;
  };
  refused({"cache"}, 2, "subcommand");
  refused({"cache", "prune"}, 2, "Exactly 1 option from [--keep-days,--max-bytes] is required");
  refused({"cache", "prune", "--keep-days", "1", "--max-bytes", "1"}, 2, "Exactly 1 option from [--keep-days,--max-bytes] is required");
  refused({"cache", "prune", "--keep-days", "-1"}, 2, "--keep-days");
  refused({"cache", "prune", "--max-bytes", "much"}, 2, "--max-bytes");
  refused({"cache", "list", "--artifacts", "nosuch"}, 66, "'nosuch' does not exist");
  const auto empty = flowrun({"cache", "list"});
  EXPECT_EQ(empty.exit_code, 0) << empty;
  EXPECT_NE(empty.out.find("0 artifacts"), std::string::npos) << empty;
}

}  // namespace
}  // namespace flowrun::testing
