// The graphs that users run as they are, over the real text that `make data` brings: prepare.toml whole, those that train at tiny size.

#include "graphs/graph_test.hpp"

#include <numeric>

#include <flowrun/philox.hpp>

#include "plugin/registry.hpp"

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

/// What a stage of a mixture gives of each domain.
struct StageRows {
  std::map<std::string, double> tokens;
  std::map<std::string, std::vector<std::uint32_t>> lengths;  ///< of its documents, in order
  std::map<std::string, std::vector<double>> ratios;          ///< their score.compression_ratio
  double total() const {
    return std::accumulate(tokens.begin(), tokens.end(), 0.0, [](double sum, const auto& entry) { return sum + entry.second; });
  }
};

TEST_F(Graphs, CurriculumGoesFromShortToLongWithTheSharesOfItsStages) {
  // All of the file but for its model, which is as small as can be.
  const auto trained = run_graph("curriculum.toml", "run", {"node.vocabulary.vocab_size=400", "node.decoder.d_model=16", "node.decoder.n_heads=2", "node.decoder.n_layers=1", "node.train.steps=420",
                                                            "node.train.warmup_steps=1", "node.perplexity.max_tokens=500"});
  ASSERT_EQ(trained.exit_code, 0) << trained;
  constexpr std::int64_t kStepTokens = 2048;

  // A sequence has one target fewer than tokens, so the targets of a step tell how many sequences it has: 32 of 64 tokens, 16 of 128, 8 of 256.
  const std::vector<std::int64_t> kSequences{32, 16, 8};
  std::vector<std::int64_t> steps(kSequences.size());
  std::int64_t before = 0, mixed = 0, most = kSequences[0];
  for (const auto& line : json_lines("run/metrics.jsonl")) {
    if (line["kind"] != "train") continue;
    const std::int64_t sequences = kStepTokens - (line["tokens"].get<std::int64_t>() - before);
    before = line["tokens"];
    ASSERT_LE(sequences, most) << "step " << line["step"] << " has shorter sequences than one before";
    ASSERT_GE(sequences, kSequences.back()) << "step " << line["step"] << " has more than " << kStepTokens << " tokens";
    most = sequences;
    const auto stage = std::find(kSequences.begin(), kSequences.end(), sequences);
    if (stage == kSequences.end()) ++mixed;  // the step in which one stage ends and the next begins
    else ++steps[static_cast<std::size_t>(stage - kSequences.begin())];
  }
  // Stages end where a document does, which is up to some steps long here, and a packer adds a token to each.
  EXPECT_GE(steps[0], 112);
  EXPECT_LE(steps[0], 132);
  EXPECT_GE(steps[1], 232);
  EXPECT_LE(steps[1], 264);
  EXPECT_GE(steps[2], 20);
  EXPECT_LE(mixed, 2);

  // What was read: the mixture's documents, as the packer is given them.
  plugin::Registry registry(plugin::search_folders({}));
  const auto* file = registry.find("mixers/weighted");
  ASSERT_NE(file, nullptr);
  Runner mixer(*registry.load(*file, ""), {{"tokens_per_step", kStepTokens},
                                           {"stages", Value::Tables{{{"steps", 120}, {"sequence_length", 64}}, {{"steps", 240}, {"sequence_length", 128}}, {{"steps", 260}, {"sequence_length", 256}}}}});
  const graph::SpoolDataset spool(artifact_folder("run", "train_tokens", "tokens"));
  const std::vector<const flowrun_dataset*> tables{spool.table()};
  OpenOptions options;
  options.seed = derive_seed(1234, "mix");
  mixer.open({import_schema(*spool.table()->schema)}, options);
  mixer.attach(tables, artifact_folder("run", "mix", "index"));
  std::vector<StageRows> stages(3);
  std::uint32_t longest = 0;
  constexpr std::int64_t kRows = 50;
  for (std::int64_t first = 0; first < mixer.count(); first += kRows) {
    const Batch batch = mixer.index_rows(first, std::min(kRows, mixer.count() - first));
    const BatchView view(batch.array.get(), batch.schema);
    const auto *stage = view.values<std::uint32_t>("stage", "I"), *length = view.values<std::uint32_t>("length", "I");
    const auto* ratio = view.values<double>("score.compression_ratio", "g");
    for (std::int64_t row = 0; row < view.size(); ++row) {
      const std::string domain(view.strings("domain")[row]);
      stages[stage[row]].tokens[domain] += length[row];
      stages[stage[row]].lengths[domain].push_back(length[row]);
      stages[stage[row]].ratios[domain].push_back(ratio[row]);
      longest = std::max(longest, length[row]);
    }
  }
  for (const auto& [domain, lengths] : stages[0].lengths) EXPECT_TRUE(std::is_sorted(lengths.begin(), lengths.end())) << domain << " does not begin with its short documents";
  for (const auto& [domain, ratios] : stages[2].ratios) EXPECT_TRUE(std::is_sorted(ratios.rbegin(), ratios.rend())) << domain << " does not begin with what repeats itself least";
  const auto sizes = tokens_by_domain("run", "train_tokens");
  const std::map<std::string, double> first{{"books", 1}, {"reference", 1}, {"code", 0.5}}, last{{"books", 2}, {"reference", 3}, {"code", 0.25}};
  for (std::size_t s = 0; s < stages.size(); ++s) {
    const auto& weights = s < 2 ? first : last;
    double mass = 0;
    for (const auto& [domain, weight] : weights) mass += weight * static_cast<double>(sizes.at(domain));
    for (const auto& [domain, weight] : weights)
      EXPECT_NEAR(stages[s].tokens[domain], weight * static_cast<double>(sizes.at(domain)) / mass * stages[s].total(), longest) << domain << " in stage " << s << " is more than a document off";
  }
}
#endif

}  // namespace
}  // namespace flowrun::testing
