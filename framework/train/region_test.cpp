// Whole training regions over the real plugins: what they write, and that accumulation, resumes, threads and evaluators change nothing that
// they should not.

#include <algorithm>
#include <cmath>
#include <cstring>

#include <ATen/ops/zeros_like.h>

#include <nlohmann/json.hpp>

#include "train/checkpoint.hpp"
#include "train/model.hpp"
#include "train/region_fixture.hpp"
#include "train/safetensors.hpp"

namespace flowrun::train {
namespace {

using testing::message_of;

namespace fs = std::filesystem;
using nlohmann::json;

std::vector<json> lines(const std::string& text) {
  std::vector<json> out;
  for (std::size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) out.push_back(json::parse(text.substr(at, end - at)));
  return out;
}

std::vector<json> lines_of(const std::string& text, const std::string& kind) {
  std::vector<json> out;
  for (const json& line : lines(text))
    if (line["kind"] == kind) out.push_back(line);
  return out;
}

/// Greatest difference of two safetensors files with the same tensors, all F32.
double distance(const std::string& a, const std::string& b) {
  const safetensors::File one(a), other(b);
  EXPECT_EQ(one.header().tensors, other.header().tensors);
  double greatest = 0;
  for (const auto& [name, info] : one.header().tensors) {
    const auto x = one.bytes(name), y = other.bytes(name);
    for (std::size_t i = 0; i < x.size(); i += 4) {
      float p, q;
      std::memcpy(&p, x.data() + i, 4);
      std::memcpy(&q, y.data() + i, 4);
      greatest = std::max(greatest, std::abs(static_cast<double>(p) - q));
    }
  }
  return greatest;
}

std::vector<std::string> file_names(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

using Region = RegionFixture;

TEST_F(Region, LearnsTheRuleAndWritesTheRun) {
  Options options;
  options.steps = 200;
  options.every_steps = 100;
  options.lr = 1e-2;
  options.weight_decay = 0;
  const RegionSpec spec = make("run", options);
  RecordingHost host;
  const RegionResult result = flowrun_native_runtime_v1()->run(spec, host);
  EXPECT_EQ(result.status, RegionStatus::kFinished);
  EXPECT_EQ(result.steps, 200);
  EXPECT_EQ(result.tokens, 200 * 4 * 15);
  EXPECT_EQ(result.model_folder, "model");

  // 24 tokens of which 21 occur: at first near log 24. One step in ten is drawn from 21 at random: about 0.1 log 21 + 0.33 nats at best.
  const auto train = lines_of(read(spec, "metrics.jsonl"), "train");
  ASSERT_EQ(train.size(), 200u);
  EXPECT_NEAR(train[0]["loss"].get<double>(), std::log(24.0), 0.6);
  EXPECT_LT(train[199]["loss"].get<double>(), 1.5);
  EXPECT_GT(train[199]["loss"].get<double>(), 0.3);
  EXPECT_EQ(train[199]["tokens"], 200 * 4 * 15);
  EXPECT_NEAR(train[99]["perplexity"].get<double>(), std::exp(train[99]["loss"].get<double>()), 1e-9);
  EXPECT_GT(train[0]["grad_norm"].get<double>(), 0);

  std::vector<std::string> keys;
  const std::string metrics = read(spec, "metrics.jsonl");
  const auto first = nlohmann::ordered_json::parse(metrics.substr(0, metrics.find('\n')));
  for (const auto& [key, value] : first.items()) keys.push_back(key);
  EXPECT_EQ(keys, (std::vector<std::string>{"kind", "step", "evaluator", "domain", "loss", "perplexity", "bits_per_token", "bits_per_byte", "tokens", "bytes"}));

  // at_start, step 100 and the end: two domains and all.
  const auto eval = lines_of(read(spec, "metrics.jsonl"), "eval");
  ASSERT_EQ(eval.size(), 9u);
  EXPECT_EQ(eval[0]["step"], 0);
  EXPECT_EQ(eval[3]["step"], 100);
  EXPECT_EQ(eval[6]["domain"], "books");
  EXPECT_EQ(eval[7]["domain"], "web");
  EXPECT_EQ(eval[8]["domain"], "all");
  EXPECT_EQ(eval[8]["step"], 200);
  EXPECT_LT(eval[8]["loss"].get<double>(), eval[2]["loss"].get<double>() - 1);
  EXPECT_EQ(json::parse(result.evaluations_json).size(), 3u);
  EXPECT_FALSE(json::parse(result.evaluations_json)[0].contains("masked"));

  EXPECT_EQ(file_names(spec.run_folder), (std::vector<std::string>{"checkpoints", "metrics.jsonl", "model", "out", "timing.jsonl"}));
  EXPECT_EQ(file_names(spec.run_folder + "/checkpoints"), (std::vector<std::string>{"latest", "step-00000100", "step-00000200"}));
  EXPECT_EQ(file_names(spec.run_folder + "/checkpoints/latest"),
            (std::vector<std::string>{"config.json", "generation_config.json", "graph.toml", "manifest.json", "model.safetensors", "optimizer.safetensors", "state.json",
                                      "tokenizer.json", "tokenizer_config.json"}));
  EXPECT_EQ(file_names(spec.run_folder + "/model"), (std::vector<std::string>{"config.json", "generation_config.json", "graph.toml", "manifest.json",
                                                                              "model.safetensors", "tokenizer.json", "tokenizer_config.json"}));
  EXPECT_TRUE(verify_checkpoint(spec.run_folder + "/model").problems.empty());
  EXPECT_EQ(read(spec, "model/model.safetensors"), read(spec, "checkpoints/step-00000200/model.safetensors"));
  EXPECT_EQ(json::parse(read(spec, "model/tokenizer_config.json"))["model_max_length"], 64);
  EXPECT_EQ(lines(read(spec, "timing.jsonl")).size(), 200u);
  EXPECT_EQ(host.progresses.size(), 200u);
  EXPECT_EQ(host.progresses.back().seconds_left, 0);
  EXPECT_NE(std::find(host.messages.begin(), host.messages.end(), "step 100: checkpoint checkpoints/step-00000100"), host.messages.end());
}

/// Saves transformers' weights as the checkpoint of step 1, so that a region goes on from them.
void save_golden_checkpoint(const RegionSpec& spec, const LlamaGolden& golden) {
  Parameters parameters;
  const CallableModel model(spec.models[0], {}, parameters, nullptr, native::fingerprint());
  CheckpointContent content;
  content.state = {1, 0, 0, spec.seed, spec.graph_hash, spec.threads, 1, "{}", true};
  content.state_names = {"exp_avg", "exp_avg_sq"};
  content.config_json = "{}";
  for (Parameter& parameter : parameters.all()) {
    parameter.value = golden["weights." + parameter.name];
    for (std::size_t i = 0; i < content.state_names.size(); ++i) parameter.states.push_back(at::zeros_like(parameter.value));
  }
  save_checkpoint(spec.run_folder, parameters, content, 3);
}

TEST_F(Region, EvaluatesTheWeightsOfTransformersAsItDoes) {
  const LlamaGolden golden;
  const at::Tensor ids = golden["ids"];
  const std::int64_t B = ids.size(0), T = ids.size(1);
  std::vector<testing::TokenRow> rows;
  for (std::int64_t row = 0; row < B; ++row) {
    const std::int64_t* first = ids.const_data_ptr<std::int64_t>() + row * T;
    rows.push_back({"doc" + std::to_string(row), "books", 100, {first, first + T}});
  }
  const testing::MemoryDataset documents(rows);
  Options options;
  options.sizes = LlamaGolden::sizes();
  options.length = T;
  options.steps = 2;
  options.lr = 0;  // one more step, which changes nothing
  options.weight_decay = 0;
  RegionSpec spec = make("run", options);
  for (EvaluatorSpec& evaluator : spec.evaluators) evaluator.dataset = documents.table();
  save_golden_checkpoint(spec, golden);
  ASSERT_EQ(run(spec).status, RegionStatus::kFinished);

  const safetensors::File exported(spec.run_folder + "/model/model.safetensors"), logits(spec.run_folder + "/out/logits.safetensors");
  for (const auto& [name, info] : exported.header().tensors) {
    const at::Tensor expected = golden["weights." + name];
    const auto bytes = exported.bytes(name);
    ASSERT_EQ(bytes.size(), expected.nbytes()) << name;
    EXPECT_EQ(std::memcmp(bytes.data(), expected.const_data_ptr(), bytes.size()), 0) << name;
  }
  // Loss and perplexity of transformers' logits, summed in double: every token but a window's first.
  const at::Tensor expected_BTV = golden["logits.causal"].contiguous();
  const std::int64_t V = expected_BTV.size(2);
  double loss = 0;
  for (std::int64_t b = 0; b < B; ++b) {
    const auto bytes = logits.bytes("doc" + std::to_string(b));
    const float* expected = expected_BTV.const_data_ptr<float>() + b * T * V;
    ASSERT_EQ(bytes.size(), static_cast<std::size_t>(T * V) * sizeof(float));
    for (std::int64_t i = 0; i < T * V; ++i) {
      float found;
      std::memcpy(&found, bytes.data() + i * 4, 4);
      ASSERT_NEAR(found, expected[i], 1e-4) << "document " << b << ", logit " << i;
    }
    for (std::int64_t t = 0; t + 1 < T; ++t) {
      double sum = 0;
      for (std::int64_t v = 0; v < V; ++v) sum += std::exp(static_cast<double>(expected[t * V + v]));
      loss += std::log(sum) - static_cast<double>(expected[t * V + rows[static_cast<std::size_t>(b)].input_ids[static_cast<std::size_t>(t + 1)]]);
    }
  }
  loss /= static_cast<double>(B * (T - 1));
  const auto eval = lines_of(read(spec, "metrics.jsonl"), "eval");
  ASSERT_FALSE(eval.empty());
  EXPECT_EQ(eval.back()["domain"], "all");
  EXPECT_EQ(eval.back()["tokens"], B * (T - 1));
  EXPECT_NEAR(eval.back()["loss"].get<double>(), loss, 1e-5);
  EXPECT_NEAR(eval.back()["perplexity"].get<double>() / std::exp(loss), 1, 1e-5);
}

TEST_F(Region, ParametersHaveHuggingFaceNames) {
  const RegionSpec spec = make("run", {});
  run(spec);
  std::vector<std::string> names, expected = {"model.embed_tokens.weight", "model.norm.weight"};
  const safetensors::File file(spec.run_folder + "/model/model.safetensors");
  for (const auto& [name, info] : file.header().tensors) names.push_back(name);
  for (const std::string layer : {"0", "1"})
    for (const char* part : {"input_layernorm", "mlp.down_proj", "mlp.gate_proj", "mlp.up_proj", "post_attention_layernorm", "self_attn.k_proj", "self_attn.o_proj",
                             "self_attn.q_proj", "self_attn.v_proj"})
      expected.push_back("model.layers." + layer + "." + part + ".weight");
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(names, expected);
  const safetensors::File states(spec.run_folder + "/checkpoints/latest/optimizer.safetensors");
  EXPECT_EQ(states.header().tensors.size(), 2 * expected.size());
  EXPECT_TRUE(states.header().tensors.contains("model.norm.weight.exp_avg_sq"));
}

TEST_F(Region, StateSaysWhereTheRunIs) {
  Options options;
  options.accumulation_steps = 2;
  const RegionSpec spec = make("run", options);
  run(spec);
  const json state = json::parse(read(spec, "checkpoints/latest/state.json"));
  EXPECT_EQ(state["step"], 6);
  EXPECT_EQ(state["tokens"], 6 * 8 * 15);
  EXPECT_EQ(state["position"], 6 * 8);
  EXPECT_EQ(state["seed"], 7);
  EXPECT_EQ(state["graph_hash"], "0123456789abcdef");
  EXPECT_EQ(state["threads"], 1);
  EXPECT_EQ(state["world_size"], 1);
  EXPECT_EQ(state["schedule"]["name"], "cosine");
  EXPECT_EQ(state["exact"], true);
}

TEST_F(Region, AccumulationDoesNotChangeTheResult) {
  Options whole, parts;
  whole.batch_size = 8;
  parts.batch_size = 1;
  parts.accumulation_steps = 8;
  for (const char* objective : {"objectives/clm", "objectives/mlm"}) {
    whole.objective = parts.objective = objective;
    const RegionSpec a = make(std::string("whole") + (objective + 11), whole), b = make(std::string("parts") + (objective + 11), parts);
    run(a);
    run(b);
    // The order of additions differs, nothing else: fp32 rounding, through six updates of at most 3e-3.
    EXPECT_LT(distance(a.run_folder + "/model/model.safetensors", b.run_folder + "/model/model.safetensors"), 1e-5) << objective;
    const auto x = lines_of(read(a, "metrics.jsonl"), "train"), y = lines_of(read(b, "metrics.jsonl"), "train");
    for (std::size_t i = 0; i < x.size(); ++i) {
      EXPECT_NEAR(x[i]["loss"].get<double>(), y[i]["loss"].get<double>(), 1e-5);
      EXPECT_EQ(x[i]["tokens"], y[i]["tokens"]);
    }
  }
}

TEST_F(Region, AResumedRunEndsWithTheSameBytes) {
  for (const char* objective : {"objectives/clm", "objectives/mlm"})
    for (const std::int64_t stop_after : {0, 1, 3, 4}) {
      Options options;
      options.objective = objective;
      const std::string salt = std::string(objective + 11) + std::to_string(stop_after);
      const RegionSpec undisturbed = make("undisturbed" + salt, options), resumed = make("resumed" + salt, options);
      run(undisturbed);
      RecordingHost host;
      host.stop_after = stop_after;
      const RegionResult stopped = flowrun_native_runtime_v1()->run(resumed, host);
      EXPECT_EQ(stopped.status, RegionStatus::kStopped);
      EXPECT_EQ(stopped.steps, stop_after);
      EXPECT_FALSE(fs::exists(resumed.run_folder + "/model"));
      EXPECT_EQ(run(resumed).status, RegionStatus::kFinished);
      for (const char* file : {"metrics.jsonl", "model/model.safetensors", "model/manifest.json", "checkpoints/latest/optimizer.safetensors", "checkpoints/latest/state.json",
                               "checkpoints/latest/manifest.json", "out/logits.safetensors"})
        EXPECT_EQ(read(undisturbed, file), read(resumed, file)) << file << " of " << salt;
    }
}

TEST_F(Region, AStopByUsr1IsTold) {
  const RegionSpec spec = make("run", {});
  RecordingHost host;
  host.stop_after = 3;
  host.request = StopRequest::kUsr1;
  EXPECT_EQ(flowrun_native_runtime_v1()->run(spec, host).status, RegionStatus::kStoppedUsr1);
  EXPECT_EQ(fs::read_symlink(spec.run_folder + "/checkpoints/latest"), "step-00000003");
}

TEST_F(Region, ADamagedCheckpointFallsBackAndEndsWithTheSameBytes) {
  const RegionSpec undisturbed = make("undisturbed", {}), damaged = make("damaged", {});
  run(undisturbed);
  RecordingHost stopping;
  stopping.stop_after = 4;
  flowrun_native_runtime_v1()->run(damaged, stopping);
  fs::resize_file(damaged.run_folder + "/checkpoints/step-00000004/optimizer.safetensors", 100);
  RecordingHost host;
  EXPECT_EQ(flowrun_native_runtime_v1()->run(damaged, host).status, RegionStatus::kFinished);
  ASSERT_EQ(host.warnings.size(), 1u);
  EXPECT_NE(host.warnings[0].find("step-00000004' is damaged and not used: 'optimizer.safetensors' has 100 bytes"), std::string::npos) << host.warnings[0];
  EXPECT_EQ(host.messages[0], "going on from step 2 of 6");
  for (const char* file : {"metrics.jsonl", "model/model.safetensors", "checkpoints/step-00000004/manifest.json"}) EXPECT_EQ(read(undisturbed, file), read(damaged, file)) << file;
}

TEST_F(Region, AFinishedRunIsLeftAlone) {
  const RegionSpec spec = make("run", {});
  run(spec);
  const std::string metrics = read(spec, "metrics.jsonl");
  const auto written = fs::last_write_time(spec.run_folder + "/model/model.safetensors");
  const RegionResult again = run(spec);
  EXPECT_EQ(again.status, RegionStatus::kFinished);
  EXPECT_EQ(again.steps, 6);
  EXPECT_EQ(json::parse(again.evaluations_json).size(), 3u);
  EXPECT_EQ(read(spec, "metrics.jsonl"), metrics);
  EXPECT_EQ(fs::last_write_time(spec.run_folder + "/model/model.safetensors"), written);
}

TEST_F(Region, AnotherGraphsCheckpointIsRefused) {
  RegionSpec spec = make("run", {});
  run(spec);
  spec.graph_hash = "fedcba9876543210";
  EXPECT_NE(message_of([&] { run(spec); }).find("belongs to graph 01234567, expected fedcba98"), std::string::npos);
}

TEST_F(Region, TheSameThreadsGiveTheSameBytes) {
  for (const int threads : {1, 2}) {
    Options options;
    options.threads = threads;
    const RegionSpec a = make("a" + std::to_string(threads), options), b = make("b" + std::to_string(threads), options);
    run(a);
    run(b);
    EXPECT_EQ(read(a, "model/model.safetensors"), read(b, "model/model.safetensors"));
    EXPECT_EQ(read(a, "metrics.jsonl"), read(b, "metrics.jsonl"));
  }
}

TEST_F(Region, AResumeOnOtherThreadsWarnsAndIsMarked) {
  RegionSpec spec = make("run", {});
  RecordingHost stopping, host;
  stopping.stop_after = 3;
  flowrun_native_runtime_v1()->run(spec, stopping);
  spec.threads = 2;
  EXPECT_EQ(flowrun_native_runtime_v1()->run(spec, host).status, RegionStatus::kFinished);
  ASSERT_EQ(host.warnings.size(), 1u);
  EXPECT_EQ(host.warnings[0], "the checkpoint at step 3 was written with threads 1, now it is 2: results may differ in the last bits");
  EXPECT_EQ(json::parse(read(spec, "checkpoints/latest/state.json"))["exact"], false);
}

TEST_F(Region, EvaluatorsAndWritersChangeNoWeight) {
  for (const char* objective : {"objectives/clm", "objectives/mlm"}) {
    Options with, without;
    with.objective = without.objective = objective;
    without.evaluate = false;
    without.every_steps = 0;
    const RegionSpec a = make(std::string("with") + (objective + 11), with), b = make(std::string("without") + (objective + 11), without);
    run(a);
    run(b);
    EXPECT_EQ(read(a, "model/model.safetensors"), read(b, "model/model.safetensors"));
    EXPECT_EQ(file_names(b.run_folder + "/checkpoints"), (std::vector<std::string>{"latest", "step-00000006"}));
  }
}

TEST_F(Region, OldCheckpointsGo) {
  Options options;
  options.steps = 5;
  options.every_steps = 1;
  options.keep = 2;
  const RegionSpec spec = make("run", options);
  run(spec);
  EXPECT_EQ(list_checkpoints(spec.run_folder + "/checkpoints"), (std::vector<std::int64_t>{4, 5}));
}

// The logits that one evaluator wrote say, in double and by hand, what the other measured.
TEST_F(Region, PerplexityIsThatOfTheLogits) {
  const RegionSpec spec = make("run", {});
  run(spec);
  const safetensors::File file(spec.run_folder + "/out/logits.safetensors");
  std::map<std::string, std::pair<double, std::int64_t>> sums;
  std::int64_t tokens = 0, bytes = 0;
  for (const testing::TokenRow& document : documents(24)) {
    const auto data = file.bytes(document.id);
    ASSERT_EQ(file.header().tensors.at(document.id).shape, (std::vector<std::int64_t>{static_cast<std::int64_t>(document.input_ids.size()), 24}));
    // A document longer than a window is cut there, so its later windows see other contexts: leave it to the test of windows.
    if (document.input_ids.size() > 16) continue;
    tokens += static_cast<std::int64_t>(document.input_ids.size());
    bytes += document.bytes;
    for (std::size_t t = 0; t + 1 < document.input_ids.size(); ++t) {
      float logits[24];
      std::memcpy(logits, data.data() + t * sizeof logits, sizeof logits);
      double sum = 0;
      for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
      sums[document.domain].first += std::log(sum) - logits[document.input_ids[t + 1]];
      ++sums[document.domain].second;
    }
  }
  const auto eval = lines_of(read(spec, "metrics.jsonl"), "eval");
  const json& books = eval[eval.size() - 3];  // all books are short
  ASSERT_EQ(books["domain"], "books");
  EXPECT_EQ(books["tokens"], sums["books"].second);
  EXPECT_NEAR(books["loss"].get<double>(), sums["books"].first / static_cast<double>(sums["books"].second), 1e-5);
  EXPECT_EQ(books["bytes"], 100 + 102 + 104);
  EXPECT_NEAR(books["bits_per_byte"].get<double>(), books["bits_per_token"].get<double>() * (9 + 11 + 13) / (100 + 102 + 104), 1e-9);
  // The 40 tokens of the last document are windows of 16, 16 and 8, each without its first.
  EXPECT_EQ(eval.back()["tokens"], sums["books"].second + sums["web"].second + 15 + 15 + 7);
  EXPECT_EQ(eval.back()["bytes"], 615);
}

TEST_F(Region, MaskedTrainingIsBidirectionalAndItsEvaluationStandsStill) {
  Options options;
  options.objective = "objectives/mlm";
  options.lr = 0;
  options.weight_decay = 0;
  const RegionSpec spec = make("run", options);
  const RegionResult result = run(spec);
  EXPECT_EQ(json::parse(read(spec, "model/config.json"))["is_causal"], false);
  const auto evaluations = json::parse(result.evaluations_json);
  EXPECT_EQ(evaluations[0]["masked"], true);
  // Weights stand still at lr 0: so must the evaluation, whatever the step; the training masks do not.
  const auto eval = lines_of(read(spec, "metrics.jsonl"), "eval");
  for (std::size_t i = 3; i < eval.size(); ++i) EXPECT_EQ(eval[i]["loss"], eval[i - 3]["loss"]);
  EXPECT_LT(eval.back()["tokens"], 40);
  EXPECT_GT(eval.back()["tokens"], 3);
  const auto train = lines_of(read(spec, "metrics.jsonl"), "train");
  EXPECT_NE(train[0]["tokens"], train[1]["tokens"].get<std::int64_t>() - train[0]["tokens"].get<std::int64_t>());
}

TEST_F(Region, Bf16LearnsAsFp32Does) {
  Options options;
  options.steps = 40;
  options.lr = 1e-2;
  const RegionSpec fp32 = make("fp32", options);
  options.precision = "bf16";
  const RegionSpec bf16 = make("bf16", options);
  run(fp32);
  run(bf16);
  const auto a = lines_of(read(fp32, "metrics.jsonl"), "train"), b = lines_of(read(bf16, "metrics.jsonl"), "train");
  EXPECT_NEAR(a[0]["loss"].get<double>(), b[0]["loss"].get<double>(), 0.02);
  EXPECT_NEAR(a[39]["loss"].get<double>(), b[39]["loss"].get<double>(), 0.15);
  EXPECT_NE(a[39]["loss"], b[39]["loss"]);
  EXPECT_EQ(safetensors::File(bf16.run_folder + "/model/model.safetensors").header().tensors.at("model.norm.weight").dtype, "F32");
}

TEST_F(Region, ALossThatIsNotFiniteEndsTheRun) {
  Options options;
  options.lr = 1e3;
  options.weight_decay = 1e3;  // each step multiplies the weights by a million
  options.steps = 50;
  const RegionSpec spec = make("run", options);
  const RegionResult result = run(spec);
  EXPECT_EQ(result.status, RegionStatus::kNotFinite);
  EXPECT_NE(result.message.find(" at step " + std::to_string(result.steps)), std::string::npos) << result.message;
  EXPECT_NE(result.message.find(" at step " + std::to_string(result.steps - 1)), std::string::npos) << result.message;
  const auto train = lines_of(read(spec, "metrics.jsonl"), "train");
  EXPECT_EQ(train.size(), static_cast<std::size_t>(result.steps));
  EXPECT_TRUE(train.back()["loss"].is_null() || train.back()["grad_norm"].is_null());
  EXPECT_FALSE(fs::exists(spec.run_folder + "/model"));
}

TEST_F(Region, RefusesWhatCannotBeTrained) {
  Options options;
  options.sequences = 21;
  RegionSpec spec = make("few", options);
  EXPECT_EQ(message_of([&] { run(spec); }), "steps is 6, but the 21 sequences are enough for 5 (4 a step); give more text, fewer steps, or more epochs");
  options.sequences = 24;
  EXPECT_EQ(run(make("enough", options)).status, RegionStatus::kFinished);
  options.length = 65;
  spec = make("long", options);
  EXPECT_EQ(message_of([&] { run(spec); }), "the sequences have 65 tokens, but the model's max_position_embeddings is 64");
  spec = make("cuda", {});
  spec.device = "cuda";
  EXPECT_EQ(message_of([&] { run(spec); }), "device is 'cuda', but this build computes on 'cpu' alone; build with the CMake option FLOWRUN_CUDA");
  spec = make("fp16", {});
  spec.precision = "fp16";
  EXPECT_EQ(message_of([&] { run(spec); }), "precision is 'fp16', which is not built; expected 'fp32' or 'bf16'");
}

TEST_F(Region, APluginsErrorNamesItsNode) {
  Options options;
  options.sizes.vocab_size = 24;
  RegionSpec spec = make("run", options);
  RuleSequences foreign(100, 16, -1);  // ids that the model does not have
  spec.sequences = &foreign;
  const std::string text = message_of([&] { run(spec); });
  EXPECT_NE(text.find("\n  in node 'decoder/embedding' (blocks/token_embedding 0.1.0)"), std::string::npos) << text;
  EXPECT_NE(text.find("\n  in node 'loss' (objectives/clm 0.1.0)"), std::string::npos) << text;
}

TEST_F(Region, EvaluatesWithoutTraining) {
  RegionSpec spec = make("run", {});
  spec.objective.reset();
  spec.optimizer.reset();
  spec.writers.clear();
  const RegionResult result = run(spec);
  EXPECT_EQ(result.status, RegionStatus::kFinished);
  EXPECT_EQ(lines_of(read(spec, "metrics.jsonl"), "eval").size(), 3u);
  EXPECT_TRUE(fs::exists(spec.run_folder + "/out/logits.safetensors"));
}

}  // namespace
}  // namespace flowrun::train
