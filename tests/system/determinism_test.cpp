// Nothing but the graph and its input decides a data artifact's bytes: not the threads, not the batches, not the credits.

#include "support/pipeline.hpp"

namespace flowrun::testing {
namespace {

class Determinism : public PipelineTest {
 protected:
  Determinism() {
    // 9 MB in files of which several make a unit, and several units a reader: they are read at once.
    write_pipeline(3, 1'500'000);
    write("counted.toml", read("prepare.toml") + "[node.batches]\nplugin = \"test/batch_sizes\"\nin = [\"books\", \"web\"]\n");
  }

  void run_counted(const std::string& output, const std::vector<std::string>& more) const {
    auto arguments = prepare(output, more);
    arguments[1] = "counted.toml";
    const auto finished = flowrun(arguments);
    ASSERT_EQ(finished.exit_code, 0) << finished;
    expect_exact_sums(json(output + "/funnel.json"));
  }

  std::map<std::string, std::string> results_without_batches(const std::string& output) const {
    auto files = results(output);
    EXPECT_EQ(files.erase("batches/output/output.txt"), 1u);
    return files;
  }
};

TEST_F(Determinism, AnyNumberOfThreadsGivesTheSameBytes) {
  run_counted("one", {"--threads", "1"});
  run_counted("two", {"--threads", "2"});
  run_counted("four", {"--threads", "4"});
  const auto expected = results("one");
  EXPECT_EQ(differences(expected, results("two")), std::vector<std::string>{});
  EXPECT_EQ(differences(expected, results("four")), std::vector<std::string>{});
  // What is compared is there, and took many batches.
  const std::string batches = read("one/batches.txt");
  EXPECT_GE(std::count(batches.begin(), batches.end(), '\n'), 100);
  EXPECT_EQ(batches, read("four/batches.txt"));
  for (const char* name : {"vocabulary/tokenizer/tokenizer.json", "train_tokens/tokens/data.spool", "train_tokens/tokens/index.spool", "clean/train.jsonl.zst", "funnel.json"}) {
    ASSERT_TRUE(expected.contains(name)) << name;
    EXPECT_GT(expected.at(name).size(), 500u) << name;
  }
  const auto nodes = json("one/funnel.json")["nodes"];
  for (const char* name : {"unique", "good"}) EXPECT_GT(nodes[name]["dropped"].size(), 0u) << name;
  EXPECT_GT(nodes["parts"]["out"]["documents"].get<int>(), 1000);
}

TEST_F(Determinism, AnySizeOfBatchesAndCreditsGivesTheSameBytes) {
  run_counted("usual", {"--threads", "2"});
  run_counted("small", {"--threads", "2", "--set", "run.batch_bytes=3000", "--set", "run.memory_bytes=100000"});
  run_counted("few", {"--threads", "3", "--set", "run.batch_bytes=1000000", "--set", "run.batch_documents=37"});
  const auto expected = results_without_batches("usual");
  EXPECT_EQ(differences(expected, results_without_batches("small")), std::vector<std::string>{});
  EXPECT_EQ(differences(expected, results_without_batches("few")), std::vector<std::string>{});
  EXPECT_NE(read("usual/batches.txt"), read("small/batches.txt"));
  EXPECT_NE(read("usual/batches.txt"), read("few/batches.txt"));
}

}  // namespace
}  // namespace flowrun::testing
