// graphs/toxicity.toml over invented words: what it keeps, and that neither threads nor batches change a byte.

#include <random>

#include "support/run_test.hpp"

namespace flowrun::testing {
namespace {

using Json = nlohmann::json;

const std::string kGraph = std::string(FLOWRUN_SOURCE_DIR) + "/graphs/toxicity.toml";

class ToxicityGraph : public RunTest {
 protected:
  ToxicityGraph() {
    std::mt19937 draw(3);
    std::string labelled, asked;
    for (int i = 0; i < 400; ++i) {
      const bool toxic = i % 3 == 0;
      std::string text;
      for (int k = 0; k < 8; ++k) text += (k % 2 == 0 ? "word" : toxic ? "zorg" : "nice") + std::to_string(draw() % 9) + (k % 4 == 3 ? "\n" : " ");
      (i % 2 == 0 ? labelled : asked) += Json{{"text", text}, {"label", toxic ? "toxic" : "fine"}}.dump() + "\n";
    }
    write("labelled.jsonl", labelled);
    write("asked.jsonl", asked);
  }

  Finished run_graph(const std::string& output, const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{"run", kGraph, "--output", output, "--artifacts", output + "-artifacts", "--json"};
    for (const char* setting : {"node.labelled.paths=[\"labelled.jsonl\"]", "node.source.plugin=readers/jsonl", "node.source.paths=[\"asked.jsonl\"]", "node.source.columns=[\"label\"]",
                                "node.classifier.epochs=20", "node.classifier.lr=0.5", "node.classifier.bucket=1000", "node.clean.remove_labels={toxic=0.5}"})
      arguments.insert(arguments.end(), {"--set", setting});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return flowrun(arguments, {{"FLOWRUN_PLUGIN_PATH", ""}});
  }
};

TEST_F(ToxicityGraph, DropsWhatItsLabelledTextsCallToxic) {
  const auto finished = run_graph("out", {});
  ASSERT_EQ(finished.exit_code, 0) << finished;
  const auto kept = json_lines("out/clean.jsonl");
  EXPECT_GT(kept.size(), 100u);
  for (const Json& document : kept) {
    EXPECT_EQ(document["label"], "fine");
    EXPECT_LT(document["score.toxic"].get<double>(), 0.5);
  }
  const auto funnel = json("out/funnel.json");
  EXPECT_EQ(funnel["nodes"]["clean"]["dropped"]["fasttext"]["documents"].get<std::size_t>() + kept.size(), 200u);
}

TEST_F(ToxicityGraph, GivesTheSameBytesForAnyThreadsAndBatches) {
  std::string expected;
  for (const char* threads : {"1", "2", "4"})
    for (const char* batch_bytes : {"200", "4096", "524288"}) {
      const std::string output = std::string("out-") + threads + "-" + batch_bytes;
      const auto finished = run_graph(output, {"--threads", threads, "--set", std::string("run.batch_bytes=") + batch_bytes});
      ASSERT_EQ(finished.exit_code, 0) << finished;
      const std::string found = read_file(path(output + "/clean.jsonl"));
      if (expected.empty()) expected = found;
      EXPECT_EQ(found, expected) << output;
    }
  EXPECT_FALSE(expected.empty());
}

}  // namespace
}  // namespace flowrun::testing
