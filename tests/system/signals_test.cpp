// A run that is told to stop stops and goes on later (how soon: bench/startup.py); one whose writer stalls holds no more memory than it was given.

#include <fmt/format.h>

#include "support/run_test.hpp"

namespace flowrun::testing {
namespace {

class Signals : public RunTest {
 protected:
  /// 100 batches of one document, each of which takes its time.
  void write_slow(double seconds_per_batch) {
    write("slow.toml", fmt::format("[run]\nname = \"slow\"\nbatch_documents = 1\n[node.a]\nplugin = \"test/source_numbers\"\ndocuments = 25\n"
                                   "[node.w]\nplugin = \"test/slow_writer\"\nin = \"a\"\nseconds_per_batch = {}\n",
                                   seconds_per_batch));
  }
  static std::vector<std::string> arguments() { return {"run", "slow.toml", "--output", "run", "--artifacts", "artifacts", "--threads", "2"}; }

  /// Waits until the run says in progress.json that its source has given something; counters are sampled once a second.
  nlohmann::json wait_for_progress(const Process& process, const std::string& after = {}) const {
    Watchdog watchdog(30);
    watchdog.begins("waiting for progress.json of " + std::to_string(process.pid()));
    for (;;) {
      std::this_thread::yield();
      if (!std::filesystem::exists(path("run/progress.json"))) continue;
      const std::string text = read("run/progress.json");
      if (text != after) return nlohmann::json::parse(text);
    }
  }
};

/// A signal, and the exit code that says so.
struct Stop {
  const char* name;
  int signal, exit_code;
};

class StoppedBy : public Signals, public ::testing::WithParamInterface<Stop> {};

TEST_P(StoppedBy, EndsAndGoesOnLater) {
  write_slow(0.02);
  Process process(command(arguments()));
  wait_for_progress(process);
  process.send(GetParam().signal);
  const auto stopped = process.wait(30);
  EXPECT_EQ(stopped.exit_code, GetParam().exit_code) << stopped;
  EXPECT_NE(stopped.err.find("the same command goes on with it"), std::string::npos) << stopped;
  EXPECT_EQ(json("run/manifest.json")["status"], "stopped");
  EXPECT_EQ(json("run/manifest.json")["exit_code"], GetParam().exit_code);
  EXPECT_FALSE(std::filesystem::exists(path("run/count.txt")));
  const auto again = flowrun(arguments());
  ASSERT_EQ(again.exit_code, 0) << again;
  EXPECT_NE(again.err.find("going on with"), std::string::npos) << again;
  EXPECT_EQ(read("run/count.txt"), "100\n");
  expect_exact_sums(json("run/funnel.json"));
}

INSTANTIATE_TEST_SUITE_P(Each, StoppedBy, ::testing::Values(Stop{"Int", SIGINT, 130}, Stop{"Term", SIGTERM, 143}, Stop{"Usr1", SIGUSR1, 75}),
                         [](const auto& one) { return std::string(one.param.name); });

TEST_F(Signals, AStalledWriterHoldsTheSourceAtItsCredits) {
  constexpr std::int64_t kMemory = 200'000;
  // A gigabyte waits in the source; the writer never finishes its first batch.
  write("slow.toml", fmt::format("[run]\nname = \"slow\"\nbatch_bytes = 10_000\nmemory_bytes = {}\n[node.a]\nplugin = \"test/source_numbers\"\nunits = 100\ndocuments = 10_000\n"
                                 "text_bytes = 1_000\n[node.drop]\nplugin = \"test/drop_share\"\nin = \"a\"\nshare = 0.5\n[node.w]\nplugin = \"test/slow_writer\"\nin = \"drop\"\n",
                                 kMemory));
  Process process(command(arguments()));
  const auto first = wait_for_progress(process);
  // The second sample shows the same counters: nothing moves.
  Watchdog watchdog(30);
  watchdog.begins("waiting for a second sample");
  const auto written = std::filesystem::last_write_time(path("run/progress.json"));
  while (std::filesystem::last_write_time(path("run/progress.json")) == written) std::this_thread::yield();
  const auto second = nlohmann::json::parse(read("run/progress.json"));
  EXPECT_EQ(first["nodes"], second["nodes"]);
  EXPECT_GT(first["nodes"]["a"]["out"]["bytes"], 0);
  EXPECT_LE(second["credits_peak_bytes"], kMemory);
  EXPECT_LE(second["nodes"]["a"]["out"]["bytes"], kMemory);
#if !defined(__SANITIZE_ADDRESS__)
  std::istringstream pages(read_file(fmt::format("/proc/{}/statm", process.pid())));
  std::int64_t all = 0, resident = 0;
  pages >> all >> resident;
  EXPECT_LT(resident * ::sysconf(_SC_PAGESIZE), 100'000'000);
#endif
  process.send(SIGINT);
  EXPECT_EQ(process.wait(30).exit_code, 130);
}

TEST_F(Signals, BeforeAnythingRunsAreObeyedToo) {
  // The run waits for another one that builds the same artifact, and is stopped while it waits.
  write_slow(3600);
  Process holder(command(arguments()));
  wait_for_progress(holder);
  auto elsewhere = arguments();
  elsewhere[3] = "other";
  Process waiting(command(elsewhere));
  Watchdog watchdog(30);
  watchdog.begins("waiting for the second run's manifest");
  while (!std::filesystem::exists(path("other/manifest.json"))) std::this_thread::yield();
  waiting.send(SIGTERM);
  const auto stopped = waiting.wait(30);
  EXPECT_EQ(stopped.exit_code, 143) << stopped;
  holder.send(SIGINT);
  EXPECT_EQ(holder.wait(30).exit_code, 130);
}

}  // namespace
}  // namespace flowrun::testing
