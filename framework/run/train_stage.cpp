#include "run/train_stage.hpp"

#include <csignal>
#include <exception>
#include <numeric>
#include <optional>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "graph/spool.hpp"
#include "run/native_library.hpp"
#include "run/node_factory.hpp"

namespace flowrun::run {
namespace {

using plugin::EdgeKind;

/// Gives a packer's sequences to the region.
class PackedSequences final : public train::SequenceSource {
 public:
  PackedSequences(const graph::IndexedNode& packer, std::int64_t sequence_length) : packer_(packer), sequence_length_(sequence_length) {}
  std::int64_t count() override { return packer_.count(); }
  std::int64_t sequence_length() override { return sequence_length_; }
  void read(std::int64_t first, std::int64_t n, flowrun_batch* out) override { packer_.read_batch(first, n, out); }

 private:
  const graph::IndexedNode& packer_;
  std::int64_t sequence_length_;
};

class Host final : public train::RegionHost {
 public:
  Host(const RunContext& context, std::size_t index) : context_(context), index_(index) {
    context.reporter.set_sampler([this] { return sample(); });
  }
  ~Host() override { context_.reporter.set_sampler({}); }
  train::StopRequest stop_requested() override {
    const int signal = context_.stop.signal.load(std::memory_order_relaxed);
    return signal == 0 ? train::StopRequest::kNone : signal == SIGUSR1 ? train::StopRequest::kUsr1 : train::StopRequest::kInterrupt;
  }
  void progress(const train::TrainProgress& progress) override {
    {
      const std::lock_guard lock(mutex_);
      progress_ = progress;
    }
    const auto left = static_cast<std::int64_t>(progress.seconds_left);
    context_.reporter.info(fmt::format("step {:>5}/{}  loss {:.4f}  perplexity {:.2f}  {:.0f} tokens/s  {}:{:02} left", progress.step, progress.steps, progress.loss,
                                       progress.perplexity, progress.tokens_per_second, left / 60, left % 60));
  }
  void message(const std::string& text) override { context_.reporter.info(text); }
  void warning(const std::string& text) override { context_.reporter.warning(text); }

 private:
  nlohmann::json sample() {
    const std::lock_guard lock(mutex_);
    return {{"version", 1}, {"stage", index_}, {"kind", "train"}, {"step", progress_.step}, {"steps", progress_.steps}, {"loss", progress_.loss},
            {"tokens_per_second", progress_.tokens_per_second}, {"seconds_left", progress_.seconds_left}};
  }

  const RunContext& context_;
  const std::size_t index_;
  std::mutex mutex_;  // protects progress_: the sampler reads it
  train::TrainProgress progress_;
};

/// Builds a region's specification. Everything that it points to is owned here.
class RegionBuilder {
 public:
  RegionBuilder(const RunContext& context, std::size_t index, bool with_data) : context_(context), stage_(context.plan.stages[index]), datasets_(context), with_data_(with_data) {
    spec_.seed = context.graph.run.seed;
    spec_.device = context.graph.run.device;
    spec_.precision = context.graph.run.precision;
    spec_.threads = context.threads;
    spec_.run_folder = context.folder;
    for (const std::size_t i : stage_.nodes) add(i);
  }
  train::RegionSpec& spec() { return spec_; }

  /// Returns the tokens that the optimizer asks for: steps x accumulation x batch x length.
  std::int64_t training_tokens() const {
    if (!spec_.optimizer || !spec_.objective || sequence_length_ == 0) return 0;
    const auto& optimizer = context_.graph.nodes[optimizer_].parameters;
    const auto& objective = context_.graph.nodes[objective_].parameters;
    return optimizer.value("steps", std::int64_t{0}) * optimizer.value("accumulation_steps", std::int64_t{1}) * objective.value("batch_size", std::int64_t{1}) * sequence_length_;
  }

  /// Returns the tokens of all spools that the packer draws from, each document with its end; 0 where one of them has still to be made.
  std::int64_t unique_tokens() const {
    if (!packer_) return 0;
    std::set<std::size_t> spools;
    std::vector<std::size_t> stack{*packer_};
    while (!stack.empty()) {
      const std::size_t i = stack.back();
      stack.pop_back();
      for (const auto& port : node(i).inputs)
        for (const auto& from : port) {
          if (const auto spool = context_.plan.spool_of(from)) spools.insert(*spool);
          else stack.push_back(from.node);
        }
    }
    std::int64_t tokens = 0;
    for (const std::size_t spool : spools) {
      const std::string& key = context_.plan.artifacts[spool].key;
      if (!context_.store.has(key)) return 0;
      tokens += token_count(context_.store.folder(key));
    }
    return tokens;
  }

 private:
  const graph::ResolvedNode& node(std::size_t i) const { return context_.graph.nodes[i]; }

  /// Adds up the lengths of a spool's documents, each with its end.
  static std::int64_t token_count(const std::string& folder) {
    const graph::SpoolReader index(folder + "/index.spool");
    std::int64_t tokens = index.rows();
    for (std::int64_t block = 0; block < index.block_count(); ++block) {
      const OwnedArray rows = index.load_block(block);
      const auto* lengths = BatchView(rows.get(), index.schema()).values<std::uint32_t>("length", "I");
      tokens = std::accumulate(lengths, lengths + rows.get().length, tokens);
    }
    return tokens;
  }

  train::NativeNodeSpec make(std::size_t i) {
    train::NativeNodeSpec spec;
    spec.name = node(i).name;
    spec.plugin_id = node(i).plugin->id;
    spec.plugin_version = node(i).descriptor().version;
    spec.plugin = context_.registry.load(*node(i).plugin, native_runtime().fingerprint());
    params_.push_back(make_params(context_, i));
    spec.params = params_.back()->table();
    spec.prefix = node(i).prefix;
    spec.tie = node(i).tie;
    spec.seed = node(i).effective_seed(context_.graph.run.seed);
    spec.threads = static_cast<int>(node(i).threads);
    for (std::size_t p = 0; p < node(i).inputs.size(); ++p) {
      const auto& port = node(i).descriptor().inputs[p];
      for (const auto& from : node(i).inputs[p]) {
        if (port.edge == EdgeKind::kModel) spec.model = model(from.node);
        else if (port.edge == EdgeKind::kArtifact) add_artifact(spec, port.name, from);
        else if (node(from.node).native()) spec.inputs.emplace_back(port.name, node(from.node).name);
      }
    }
    return spec;
  }

  /// A plan is made before its artifacts are: what is not there yet is left out.
  void add_artifact(train::NativeNodeSpec& spec, const std::string& port, const graph::Connection& from) const {
    const std::string& key = context_.plan.artifacts[context_.plan.artifact_behind(from)].key;
    if (with_data_ || context_.store.has(key)) spec.artifacts[port] = context_.store.folder(key);
  }

  void add(std::size_t i) {
    const std::string family = node(i).family();
    if (family == "blocks") {
      if (is_terminal(i)) model(i);
    } else if (family == "objectives") {
      objective_ = i;
      spec_.objective = std::make_unique<train::NativeNodeSpec>(make(i));
      add_sequences(i);
    } else if (family == "optimizers") {
      optimizer_ = i;
      spec_.optimizer = std::make_unique<train::NativeNodeSpec>(make(i));
    } else if (family == "evaluators") {
      train::EvaluatorSpec evaluator{make(i), nullptr};
      for (std::size_t p = 0; p < node(i).inputs.size(); ++p)
        if (node(i).descriptor().inputs[p].edge == EdgeKind::kDataset && !node(i).inputs[p].empty()) {
          if (with_data_) evaluator.dataset = datasets_.rows(node(i).inputs[p][0]);
          find_tokenizer(node(i).inputs[p][0].node);
        }
      spec_.evaluators.push_back(std::move(evaluator));
    } else if (family == "writers") {
      spec_.writers.push_back(make(i));
    } else {
      throw Error(Code::kUnsupported, fmt::format("node '{}': family '{}' has no place in a training region", node(i).name, family));
    }
  }

  bool is_terminal(std::size_t i) const { return node(i).descriptor().outputs.size() == 1 && node(i).descriptor().outputs[0].type == "logits"; }

  /// Returns the name of the model that ends in block `i`, adding it to the region the first time.
  std::string model(std::size_t i) {
    if (const auto it = models_.find(i); it != models_.end()) return it->second;
    train::ModelSpec model;
    model.name = node(i).name;
    for (const auto& table : context_.graph.huggingface) {
      if (table.output != node(i).name && table.output.substr(0, table.output.rfind('.')) != node(i).name) continue;
      model.name = table.model;
      nlohmann::json keys = nlohmann::json::object();
      for (const auto& entry : table.keys) keys[entry.key] = graph::to_json(entry.value);
      model.huggingface_json = keys.dump();
    }
    models_[i] = model.name;
    std::set<std::size_t> upstream;
    std::vector<std::size_t> stack{i};
    while (!stack.empty()) {
      const std::size_t block = stack.back();
      stack.pop_back();
      if (!upstream.insert(block).second) continue;
      for (const auto& port : node(block).inputs)
        for (const auto& from : port)
          if (node(from.node).native()) stack.push_back(from.node);
    }
    for (const std::size_t block : stage_.nodes)
      if (upstream.contains(block)) model.blocks.push_back(make(block));
    spec_.models.push_back(std::move(model));
    return models_[i];
  }

  void add_sequences(std::size_t i) {
    for (std::size_t p = 0; p < node(i).inputs.size(); ++p) {
      if (node(i).descriptor().inputs[p].type != "batch" || node(i).inputs[p].empty()) continue;
      const std::size_t packer = node(i).inputs[p][0].node;
      packer_ = packer;
      sequence_length_ = node(packer).parameters.value("sequence_length", std::int64_t{0});
      if (with_data_) {
        sequences_ = std::make_unique<PackedSequences>(datasets_.attached(packer), sequence_length_);
        spec_.sequences = sequences_.get();
      }
      find_tokenizer(packer);
    }
  }

  /// Looks upstream of the tokens for the tokenizer that made them, so that a checkpoint can carry it.
  void find_tokenizer(std::size_t from) {
    std::vector<std::size_t> stack{from};
    while (!stack.empty() && spec_.tokenizer.empty()) {
      const std::size_t i = stack.back();
      stack.pop_back();
      if (const auto it = context_.files[i].find("tokenizer_path"); it != context_.files[i].end() && !it->second->empty())
        spec_.tokenizer = (*it->second)[0].path;
      for (std::size_t p = 0; p < node(i).inputs.size(); ++p)
        for (const auto& input : node(i).inputs[p]) {
          const auto& port = node(i).descriptor().inputs[p];
          if (port.edge == EdgeKind::kArtifact && port.type == "tokenizer")
            spec_.tokenizer = context_.store.folder(context_.plan.artifacts[context_.plan.artifact_behind(input)].key);
          else stack.push_back(input.node);
        }
    }
  }

  const RunContext& context_;
  const Stage& stage_;
  Datasets datasets_;
  const bool with_data_;
  train::RegionSpec spec_;
  std::vector<std::unique_ptr<graph::ParamsTable>> params_;
  std::unique_ptr<PackedSequences> sequences_;
  std::map<std::size_t, std::string> models_;  ///< by terminal block
  std::size_t objective_ = 0, optimizer_ = 0;
  std::optional<std::size_t> packer_;
  std::int64_t sequence_length_ = 0;
};

}  // namespace

train::RegionResult run_train_stage(const RunContext& context, std::size_t index, const std::string& graph_hash, const std::string& graph_toml) {
  train::Runtime& runtime = native_runtime();
  RegionBuilder builder(context, index, true);
  builder.spec().graph_hash = graph_hash;
  builder.spec().graph_toml = graph_toml;
  Host host(context, index);
  train::RegionResult result;
  std::exception_ptr failure;
  // libgomp's teams, denormal and grad modes belong to a thread: the region gets one of its own, which oneTBB never uses.
  std::thread region([&] {
    try {
      result = runtime.run(builder.spec(), host);
    } catch (...) {
      failure = std::current_exception();
    }
  });
  region.join();
  if (failure) std::rethrow_exception(failure);
  return result;
}

TrainEstimate estimate_train_stage(const RunContext& context, std::size_t index) {
  RegionBuilder builder(context, index, false);
  TrainEstimate estimate;
  estimate.tokens = builder.training_tokens();
  estimate.unique_tokens = builder.unique_tokens();
  if (builder.spec().models.empty()) return estimate;
  try {
    estimate.model = native_runtime().model_size(builder.spec().models[0]);
  } catch (const Error& error) {
    // Its vocabulary comes from a tokenizer that has still to be trained: the sizes are unknown, which is not an error of the graph.
    if (error.code() != Code::kInvalidArgument) throw;
  }
  return estimate;
}

}  // namespace flowrun::run
