#pragma once

// A small Llama over the real plugins, on sequences that follow a rule it can learn; for the tests of the native runtime.

#include <dlfcn.h>

#include <deque>
#include <filesystem>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <flowrun/philox.hpp>
#include <flowrun/testing.hpp>

#include "base/durable.hpp"
#include "train/region.hpp"
#include "train/safetensors.hpp"

namespace flowrun::train {

using Given = std::vector<std::pair<std::string, testing::Value>>;

/// Nodes over real plugins. What specs point to lives as long as this.
class NodeFactory {
 public:
  NativeNodeSpec make(const std::string& name, const std::string& id, const Given& parameters) {
    NativeNodeSpec spec;
    spec.name = name;
    spec.plugin_id = id;
    spec.plugin_version = "0.1.0";
    spec.plugin = load(id);
    tables_.push_back(std::make_unique<testing::ParameterTable>(testing::read_json(spec.plugin->descriptor()), parameters));
    spec.params = tables_.back()->table();
    return spec;
  }

 private:
  static const flowrun_plugin* load(const std::string& id) {
    static std::map<std::string, const flowrun_plugin*> loaded;  // never closed: LibTorch does not survive it
    if (const auto found = loaded.find(id); found != loaded.end()) return found->second;
    const std::string path = std::string(FLOWRUN_BUILD_DIR) + "/plugins/" + id + ".so";
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw Error(Code::kNotFound, ::dlerror());
    return loaded[id] = static_cast<const flowrun_plugin*>(::dlsym(library, "flowrun_plugin_v1"));
  }

  std::vector<std::unique_ptr<testing::ParameterTable>> tables_;
};

/// Sizes of the test's model.
struct LlamaSizes {
  std::int64_t vocab_size = 24, d_model = 16, n_layers = 2, n_heads = 4, n_kv_heads = 2, d_ff = 32;
  bool tied = true;
  double init_std = 0.1;
};

/// The blocks of graphs/models/llama.toml, as the graph loader would expand them.
inline ModelSpec llama(NodeFactory& factory, const LlamaSizes& sizes = {}) {
  ModelSpec model;
  model.name = "decoder";
  const testing::Value width = sizes.d_model, deviation = sizes.init_std;
  const auto add = [&](NativeNodeSpec spec, const std::string& prefix) -> NativeNodeSpec& {
    spec.prefix = prefix;
    if (!model.blocks.empty()) spec.inputs = {{"in", model.blocks.back().name}};
    return model.blocks.emplace_back(std::move(spec));
  };
  add(factory.make("decoder/embedding", "blocks/token_embedding", {{"d_model", width}, {"vocab_size", sizes.vocab_size}, {"init_std", deviation}}), "model.embed_tokens.");
  for (std::int64_t layer = 0; layer < sizes.n_layers; ++layer) {
    const std::string name = "decoder/layers/" + std::to_string(layer), prefix = "model.layers." + std::to_string(layer) + ".";
    add(factory.make(name + "/attention", "blocks/attention",
                     {{"d_model", width}, {"n_heads", sizes.n_heads}, {"n_kv_heads", sizes.n_kv_heads}, {"norm_prefix", prefix + "input_layernorm."},
                      {"init_std", deviation}, {"max_position_embeddings", std::int64_t{64}}}),
        prefix + "self_attn.");
    add(factory.make(name + "/mlp", "blocks/swiglu", {{"d_model", width}, {"d_ff", sizes.d_ff}, {"norm_prefix", prefix + "post_attention_layernorm."}, {"init_std", deviation}}),
        prefix + "mlp.");
  }
  add(factory.make("decoder/norm", "blocks/rms_norm", {{"d_model", width}}), "model.norm.");
  NativeNodeSpec& head = add(factory.make("decoder/head", "blocks/lm_head", {{"d_model", width}, {"init_std", deviation}}), "lm_head.");
  if (sizes.tied) head.tie = "decoder/embedding";
  model.huggingface_json =
      R"({"architecture":"LlamaForCausalLM","model_type":"llama","hidden_size":"@d_model","vocab_size":"@vocab_size","max_position_embeddings":64,)"
      R"("tie_word_embeddings":"@tie_word_embeddings","eos_token_id":"@eos_token_id","nested":{"heads":["@n_heads",1]}})";
  return model;
}

/// What transformers gives for a tiny Llama: weights, token ids, and logits for them. bench/peers/make_llama_golden.py writes the file.
class LlamaGolden {
 public:
  /// Six query heads over two key heads, head_dim 4, tied embeddings.
  static LlamaSizes sizes() { return {40, 24, 2, 6, 2, 64, true, 0.1}; }

  const std::map<std::string, safetensors::TensorInfo>& tensors() const { return file_.header().tensors; }
  at::Tensor operator[](const std::string& name) const {
    const safetensors::TensorInfo& info = tensors().at(name);
    at::Tensor out = at::empty(info.shape, info.dtype == "I64" ? at::kLong : at::kFloat);
    std::memcpy(out.mutable_data_ptr(), file_.bytes(name).data(), out.nbytes());
    return out;
  }

 private:
  safetensors::File file_{std::string(FLOWRUN_TEST_SOURCE_DIR) + "/testdata/llama.safetensors"};
};

/// Sequences in which a token mostly follows from the one before; never special.
class RuleSequences : public SequenceSource {
 public:
  RuleSequences(std::int64_t vocab_size, std::int64_t length, std::int64_t count) : vocab_size_(vocab_size), length_(length), count_(count) {}
  std::int64_t count() override { return count_; }
  std::int64_t sequence_length() override { return length_; }
  void read(std::int64_t first, std::int64_t n, flowrun_batch* out) override {
    if (count_ >= 0 && first + n > count_) throw Error(Code::kInternal, "read past the end");
    std::vector<std::int64_t> ids;
    for (std::int64_t sequence = first; sequence < first + n; ++sequence) {
      const auto row = tokens(vocab_size_, static_cast<std::uint64_t>(sequence), length_);
      ids.insert(ids.end(), row.begin(), row.end());
    }
    BatchBuilder builder;
    builder.add("input_ids", std::move(ids), n, length_);
    builder.move_to(out);
  }
  static std::vector<std::int64_t> tokens(std::int64_t vocab_size, std::uint64_t key, std::int64_t n) {
    std::vector<std::int64_t> ids;
    const auto words = static_cast<std::uint64_t>(vocab_size - 3);
    for (std::int64_t t = 0; t < n; ++t) {
      const bool free = t == 0 || philox_uniform(key + 1000, static_cast<std::uint64_t>(t)) < 0.1;
      const std::uint64_t word = free ? bounded(philox_u64(key, static_cast<std::uint64_t>(t)), words) : (static_cast<std::uint64_t>(ids.back() - 3) * 5 + 2) % words;
      ids.push_back(3 + static_cast<std::int64_t>(word));
    }
    return ids;
  }

 private:
  std::int64_t vocab_size_, length_, count_;
};

/// Keeps what the region says, and tells it to stop once it has asked `stop_after` times.
class RecordingHost : public RegionHost {
 public:
  StopRequest stop_requested() override { return asked_++ == stop_after ? request : StopRequest::kNone; }
  void progress(const TrainProgress& progress) override { progresses.push_back(progress); }
  void message(const std::string& text) override { messages.push_back(text); }
  void warning(const std::string& text) override { warnings.push_back(text); }

  std::int64_t stop_after = -1;
  StopRequest request = StopRequest::kInterrupt;
  std::vector<TrainProgress> progresses;
  std::vector<std::string> messages, warnings;

 private:
  std::int64_t asked_ = 0;
};

/// A region that a test can change before it runs.
class RegionFixture : public ::testing::Test {
 protected:
  struct Options {
    std::string objective = "objectives/clm";
    std::int64_t steps = 6, batch_size = 4, accumulation_steps = 1, length = 16, every_steps = 2, keep = 3, sequences = -1;
    double lr = 3e-3, weight_decay = 0.1;
    bool evaluate = true, write = true;
    int threads = 1;
    std::string precision = "fp32";
    LlamaSizes sizes;
  };

  /// Returns a spec whose run folder is `<folder>/<name>`.
  RegionSpec make(const std::string& name, const Options& options) {
    RegionSpec spec;
    spec.seed = 7;
    spec.precision = options.precision;
    spec.threads = options.threads;
    spec.graph_hash = "0123456789abcdef";
    spec.graph_toml = "[run]\nname = \"test\"\n";
    spec.run_folder = folder_.path() + "/" + name;
    std::filesystem::create_directories(spec.run_folder);
    spec.tokenizer = tokenizer();
    spec.models.push_back(llama(factory_, options.sizes));
    spec.objective = std::make_unique<NativeNodeSpec>(factory_.make("loss", options.objective, {{"batch_size", options.batch_size}}));
    spec.objective->model = "decoder";
    spec.objective->seed = 99;
    spec.optimizer = std::make_unique<NativeNodeSpec>(
        factory_.make("train", "optimizers/adamw", {{"steps", options.steps}, {"lr", options.lr}, {"weight_decay", options.weight_decay},
                                                    {"accumulation_steps", options.accumulation_steps}, {"log_every_steps", std::int64_t{1}}, {"warmup_steps", std::int64_t{1}}}));
    if (options.evaluate) add_evaluators(spec, options);
    if (options.write) spec.writers.push_back(factory_.make("checkpoint", "writers/checkpoint", {{"every_steps", options.every_steps}, {"keep", options.keep}}));
    sequences_.push_back(std::make_unique<RuleSequences>(options.sizes.vocab_size, options.length, options.sequences));
    spec.sequences = sequences_.back().get();
    return spec;
  }

  RegionResult run(const RegionSpec& spec) {
    RecordingHost host;
    return flowrun_native_runtime_v1()->run(spec, host);
  }

  static std::string read(const RegionSpec& spec, const std::string& file) { return io::read_file(spec.run_folder + "/" + file); }

  /// Documents of two domains, none longer than a window of 16 but the last.
  static std::vector<testing::TokenRow> documents(std::int64_t vocab_size) {
    std::vector<testing::TokenRow> rows;
    for (std::uint64_t i = 0; i < 6; ++i) {
      const auto ids = RuleSequences::tokens(vocab_size, 5000 + i, i == 5 ? 40 : static_cast<std::int64_t>(9 + i));
      rows.push_back({"doc" + std::to_string(i), i % 2 == 0 ? "books" : "web", static_cast<std::int64_t>(100 + i), {ids.begin(), ids.end()}});
    }
    return rows;
  }

  NodeFactory factory_;
  testing::TemporaryFolder folder_;

 private:
  void add_evaluators(RegionSpec& spec, const Options& options) {
    datasets_.push_back(std::make_unique<testing::MemoryDataset>(documents(options.sizes.vocab_size)));
    spec.evaluators.push_back({factory_.make("perplexity", "evaluators/perplexity", {{"every_steps", options.every_steps}, {"at_start", true}}), datasets_.back()->table()});
    spec.evaluators.push_back({factory_.make("logits", "evaluators/logits", {{"path", "out/logits.safetensors"}, {"max_tokens", std::int64_t{1000}}}), datasets_.back()->table()});
    for (EvaluatorSpec& evaluator : spec.evaluators) evaluator.node.model = "decoder";
  }

  std::string tokenizer() {
    const std::string folder = folder_.path() + "/tokenizer";
    std::filesystem::create_directories(folder);
    io::write_file(folder + "/tokenizer.json", R"({"model":{"vocab":{}}})");
    io::write_file(folder + "/tokenizer_config.json", R"({"tokenizer_class":"PreTrainedTokenizerFast","model_max_length":1})");
    return folder;
  }

  std::vector<std::unique_ptr<RuleSequences>> sequences_;
  std::vector<std::unique_ptr<testing::MemoryDataset>> datasets_;
};

}  // namespace flowrun::train
