// A process that dies at any of its writes, or whose disk fails there, leaves nothing wrong: the same command then ends with the bytes of a run that
// nothing disturbed. The points are counted operations (FLOWRUN_FAULT), so each is the same place on every machine.

#include <fmt/format.h>

#include "support/pipeline.hpp"

namespace flowrun::testing {
namespace {

class Faults : public PipelineTest {
 protected:
  Faults() {
    write_pipeline(2, 40'000);
    const auto finished = flowrun(prepare("undisturbed"));
    EXPECT_EQ(finished.exit_code, 0) << finished;
    expected_ = results("undisturbed");
    EXPECT_GE(expected_.size(), 15u);
  }

  /// Runs the graph with a fault into `output`.
  Finished run_faulty(const std::string& output, const std::string& fault) const {
    return flowrun(prepare(output), {{"FLOWRUN_FAULT", fault}, {"FLOWRUN_FAULT_LOG", path(output + ".log")}});
  }

  void expect_same_as_undisturbed(const std::string& output) const {
    const auto resumed = flowrun(prepare(output));
    ASSERT_EQ(resumed.exit_code, 0) << resumed;
    EXPECT_EQ(differences(expected_, results(output)), std::vector<std::string>{});
    EXPECT_EQ(json(output + "/manifest.json")["status"], "finished");
    for (const auto& [name, bytes] : read_tree(path(output))) EXPECT_FALSE(name.ends_with(".tmp")) << name;
    EXPECT_TRUE(read_tree(path("artifacts-" + output + "/staging")).empty());
  }

  /// Returns how many operations a whole run makes in a phase: the last one that still kills it.
  int count_operations(const std::string& phase) const {
    int kills = 0, passes = 1;
    const auto dies_at = [&](int operation) {
      const std::string output = fmt::format("probe-{}-{}", phase, operation);
      const auto finished = run_faulty(output, fmt::format("{}:{}", phase, operation));
      EXPECT_TRUE(finished.signal == SIGKILL || finished.exit_code == 0) << finished;
      for (const auto& folder : {output, "artifacts-" + output}) std::filesystem::remove_all(path(folder));
      return finished.signal == SIGKILL;
    };
    while (dies_at(passes)) kills = std::exchange(passes, 2 * passes);
    while (passes - kills > 1) (dies_at((kills + passes) / 2) ? kills : passes) = (kills + passes) / 2;
    return kills;
  }

  std::map<std::string, std::string> expected_;
};

class KilledIn : public Faults, public ::testing::WithParamInterface<const char*> {};

TEST_P(KilledIn, EndsWithTheSameBytes) {
  const std::string phase = GetParam();
  const int operations = count_operations(phase);
  ASSERT_GE(operations, 10) << "too few to be worth a test";
  std::mt19937_64 random(20240502);
  for (int i = 0; i < 6; ++i) {
    // One draw in each sixth, so that early and late ones are among them. Threads may shift the last few operations.
    const int operation = 1 + (operations - 3) * i / 6 + static_cast<int>(random() % static_cast<std::uint64_t>((operations - 3) / 6 + 1));
    const std::string output = fmt::format("killed-{}", i);
    SCOPED_TRACE(fmt::format("{}:{} of {}", phase, operation, operations));
    const auto killed = run_faulty(output, fmt::format("{}:{}", phase, operation));
    ASSERT_EQ(killed.signal, SIGKILL) << killed;
    EXPECT_EQ(read(output + ".log").substr(0, phase.size() + 1), phase + " ");
    expect_same_as_undisturbed(output);
  }
}

TEST_P(KilledIn, IsKilledAgainAndAgain) {
  const std::string phase = GetParam();
  std::mt19937_64 random(20240503);
  int deaths = 0;
  for (int i = 0; i < 12 && deaths < 4; ++i) {
    const auto killed = run_faulty("run", fmt::format("{}:{}", phase, 1 + random() % 12));
    ASSERT_TRUE(killed.signal == SIGKILL || killed.exit_code == 0) << killed;
    deaths += killed.signal == SIGKILL ? 1 : 0;
  }
  EXPECT_EQ(deaths, 4);
  expect_same_as_undisturbed("run");
}

INSTANTIATE_TEST_SUITE_P(Phases, KilledIn, ::testing::Values("data", "save"), [](const auto& phase) { return std::string(phase.param); });

TEST_F(Faults, AFailingDiskIsNamedAndTheSameCommandGoesOn) {
  std::mt19937_64 random(20240504);
  std::map<std::string, int> failures;
  for (const char* phase : {"data", "save"})
    for (const char* action : {"eio", "enospc"})
      for (int i = 0; i < 4; ++i) {
        const std::string output = fmt::format("{}-{}-{}", phase, action, i);
        const std::string fault = fmt::format("{}:{}:{}", phase, 1 + random() % (std::string_view(phase) == "data" ? 100 : 20), action);
        SCOPED_TRACE(fault);
        const auto failed = run_faulty(output, fault);
        // The log and the cache of digests may fail: the run says so or does without them.
        ASSERT_TRUE(failed.exit_code == 74 || failed.exit_code == 0) << failed;
        if (failed.exit_code == 74) {
          EXPECT_NE(failed.err.find("injected by FLOWRUN_FAULT"), std::string::npos) << failed;
          EXPECT_NE(failed.err.find(std::string_view(action) == "eio" ? "Input/output error" : "No space left on device"), std::string::npos) << failed;
          // Where the manifest itself could not be written it stays as it was.
          const auto manifest = std::filesystem::exists(path(output + "/manifest.json")) ? json(output + "/manifest.json") : nlohmann::json{{"status", "running"}};
          if (manifest["status"] != "running") {
            ++failures[phase];
            EXPECT_EQ(manifest["status"], "failed");
            EXPECT_EQ(manifest["exit_code"], 74);
          }
        }
        expect_same_as_undisturbed(output);
      }
  EXPECT_GE(failures["data"], 3);
  EXPECT_GE(failures["save"], 3);
}

TEST_F(Faults, AFolderThatCannotBeWrittenIsNamed) {
  const auto refused = flowrun(prepare("/proc/run"));
  EXPECT_EQ(refused.exit_code, 73) << refused;
  EXPECT_NE(refused.err.find("'/proc/run'"), std::string::npos) << refused;
}

}  // namespace
}  // namespace flowrun::testing
