#pragma once

// What framework/run hands to libflowrun_native.so to run one training region, and what it asks in return. This header sees no LibTorch, so
// that `flowrun` itself never does: the library is opened by path and gives its Runtime by `flowrun_native_runtime_v1`. Host and library
// are built together; this is not a public boundary.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <flowrun/abi.h>

namespace flowrun::train {

/// One native node with all that its plugin is made from.
struct NativeNodeSpec {
  std::string name;       ///< expanded, for example "decoder/layers/0/attention"
  std::string plugin_id;  ///< "blocks/attention"
  std::string plugin_version;
  const flowrun_plugin* plugin = nullptr;
  const flowrun_params* params = nullptr;  ///< outlives the region
  std::string prefix;                      ///< of its parameters' names; "" allowed
  std::string tie;                         ///< node whose parameter it shares; "" none
  /// Stream inputs inside the model: port -> producing node. Empty for the block that takes the ids.
  std::vector<std::pair<std::string, std::string>> inputs;
  std::map<std::string, std::string> artifacts;  ///< port -> folder
  std::string model;                             ///< of an objective or evaluator: name of its ModelSpec
  std::uint64_t seed = 0;
  int threads = 0;
};

/// A model: its blocks in topological order; the last block's output is the model's.
struct ModelSpec {
  std::string name;  ///< as the graph names it, for example "decoder"
  std::vector<NativeNodeSpec> blocks;
  std::string huggingface_json;  ///< the `[huggingface]` table as JSON; "" if the graph has none
};

/// Sequences by position and how many there are; lent by the run, [any] thread.
class SequenceSource {
 public:
  virtual ~SequenceSource() = default;
  virtual std::int64_t count() = 0;            ///< -1: without end
  virtual std::int64_t sequence_length() = 0;  ///< T
  /// Gives sequences [first, first + n) as tensors [n, T], or k rows for each as [n k, T / k]; of fewer where k changes. Throws Error. The caller releases `out`.
  virtual void read(std::int64_t first, std::int64_t n, flowrun_batch* out) = 0;
};

/// An evaluator with the dataset that it reads.
struct EvaluatorSpec {
  NativeNodeSpec node;
  const flowrun_dataset* dataset = nullptr;  ///< tokens, whole rows
};

/// The whole region. All pointers outlive the call to `run`.
struct RegionSpec {
  std::uint64_t seed = 0;
  std::string device = "cpu";
  std::string precision = "fp32";
  int threads = 1;  ///< of LibTorch
  std::vector<ModelSpec> models;
  std::unique_ptr<NativeNodeSpec> objective;  ///< null: a region of evaluators alone
  std::unique_ptr<NativeNodeSpec> optimizer;
  std::vector<EvaluatorSpec> evaluators;  ///< in the order of the graph
  std::vector<NativeNodeSpec> writers;    ///< writers/checkpoint
  SequenceSource* sequences = nullptr;    ///< of the objective
  std::string tokenizer;                  ///< folder of the tokenizer artifact behind the tokens, or a tokenizer.json of any name; "" unknown
  std::string run_folder;                 ///< absolute
  std::string graph_toml;                 ///< the resolved graph, for a checkpoint's graph.toml
  std::string graph_hash;
};

/// Why a region ended.
enum class RegionStatus {
  kFinished,
  kStopped,    ///< after INT or TERM: checkpoint written
  kStoppedUsr1,  ///< after USR1: checkpoint written
  kNotFinite,    ///< the loss or its gradient is not finite: exit code 80; `message` says at which step
};

/// How a region is told to stop.
enum class StopRequest { kNone, kInterrupt, kUsr1 };

/// One line of progress for the terminal and progress.json.
struct TrainProgress {
  std::int64_t step = 0, steps = 0;
  double loss = 0, perplexity = 0, tokens_per_second = 0, seconds_left = 0;
};

/// What a region asks of the run; called on the region's own thread.
class RegionHost {
 public:
  virtual ~RegionHost() = default;
  virtual StopRequest stop_requested() = 0;
  virtual void progress(const TrainProgress& progress) = 0;
  /// A line of talk: "step 100: evaluated ...", "checkpoint ...".
  virtual void message(const std::string& text) = 0;
  virtual void warning(const std::string& text) = 0;
};

/// The result of a region, for the summary.
struct RegionResult {
  RegionStatus status = RegionStatus::kFinished;
  std::int64_t steps = 0;   ///< reached
  std::int64_t tokens = 0;  ///< valid targets seen
  std::string message;      ///< of kNotFinite: "loss is nan at step 12, last finite 2.871 at step 11"
  std::string model_folder; ///< "model", relative to the run's folder; "" if no writer
  std::string evaluations_json = "[]";  ///< last evaluation: array of the eval lines of metrics.jsonl (with "masked" for MLM)
};

/// Sizes of a model without making it.
struct ModelSize {
  std::int64_t parameters = 0;
  std::int64_t parameters_matmul = 0;  ///< weights used in matrix products; a tied head counts once
};

/// libflowrun_native.so's face. Every function may throw Error: host and library share one compiler and one libstdc++.
class Runtime {
 public:
  virtual ~Runtime() = default;
  /// Returns what a native plugin must have been built with, field by field.
  virtual const char* fingerprint() const = 0;
  /// Returns the sizes of a model on the "meta" device.
  virtual ModelSize model_size(const ModelSpec& model) = 0;
  /// Runs (or goes on with) the region, on the calling thread, which becomes the training thread.
  virtual RegionResult run(const RegionSpec& spec, RegionHost& host) = 0;
};

}  // namespace flowrun::train

/// Gives the one Runtime of the process.
extern "C" flowrun::train::Runtime* flowrun_native_runtime_v1();
