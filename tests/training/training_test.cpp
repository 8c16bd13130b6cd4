// Whole runs of a tiny Llama: what a run leaves, that nothing but the graph decides its bytes, and that a killed one ends with the same.

#include "support/run_test.hpp"

#include <csignal>

namespace flowrun::testing {
namespace {

constexpr int kSteps = 8;

class Training : public RunTest {
 protected:
  Training() {
    std::string lines;
    Prose prose(42);
    for (int i = 0; i < 400; ++i) lines += nlohmann::json{{"text", prose.document()}, {"kind", i % 3 == 0 ? "a" : "b"}}.dump() + "\n";
    write("in.jsonl", lines);
    write("tiny.toml", R"([run]
name = "tiny"
seed = 7
[node.text]
plugin = "readers/jsonl"
paths = ["in.jsonl"]
domain_field = "kind"
[node.unique]
plugin = "dedupers/exact"
in = "text"
[node.parts]
plugin = "filters/split"
in = "unique"
heldout_fraction = 0.1
[node.vocabulary]
plugin = "tokenizers/bpe_trainer"
in = "parts.train"
vocab_size = 300
[node.train_tokens]
plugin = "tokenizers/bpe"
in = "parts.train"
tokenizer = "vocabulary"
[node.heldout_tokens]
plugin = "tokenizers/bpe"
in = "parts.heldout"
tokenizer = "vocabulary"
[node.mix]
plugin = "mixers/weighted"
in = "train_tokens"
weights = { a = 2.0 }
[node.sequences]
plugin = "packers/concat"
in = "mix"
sequence_length = 16
shuffle_window = 64
[node.decoder]
graph = ")" + std::string(FLOWRUN_SOURCE_DIR) + R"(/graphs/models/llama.toml"
tokenizer = "vocabulary"
d_model = 32
n_layers = 2
n_heads = 2
[node.loss]
plugin = "objectives/clm"
in = "sequences"
model = "decoder"
batch_size = 4
[node.train]
plugin = "optimizers/adamw"
in = "loss"
steps = 8
lr = 1e-3
warmup_steps = 2
[node.perplexity]
plugin = "evaluators/perplexity"
in = "heldout_tokens"
model = "decoder"
every_steps = 4
max_tokens = 400
[node.checkpoint]
plugin = "writers/checkpoint"
in = "train"
every_steps = 3
)");
  }

  Finished run_tiny(const std::string& output, std::vector<std::string> more = {}, std::map<std::string, std::string> environment = {}) const {
    std::vector<std::string> arguments{"tiny.toml", "--output", output, "--artifacts", "artifacts", "--threads", "2"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return flowrun(std::move(arguments), std::move(environment));
  }

  /// Returns the files of a run that nothing but its graph may decide.
  std::map<std::string, std::string> results(const std::string& output) const {
    std::map<std::string, std::string> files;
    for (const char* name : {"metrics.jsonl", "funnel.json", "dropped.jsonl.zst"}) files[name] = read(output + "/" + name);
    for (auto& [name, bytes] : read_tree(path(output + "/model"))) files["model/" + name] = std::move(bytes);
    return files;
  }
};

TEST_F(Training, LeavesAModelItsMetricsAndVerifiedCheckpoints) {
  const auto finished = run_tiny("run");
  ASSERT_EQ(finished.exit_code, 0) << finished;
  for (const char* name : {"model.safetensors", "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"})
    EXPECT_TRUE(std::filesystem::exists(path(std::string("run/model/") + name))) << name;
  const auto config = json("run/model/config.json");
  EXPECT_EQ(config["architectures"], nlohmann::json({"LlamaForCausalLM"}));
  EXPECT_EQ(config["hidden_size"], 32);
  EXPECT_EQ(config["vocab_size"], 300);
  std::vector<int> train_steps, eval_steps;
  for (const auto& line : json_lines("run/metrics.jsonl")) {
    const bool train = line["kind"] == "train";
    if (train || line["domain"] == "all") (train ? train_steps : eval_steps).push_back(line["step"]);
    if (train) {
      EXPECT_EQ(line["tokens"], line["step"].get<int>() * 4 * 15);  // T - 1 targets a sequence
      EXPECT_NEAR(line["perplexity"].get<double>(), std::exp(line["loss"].get<double>()), 1e-6 * line["perplexity"].get<double>());
    }
  }
  EXPECT_EQ(train_steps, (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(eval_steps, (std::vector<int>{4, 8}));
  EXPECT_EQ(std::filesystem::read_symlink(path("run/checkpoints/latest")), "step-00000008");
  const auto state = json("run/checkpoints/latest/state.json");
  EXPECT_EQ(state["step"], kSteps);
  EXPECT_EQ(state["world_size"], 1);
  EXPECT_EQ(state["exact"], true);
  EXPECT_EQ(flowrun({"checkpoint", "verify", "run/checkpoints/latest"}).exit_code, 0);
  // One flipped bit is found.
  std::string weights = read("run/checkpoints/latest/model.safetensors");
  weights[weights.size() / 2] = static_cast<char>(weights[weights.size() / 2] ^ 1);
  std::filesystem::remove(path("run/checkpoints/step-00000008/model.safetensors"));
  write("run/checkpoints/step-00000008/model.safetensors", weights);
  const auto damaged = flowrun({"checkpoint", "verify", "run/checkpoints/latest"});
  EXPECT_EQ(damaged.exit_code, 65) << damaged;
  EXPECT_NE(damaged.err.find("model.safetensors"), std::string::npos) << damaged;
}

TEST_F(Training, NothingButTheGraphDecidesTheWeights) {
  ASSERT_EQ(run_tiny("first").exit_code, 0);
  ASSERT_EQ(run_tiny("second", {"--artifacts", "other-artifacts"}).exit_code, 0);
  EXPECT_EQ(differences(results("first"), results("second")), std::vector<std::string>{});
  ASSERT_EQ(run_tiny("batches", {"--artifacts", "third-artifacts", "--set", "run.batch_bytes=700", "--set", "run.batch_documents=3"}).exit_code, 0);
  // graph.toml keeps the sizes of batches as they were asked for, and the model's manifest its hash; nothing else may know them.
  EXPECT_EQ(differences(results("first"), results("batches")), (std::vector<std::string>{"differs: model/graph.toml", "differs: model/manifest.json"}));
  ASSERT_EQ(run_tiny("rarely", {"--set", "node.perplexity.every_steps=8", "--set", "node.perplexity.at_start=true"}).exit_code, 0);
  EXPECT_EQ(read("first/model/model.safetensors"), read("rarely/model/model.safetensors")) << "evaluators must not change training";
}

TEST_F(Training, AKilledRunEndsWithTheBytesOfAnUndisturbedOne) {
  ASSERT_EQ(run_tiny("undisturbed").exit_code, 0);
  const auto expected = results("undisturbed");
  // Counted operations, three or more of each phase: first, middle and late ones of the region's steps and files, and of the final save.
  for (const std::string fault : {"data:5", "data:60", "data:120", "training:1", "training:9", "training:23", "training:40", "save:1", "save:6", "save:11"}) {
    const std::string output = "killed-" + fault.substr(0, fault.find(':')) + fault.substr(fault.find(':') + 1);
    const std::vector<std::string> more{"--artifacts", "artifacts-" + output};
    const auto killed = run_tiny(output, more, {{"FLOWRUN_FAULT", fault}, {"FLOWRUN_FAULT_LOG", path(output + ".log")}});
    ASSERT_EQ(killed.signal, SIGKILL) << fault << ": " << killed;
    EXPECT_EQ(read(output + ".log").substr(0, fault.find(':')), fault.substr(0, fault.find(':')));
    const auto resumed = run_tiny(output, more);
    ASSERT_EQ(resumed.exit_code, 0) << fault << ": " << resumed;
    EXPECT_EQ(differences(expected, results(output)), std::vector<std::string>{}) << fault;
  }
}

TEST_F(Training, AFailingDiskIsNamedAndTheSameCommandGoesOn) {
  ASSERT_EQ(run_tiny("undisturbed").exit_code, 0);
  const auto expected = results("undisturbed");
  int failures = 0;
  for (const std::string fault : {"training:4:eio", "training:17:enospc", "training:31:eio", "save:2:enospc", "save:5:eio", "save:9:enospc"}) {
    std::string output = "failed-" + fault;
    std::replace(output.begin(), output.end(), ':', '-');
    const auto failed = run_tiny(output, {}, {{"FLOWRUN_FAULT", fault}});
    EXPECT_EQ(failed.exit_code, 74) << fault << ": " << failed;
    EXPECT_NE(failed.err.find(fault.ends_with("eio") ? "Input/output error" : "No space left on device"), std::string::npos) << failed;
    failures += json(output + "/manifest.json")["status"] == "failed" ? 1 : 0;
    ASSERT_EQ(run_tiny(output).exit_code, 0) << fault;
    EXPECT_EQ(differences(expected, results(output)), std::vector<std::string>{}) << fault;
  }
  EXPECT_GE(failures, 5) << "only a failure of the manifest itself cannot be written into it";
}

TEST_F(Training, SwappingTheObjectiveReusesTheTokens) {
  ASSERT_EQ(run_tiny("clm").exit_code, 0);
  const std::vector<std::string> swap{"--set", "node.loss.plugin=objectives/mlm", "--artifacts", "artifacts"};
  auto arguments = swap;
  arguments.insert(arguments.begin(), {"plan", "tiny.toml", "--json"});
  const auto plan = flowrun(arguments);
  ASSERT_EQ(plan.exit_code, 0) << plan;
  int data_stages = 0;
  const auto planned = nlohmann::json::parse(plan.out);
  for (const auto& stage : planned["stages"]) {
    EXPECT_EQ(stage["cached"], stage["kind"] == "data") << stage;
    data_stages += stage["kind"] == "data" ? 1 : 0;
  }
  EXPECT_GE(data_stages, 3);
  EXPECT_GT(planned["model"]["parameters"].get<int>(), 0);
  const auto trained = run_tiny("mlm", swap);
  ASSERT_EQ(trained.exit_code, 0) << trained;
  EXPECT_EQ(json("mlm/model/config.json")["is_causal"], false);
  EXPECT_NE(read("mlm/model/model.safetensors"), read("clm/model/model.safetensors"));
}

TEST_F(Training, PlanSaysHowOftenTheTokensAreSeen) {
  const auto plan = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"plan", "tiny.toml", "--artifacts", "artifacts"});
    const auto finished = flowrun(std::move(more));
    EXPECT_EQ(finished.exit_code, 0) << finished;
    return finished.out;
  };
  EXPECT_TRUE(nlohmann::json::parse(plan({"--json"}))["model"]["unique_tokens"].is_null()) << "nothing is tokenized yet";
  // With one epoch and weights of 1 the packer is given each document once, and says how many tokens it counts.
  ASSERT_EQ(run_tiny("run", {"--set", "node.mix.epochs=1", "--set", "node.mix.weights={ a = 1.0 }"}).exit_code, 0);
  std::int64_t counted = 0;
  for (const auto& line : json_lines("run/log.jsonl")) {
    const std::string text = line.value("message", "");
    if (const auto at = text.find(" documents of "); at != std::string::npos && text.find(" with their ends") != std::string::npos) counted = std::stoll(text.substr(at + 14));
  }
  const auto once = nlohmann::json::parse(plan({"--json"}))["model"], often = nlohmann::json::parse(plan({"--json", "--set", "node.train.steps=100000"}))["model"];
  EXPECT_EQ(once["unique_tokens"], counted);
  EXPECT_EQ(once["tokens"], kSteps * 4 * 16);
  EXPECT_EQ(once["effective_tokens"], once["tokens"]) << "less than one epoch";
  EXPECT_DOUBLE_EQ(often["epochs"].get<double>(), 100000.0 * 4 * 16 / static_cast<double>(counted));
  EXPECT_GT(often["effective_tokens"].get<double>(), 10.0 * static_cast<double>(counted));
  EXPECT_LT(often["effective_tokens"].get<double>(), 16.4 * static_cast<double>(counted)) << "no number of epochs is worth more than 1 + R*";
  EXPECT_EQ(plan({}).find("above 4 epochs"), std::string::npos);
  EXPECT_NE(plan({"--set", "node.train.steps=100000"}).find("above 4 epochs"), std::string::npos);
}

TEST_F(Training, TrainsOnEveryPackerAndGoesOnAlike) {
  const std::string concat = read("tiny.toml");
  const auto with_packer = [&](const std::string& packer) {
    std::string toml = concat;
    const std::string from = "plugin = \"packers/concat\"\nin = \"mix\"\nsequence_length = 16\nshuffle_window = 64\n", mix = "weights = { a = 2.0 }\n";
    toml.replace(toml.find(from), from.size(), packer + "in = \"mix\"\nsequence_length = 16\n");
    toml.replace(toml.find(mix), mix.size(), "epochs = 2\n");
    write("tiny.toml", toml);
  };
  for (const std::string packer : {"best_fit", "rows", "buckets"})
    for (const std::string objective : {"clm", "mlm"}) {
      with_packer("plugin = \"packers/" + packer + "\"\n" + (packer == "buckets" ? "min_length = 4\nbatch_size = 4\ncurriculum = \"grow_p100\"\n" : ""));
      const std::string name = packer + "-" + objective;
      const std::vector<std::string> swap{"--set", "node.loss.plugin=objectives/" + objective};
      ASSERT_EQ(run_tiny(name, swap).exit_code, 0) << name;
      ASSERT_EQ(run_tiny(name + "-stopped", swap, {{"FLOWRUN_FAULT", "training:17:eio"}}).exit_code, 74) << name;
      ASSERT_EQ(run_tiny(name + "-stopped", swap).exit_code, 0) << name;
      EXPECT_EQ(read(name + "/metrics.jsonl"), read(name + "-stopped/metrics.jsonl")) << name;
    }
  // 64 tokens a step, in rows of 4, 8 or 16: a row has one target fewer than tokens.
  std::map<std::int64_t, int> targets;
  std::int64_t before = 0;
  for (const auto& line : json_lines("buckets-clm/metrics.jsonl")) {
    if (line["kind"] != "train") continue;
    ++targets[line["tokens"].get<std::int64_t>() - before];
    before = line["tokens"];
  }
  for (const auto& [count, steps] : targets) EXPECT_TRUE(count == 48 || count == 56 || count == 60) << count << " targets in " << steps << " steps";
  EXPECT_GT(targets.size(), 1u);
}

/// Returns the targets of each step of a run.
std::vector<std::int64_t> targets_of(const std::vector<nlohmann::json>& metrics) {
  std::vector<std::int64_t> targets;
  std::int64_t before = 0;
  for (const auto& line : metrics) {
    if (line["kind"] != "train") continue;
    targets.push_back(line["tokens"].get<std::int64_t>() - before);
    before = line["tokens"];
  }
  return targets;
}

TEST_F(Training, StagesOfShortSequencesKeepTheTokensOfAStep) {
  std::string toml = read("tiny.toml");
  const std::string mix = "weights = { a = 2.0 }\n", packer = "plugin = \"packers/concat\"\nin = \"mix\"\nsequence_length = 16\nshuffle_window = 64\n";
  toml.replace(toml.find(mix), mix.size(), "weights = { a = 2.0 }\nstages = [{ tokens = 90, order_by = \"length\", sequence_length = 4 }, { tokens = 200, sequence_length = 8 }, { sequence_length = 16 }]\n");
  for (const std::string name : {"concat", "best_fit"}) {
    std::string graph = toml;
    graph.replace(graph.find(packer), packer.size(), "plugin = \"packers/" + name + "\"\nin = \"mix\"\nsequence_length = 16\n" + (name == "concat" ? "shuffle_window = 8\n" : "window_documents = 8\n"));
    write("tiny.toml", graph);
    for (const std::string objective : {"clm", "mlm"}) {
      const std::string run = name + "-" + objective;
      const std::vector<std::string> swap{"--set", "node.loss.plugin=objectives/" + objective};
      ASSERT_EQ(run_tiny(run, swap).exit_code, 0) << run;
      ASSERT_EQ(run_tiny(run + "-stopped", swap, {{"FLOWRUN_FAULT", "training:17:eio"}}).exit_code, 74) << run;
      ASSERT_EQ(run_tiny(run + "-stopped", swap).exit_code, 0) << run;
      EXPECT_EQ(read(run + "/metrics.jsonl"), read(run + "-stopped/metrics.jsonl")) << run << " goes on alike";
    }
  }
  // 64 tokens a step, in rows of 4, 8 or 16 with one target fewer each: 48, 56 or 60 targets, and what lies between where a stage begins inside a batch.
  const auto targets = targets_of(json_lines("concat-clm/metrics.jsonl"));
  EXPECT_EQ(targets.front(), 48);
  EXPECT_EQ(targets.back(), 60);
  EXPECT_TRUE(std::is_sorted(targets.begin(), targets.end())) << nlohmann::json(targets);
  EXPECT_TRUE(std::any_of(targets.begin(), targets.end(), [](std::int64_t n) { return n != 48 && n != 56 && n != 60; })) << "no step has two stages: " << nlohmann::json(targets);
  // A batch of rows of two lengths is what the same places give one by one.
  std::string concat = toml;
  concat.replace(concat.find(packer), packer.size(), "plugin = \"packers/concat\"\nin = \"mix\"\nsequence_length = 16\nshuffle_window = 8\n");
  write("tiny.toml", concat);
  ASSERT_EQ(run_tiny("one-by-one", {"--set", "node.loss.batch_size=1", "--set", "node.train.accumulation_steps=4"}).exit_code, 0);
  const auto together = json_lines("concat-clm/metrics.jsonl"), apart = json_lines("one-by-one/metrics.jsonl");
  ASSERT_EQ(together.size(), apart.size());
  for (std::size_t i = 0; i < together.size(); ++i) {
    if (together[i]["kind"] != "train") continue;
    EXPECT_EQ(together[i]["tokens"], apart[i]["tokens"]);
    EXPECT_NEAR(together[i]["loss"].get<double>(), apart[i]["loss"].get<double>(), 1e-4) << together[i];
    EXPECT_NEAR(together[i]["grad_norm"].get<double>(), apart[i]["grad_norm"].get<double>(), 1e-3) << together[i];
  }
}

TEST_F(Training, ATokenizerOfAnyNameIsInTheModel) {
  ASSERT_EQ(run_tiny("first").exit_code, 0);
  write("given/vocabulary-300.json", read("first/model/tokenizer.json"));
  write("given/tokenizer.json", "{\"another\": 1}");
  std::string toml = read("tiny.toml");
  const auto replace = [&](const std::string& from, const std::string& to) {
    for (std::size_t at; (at = toml.find(from)) != std::string::npos;) toml.replace(at, from.size(), to);
  };
  replace("plugin = \"tokenizers/bpe\"\nin = \"parts.train\"\ntokenizer = \"vocabulary\"", "plugin = \"tokenizers/bpe\"\nin = \"parts.train\"\ntokenizer_path = \"given/vocabulary-300.json\"");
  replace("plugin = \"tokenizers/bpe\"\nin = \"parts.heldout\"\ntokenizer = \"vocabulary\"", "plugin = \"tokenizers/bpe\"\nin = \"parts.heldout\"\ntokenizer_path = \"given/vocabulary-300.json\"");
  replace("tokenizer = \"vocabulary\"\nd_model", "vocab_size = 300\nd_model");
  write("tiny.toml", toml);
  const auto finished = run_tiny("second");
  ASSERT_EQ(finished.exit_code, 0) << finished;
  EXPECT_EQ(read("second/model/tokenizer.json"), read("first/model/tokenizer.json"));
  EXPECT_EQ(json("second/model/tokenizer_config.json")["tokenizer_class"], "PreTrainedTokenizerFast");
  EXPECT_EQ(json("second/manifest.json")["libraries"].count("libtorch"), 1u);
}

TEST_F(Training, AFinishedRunIsNotRunAgain) {
  ASSERT_EQ(run_tiny("run").exit_code, 0);
  const auto before = read_tree(path("run"));
  const auto again = run_tiny("run", {"--json"});
  ASSERT_EQ(again.exit_code, 0) << again;
  const auto summary = nlohmann::json::parse(again.out);
  EXPECT_EQ(summary["version"], 1);
  EXPECT_EQ(summary["status"], "finished");
  EXPECT_EQ(summary["steps"], kSteps);
  auto after = read_tree(path("run"));
  after["run.lock"] = before.at("run.lock");  // says who held it last
  EXPECT_EQ(differences(before, after), std::vector<std::string>{});
}

TEST_F(Training, StopsAfterAStepAndItsCheckpoint) {
  Process process(command({"tiny.toml", "--output", "run", "--artifacts", "artifacts", "--set", "node.train.steps=100000", "--set", "node.train.log_every_steps=1"}));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!std::filesystem::exists(path("run/checkpoints/latest")) && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  process.send(SIGINT);
  const auto stopped = process.wait(60);
  EXPECT_EQ(stopped.exit_code, 130) << stopped;
  EXPECT_EQ(json("run/manifest.json")["status"], "stopped");
  const auto state = json("run/checkpoints/latest/state.json");
  EXPECT_EQ(json_lines("run/metrics.jsonl").back()["step"], state["step"]) << "the checkpoint is of the last step";
}

TEST_F(Training, ADeviceThatIsNotBuiltIsUnavailable) {
  const auto refused = run_tiny("run", {"--set", "run.device=cuda"});
  EXPECT_EQ(refused.exit_code, 69) << refused;
  EXPECT_NE(refused.err.find("FLOWRUN_CUDA"), std::string::npos) << refused;
}

TEST_F(Training, LossThatIsNotFiniteEndsTheRun) {
  // The decay multiplies every matrix by 1 - 1000 at each step, until fp32 ends.
  const auto diverged = run_tiny("run", {"--set", "node.train.lr=1000", "--set", "node.train.weight_decay=1", "--set", "node.train.schedule=constant", "--set", "node.train.warmup_steps=0",
                                         "--set", "node.train.steps=30"});
  EXPECT_EQ(diverged.exit_code, 80) << diverged;
  EXPECT_NE(diverged.err.find("at step"), std::string::npos) << diverged;
  EXPECT_EQ(json("run/manifest.json")["status"], "failed");
}

}  // namespace
}  // namespace flowrun::testing
