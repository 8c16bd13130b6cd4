// The graphs that users run as they are, over the real text that `make data` brings: prepare.toml whole, those that train at tiny size.

#include "graphs/graph_test.hpp"

namespace flowrun::testing {
namespace {

namespace fs = std::filesystem;

class Graphs : public GraphTest {
 protected:
  void SetUp() override {
    if (!fs::exists(kSource + "/data/README.md")) GTEST_SKIP() << "no text in data/: `make data` brings it";
  }
};

TEST_F(Graphs, PrepareKeepsEnoughOfEveryDomain) {
  const auto finished = run_graph("prepare.toml", "run");
  ASSERT_EQ(finished.exit_code, 0) << finished;
  const auto funnel = json("run/funnel.json");
  expect_exact_sums(funnel);
  auto kept = documents_by_domain("run/clean/train.jsonl.zst");
  std::int64_t bytes = 0;
  for (const auto& [domain, documents] : documents_by_domain("run/clean/heldout.jsonl.zst")) kept[domain] += documents;
  const auto heldout = tokens_by_domain("run", "heldout_tokens");
  ASSERT_EQ(kept.size(), 3u);
  for (const char* domain : {"books", "reference", "code"}) {  // the readers have the names of their domains
    const auto& found = funnel["nodes"][domain]["in"];
    bytes += found["bytes"].get<std::int64_t>();
    EXPECT_GE(2 * kept[domain], found["documents"].get<std::int64_t>()) << domain << " loses more than half its documents";
    ASSERT_TRUE(heldout.contains(domain)) << domain;
    EXPECT_GE(heldout.at(domain), 20'000) << domain;
  }
  EXPECT_GE(bytes, 20'000'000);
  EXPECT_LE(bytes, 60'000'000);
}

#if FLOWRUN_NATIVE
/// The default graphs with a little of everything.
const std::vector<std::string> kTiny{"node.vocabulary.vocab_size=400", "node.decoder.d_model=32", "node.decoder.n_layers=1", "node.train.steps=3", "node.train.warmup_steps=1",
                                     "node.loss.batch_size=2", "node.sequences.sequence_length=32", "node.perplexity.max_tokens=500"};

TEST_F(Graphs, PretrainMakesACausalModelAndTheMaskedOneSharesItsData) {
  const auto trained = run_graph("pretrain.toml", "causal", kTiny);
  ASSERT_EQ(trained.exit_code, 0) << trained;
  const auto swapped = run_graph("pretrain-mlm.toml", "masked", kTiny);
  ASSERT_EQ(swapped.exit_code, 0) << swapped;
  for (const char* name : {"causal", "masked"}) {
    EXPECT_EQ(json(std::string(name) + "/model/config.json")["architectures"][0], "LlamaForCausalLM");
    EXPECT_TRUE(fs::exists(path(std::string(name) + "/model/model.safetensors")));
  }
  EXPECT_EQ(json("masked/model/config.json")["is_causal"], false);
  const auto summary = nlohmann::json::parse(swapped.out);
  for (std::size_t i = 0; i + 1 < summary["stages"].size(); ++i) EXPECT_EQ(summary["stages"][i]["cached"], true) << summary["stages"];
  EXPECT_EQ(summary["stages"].back()["cached"], false);
  // pretrain-mlm.toml is pretrain.toml with another objective, and nothing else.
  const auto hash = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"plan", "--json"});
    arguments.insert(arguments.end(), {"--artifacts", "artifacts"});
    const auto plan = flowrun(arguments, {{"FLOWRUN_PLUGIN_PATH", ""}});
    EXPECT_EQ(plan.exit_code, 0) << plan;
    return nlohmann::json::parse(plan.out)["graph_hash"];
  };
  EXPECT_EQ(hash({kSource + "/graphs/pretrain.toml", "--set", "node.loss.plugin=objectives/mlm"}), hash({kSource + "/graphs/pretrain-mlm.toml"}));
}
#endif

}  // namespace
}  // namespace flowrun::testing
