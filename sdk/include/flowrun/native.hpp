#pragma once

// The native tier: nodes that live inside a training region and pass `at::Tensor`. An author derives from Block, Objective, Optimizer,
// Evaluator or RegionWriter and writes FLOWRUN_NATIVE_PLUGIN instead of FLOWRUN_PLUGIN; ports, parameters, errors and life are those of
// node.hpp (create -> open -> ... -> close -> destroy).
//
// Tensors and C++ types cross this boundary, so host and plugin must have been built alike: the plugin carries a `fingerprint`, and the
// host refuses one that differs from its own. Exceptions do not cross it: every call goes through a table of noexcept functions, whose
// two sides are written here. Every call is made on the region's one thread.
//
// Shapes: B batch, T time, D model width, H query heads, K key and value heads, C channels of a head, F width of the MLP, V vocabulary.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>
#include <torch/headeronly/version.h>

#include "node.hpp"

/// Grows with every change of this header that a built plugin could notice.
#define FLOWRUN_NATIVE_SDK 1

#ifndef FLOWRUN_LIBTORCH_GIT
#define FLOWRUN_LIBTORCH_GIT "unknown"
#endif

namespace flowrun::native {

/// Returns what a native plugin and its host must agree on, as a JSON object of strings: computed from the macros of the translation unit that calls it.
inline std::string fingerprint() {
#if defined(__SANITIZE_ADDRESS__)
  const char* sanitizer = "address";
#elif defined(__SANITIZE_THREAD__)
  const char* sanitizer = "thread";
#else
  const char* sanitizer = "none";
#endif
#if defined(_LIBCPP_VERSION)
  const std::string library = "libc++ " + std::to_string(_LIBCPP_VERSION);
#elif defined(_GLIBCXX_RELEASE)
  const std::string library = "libstdc++ " + std::to_string(_GLIBCXX_RELEASE);
#else
  const std::string library = "unknown";
#endif
#if defined(_GLIBCXX_USE_CXX11_ABI)
  const std::string cxx11_abi = std::to_string(_GLIBCXX_USE_CXX11_ABI);
#else
  const std::string cxx11_abi = "none";
#endif
#if defined(_GLIBCXX_DEBUG)
  const char* debug = "yes";
#else
  const char* debug = "no";
#endif
#if defined(FLOWRUN_CUDA)
  const char* cuda = FLOWRUN_CUDA;
#else
  const char* cuda = "none";
#endif
  return std::string("{\"libtorch_version\":") + json::quote(TORCH_VERSION) + ",\"libtorch_git\":" + json::quote(FLOWRUN_LIBTORCH_GIT) +
         ",\"cxx11_abi\":" + json::quote(cxx11_abi) + ",\"gxx_abi_version\":" + json::quote(std::to_string(__GXX_ABI_VERSION)) +
         ",\"standard_library\":" + json::quote(library) + ",\"sanitizer\":" + json::quote(sanitizer) + ",\"glibcxx_debug\":" + json::quote(debug) +
         ",\"native_sdk\":" + json::quote(std::to_string(FLOWRUN_NATIVE_SDK)) + ",\"cuda\":" + json::quote(cuda) + "}";
}

/// Where and as what a region computes. `rank`, `world_size` and `stream` are reserved: 0, 1 and null.
struct Context {
  std::uint32_t size = sizeof(Context);
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;  ///< of the weights that blocks are given; the master weights are fp32
  int rank = 0;
  int world_size = 1;
  void* stream = nullptr;
};

/// What a token may attend to: itself and those before, or all.
enum class Attention : std::int32_t { kCausal = 0, kBidirectional = 1 };

/// What a parameter is used for. It decides on weight decay (not for kVector) and on what counts as a matrix product.
enum class Role : std::int32_t {
  kMatrix = 0,     ///< a factor of a matrix product
  kEmbedding = 1,  ///< rows are looked up
  kVector = 2,     ///< norms and biases
};

/// How a parameter begins: independent normal draws, a function of (run seed, parameter's name, element) alone, or one value.
struct Init {
  double std = 0;
  double value = 0;
  static Init normal(double deviation) { return {deviation, 0}; }
  static Init constant(double element) { return {0, element}; }
};

/// A parameter as its block knows it; look it up with `forward[weight]`.
struct Weight {
  std::int32_t index = -1;
  explicit operator bool() const noexcept { return index >= 0; }
};

/// A sum of losses in nats and the number of tokens that it is over. The region divides, once for all micro-batches of a step.
struct Loss {
  at::Tensor sum;  ///< scalar, with gradient while training
  std::int64_t count = 0;
};

// ------------------------------------------------------------------------------------------------------- tables (used by the classes below)

namespace tables {

struct AdamwArguments {
  std::span<const at::Tensor> values, gradients, first_moments, second_moments;
  double gradient_scale = 1;  ///< gradients are multiplied by it first
  double lr = 0, beta1 = 0, beta2 = 0, eps = 0, weight_decay = 0;
  std::int64_t step = 1;  ///< from 1, for the bias correction
};

struct Ops {
  std::uint32_t size;
  flowrun_status (*rms_norm)(const flowrun_call*, const at::Tensor& x, const at::Tensor& weight, double eps, at::Tensor* out) noexcept;
  flowrun_status (*attention)(const flowrun_call*, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& cosine,
                              const at::Tensor& sine, Attention mode, at::Tensor* out) noexcept;
  flowrun_status (*swiglu)(const flowrun_call*, const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up, const at::Tensor& down,
                           at::Tensor* out) noexcept;
  flowrun_status (*linear)(const flowrun_call*, const at::Tensor& x, const at::Tensor& weight, at::Tensor* out) noexcept;
  flowrun_status (*linear_cross_entropy)(const flowrun_call*, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& targets, Loss* out) noexcept;
  flowrun_status (*adamw)(const flowrun_call*, const AdamwArguments& arguments) noexcept;
};

struct Setup {
  std::uint32_t size;
  void* host;
  const Context* context;
  const char* prefix;  // of the node's parameters; may be ""
  const char* tie;     // the node whose parameter is shared; "" none
  flowrun_status (*create)(void* host, const flowrun_call*, const char* full_name, const char* local_name, const std::int64_t* shape, std::size_t rank,
                           Role role, Init init, std::int32_t* index) noexcept;
  flowrun_status (*share)(void* host, const flowrun_call*, const char* local_name, Role role, std::int32_t* index) noexcept;
  flowrun_status (*publish)(void* host, const flowrun_call*, const char* name, std::int64_t value, std::int32_t is_boolean) noexcept;
  std::int32_t (*fact)(void* host, const char* name, std::int64_t* value) noexcept;
};

struct Forward {
  std::uint32_t size;
  const flowrun_call* call;
  const Ops* ops;
  const Context* context;
  const at::Tensor* weights;
  std::size_t weight_count;
  Attention attention;
};

struct Model {
  std::uint32_t size;
  void* host;
  const flowrun_call* call;
  const Ops* ops;
  const Context* context;
  flowrun_status (*logits)(void* host, const flowrun_call*, const at::Tensor& ids, Attention mode, at::Tensor* out) noexcept;
  flowrun_status (*cross_entropy)(void* host, const flowrun_call*, const at::Tensor& ids, const at::Tensor& targets, Attention mode, Loss* out) noexcept;
  std::int32_t (*fact)(void* host, const char* name, std::int64_t* value) noexcept;
};

}  // namespace tables

namespace detail {
/// Goes on after a call to the other side. That side has explained a failure through the same flowrun_call, and the first text counts.
inline void check(flowrun_status status, const char* what) {
  if (status != FLOWRUN_OK) throw Error(static_cast<Code>(status), std::string(what) + " failed");
}

/// As flowrun::guarded; LibTorch's errors lose their backtrace.
template <class Body>
flowrun_status guarded(const flowrun_call* call, Body&& body) noexcept {
  return flowrun::guarded(call, [&] {
    try {
      body();
    } catch (const c10::OutOfMemoryError& error) {
      throw Error(Code::kOutOfMemory, error.what_without_backtrace());
    } catch (const c10::Error& error) {
      throw Error(Code::kInternal, error.what_without_backtrace());
    }
  });
}
}  // namespace detail

// ---------------------------------------------------------------------------------------------------------------------- what a node is given

/// The table of ops: each is differentiable, has a plain LibTorch reference, and may have faster kernels behind it. Use them rather than
/// LibTorch's own where they fit: they are what makes a model fast.
class Ops {
 public:
  Ops(const tables::Ops* table, const flowrun_call* call) : table_(table), call_(call) {}
  /// Returns x / sqrt(mean(x^2) + eps) * weight over the last axis, accumulated in fp32 or better. x: [..., D], weight: [D].
  at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps) const {
    return one([&](at::Tensor* out) { return table_->rms_norm(call_, x, weight, eps, out); }, "rms_norm");
  }
  /// Returns softmax(q k^T / sqrt(C)) v as [B, T, H * C]. q: [B, T, H, C]; k and v: [B, T, K, C], where K divides H. `cosine` and `sine` [T, C / 2]
  /// rotate the two halves of q's and k's channels first (RoPE); undefined: no rotation.
  at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& cosine, const at::Tensor& sine, Attention mode) const {
    return one([&](at::Tensor* out) { return table_->attention(call_, q, k, v, cosine, sine, mode, out); }, "attention");
  }
  /// Returns (silu(x gate^T) * (x up^T)) down^T. x: [..., D]; gate and up: [F, D]; down: [D, F].
  at::Tensor swiglu(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up, const at::Tensor& down) const {
    return one([&](at::Tensor* out) { return table_->swiglu(call_, x, gate, up, down, out); }, "swiglu");
  }
  /// Returns x weight^T. x: [..., D], weight: [N, D].
  at::Tensor linear(const at::Tensor& x, const at::Tensor& weight) const {
    return one([&](at::Tensor* out) { return table_->linear(call_, x, weight, out); }, "linear");
  }
  /// Returns the summed cross-entropy of x weight^T against `targets` (int64, -100: not scored) without holding all logits. x: [..., D],
  /// weight: [V, D], targets: [...].
  Loss linear_cross_entropy(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& targets) const {
    Loss loss;
    detail::check(table_->linear_cross_entropy(call_, x, weight, targets, &loss), "linear_cross_entropy");
    return loss;
  }
  /// Does one AdamW step in place: decoupled decay, then the moment update with bias correction (Loshchilov and Hutter 2019).
  void adamw(const tables::AdamwArguments& arguments) const { detail::check(table_->adamw(call_, arguments), "adamw"); }

 private:
  template <class Function>
  static at::Tensor one(Function&& function, const char* name) {
    at::Tensor out;
    detail::check(function(&out), name);
    return out;
  }

  const tables::Ops* table_;
  const flowrun_call* call_;
};

/// Creates a block's parameters.
class Setup {
 public:
  Setup(const tables::Setup* table, const flowrun_call* call) : table_(table), call_(call) {}
  const Context& context() const noexcept { return *table_->context; }
  /// Creates the parameter `prefix + name`; nodes that tie to this one know it as `name`.
  Weight parameter(const std::string& name, std::initializer_list<std::int64_t> shape, Role role, Init init) const {
    return create(table_->prefix + name, name, shape, role, init);
  }
  /// Creates a parameter under its whole name, for a block whose parameters have several prefixes.
  Weight parameter_named(const std::string& full_name, std::initializer_list<std::int64_t> shape, Role role, Init init) const {
    return create(full_name, full_name, shape, role, init);
  }
  /// Returns whether the graph ties this node's parameter to another node's.
  bool tied() const noexcept { return table_->tie[0] != '\0'; }
  /// Returns the parameter `name` of the node that `tie` names; `role` is what it is used for here.
  Weight shared(const std::string& name, Role role) const {
    Weight weight;
    detail::check(table_->share(table_->host, call_, name.c_str(), role, &weight.index), "sharing a parameter");
    return weight;
  }
  /// States a fact of the whole model, such as vocab_size: other blocks can ask for it, and `[huggingface]` values name it as "@vocab_size".
  /// Throws kInvalidArgument if another block has stated another value.
  void publish(const char* name, std::int64_t value) const { detail::check(table_->publish(table_->host, call_, name, value, 0), "stating a fact"); }
  void publish_flag(const char* name, bool value) const { detail::check(table_->publish(table_->host, call_, name, value ? 1 : 0, 1), "stating a fact"); }
  /// Returns a fact that an earlier block stated.
  std::optional<std::int64_t> fact(const char* name) const {
    std::int64_t value = 0;
    return table_->fact(table_->host, name, &value) ? std::optional(value) : std::nullopt;
  }

 private:
  Weight create(const std::string& full_name, const std::string& local_name, std::initializer_list<std::int64_t> shape, Role role, Init init) const {
    Weight weight;
    detail::check(table_->create(table_->host, call_, full_name.c_str(), local_name.c_str(), shape.begin(), shape.size(), role, init, &weight.index),
                  "creating a parameter");
    return weight;
  }

  const tables::Setup* table_;
  const flowrun_call* call_;
};

/// One pass through a block.
class Forward {
 public:
  explicit Forward(const tables::Forward* table) : table_(table) {}
  /// Returns the weight, in the dtype of the computation.
  const at::Tensor& operator[](Weight weight) const {
    if (weight.index < 0 || static_cast<std::size_t>(weight.index) >= table_->weight_count) throw Error(Code::kInternal, "the block asks for a weight that it has not created");
    return table_->weights[weight.index];
  }
  Ops ops() const noexcept { return {table_->ops, table_->call}; }
  const Context& context() const noexcept { return *table_->context; }
  Attention attention() const noexcept { return table_->attention; }

 private:
  const tables::Forward* table_;
};

/// A model that can be called.
class Model {
 public:
  explicit Model(const tables::Model* table) : table_(table) {}
  /// Returns the output of the model's last block: logits [B, T, V]. `ids`: int64 [B, T].
  at::Tensor logits(const at::Tensor& ids, Attention mode) const {
    at::Tensor out;
    detail::check(table_->logits(table_->host, table_->call, ids, mode, &out), "the model");
    return out;
  }
  /// Returns the summed cross-entropy of the logits against `targets` (int64 [B, T], -100: not scored). Prefer it to `logits`: only scored
  /// rows meet the vocabulary, and where the last block is one linear map the logits are never held as a whole.
  Loss cross_entropy(const at::Tensor& ids, const at::Tensor& targets, Attention mode) const {
    Loss loss;
    detail::check(table_->cross_entropy(table_->host, table_->call, ids, targets, mode, &loss), "the model");
    return loss;
  }
  /// Returns a fact that a block stated.
  std::optional<std::int64_t> fact(const char* name) const {
    std::int64_t value = 0;
    return table_->fact(table_->host, name, &value) ? std::optional(value) : std::nullopt;
  }
  Ops ops() const noexcept { return {table_->ops, table_->call}; }
  const Context& context() const noexcept { return *table_->context; }

 private:
  const tables::Model* table_;
};

/// Sequences for one call of the model.
struct Batch {
  at::Tensor input_ids;                     ///< int64 [B, T]
  at::Tensor labels;                        ///< int64 [B, T], -100: not scored; undefined: the ids themselves
  std::span<const std::int64_t> positions;  ///< [B]: a number of each sequence that never changes; key every draw by it
  bool evaluation = false;                  ///< draws must then not depend on the training's
};

/// Named tensors, for files.
struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};

/// When a node of the region acts.
struct Schedule {
  std::int64_t every_steps = 0;  ///< 0: not in between
  bool at_start = false;         ///< before the first step
  bool at_end = true;
};

// --------------------------------------------------------------------------------------------------------------------------- kinds of node

/// A part of a model: hidden states (or, for the first, token ids) in, hidden states or logits out.
class Block : public Node {
 public:
  static constexpr const char* kKind = "native";
  /// Creates the parameters. Called once, after `open`, block after block in the model's order; maybe on a device without memory ("meta").
  virtual void setup(const Setup& setup) = 0;
  /// `in`: the streams of the input ports in the descriptor's order; the ids [B, T] for a block without any.
  virtual at::Tensor forward(const Forward& forward, std::span<const at::Tensor> in) = 0;
  /// Returns the weight [N, D] if `forward` is exactly `ops().linear(in, weight)`, so that the host may join it with what follows.
  virtual Weight linear_weight() const noexcept { return {}; }
};

/// Turns sequences into a loss.
class Objective : public Node {
 public:
  static constexpr const char* kKind = "native";
  virtual std::int64_t batch_size() const = 0;
  virtual Attention attention() const = 0;
  /// Returns whether only masked tokens are scored; evaluations say so.
  virtual bool masked() const { return false; }
  virtual Loss loss(const Model& model, const Batch& batch) = 0;
};

/// How long and how a region trains.
struct TrainingPlan {
  std::int64_t steps = 0;
  std::int64_t accumulation_steps = 1;
  std::int64_t log_every_steps = 10;
  double clip_norm = 0;  ///< 0: no clipping
};

/// One parameter in an optimizer's hands: fp32, updated in place.
struct OptimizedParameter {
  const char* name;
  Role role;
  at::Tensor value;
  at::Tensor gradient;             ///< of the loss sum; multiply by Update::gradient_scale
  std::vector<at::Tensor> states;  ///< in the order of `state_names`, zero at first
};

/// One optimizer step.
struct Update {
  std::int64_t step;  ///< from 1
  double lr;
  double gradient_scale;  ///< 1 / tokens, times the clipping factor
  Ops ops;
};

/// Updates the parameters. The region owns accumulation, clipping, the schedule's clock and the state's storage.
class Optimizer : public Node {
 public:
  static constexpr const char* kKind = "native";
  virtual TrainingPlan plan() const = 0;
  virtual double learning_rate(std::int64_t step) const = 0;
  /// Returns the schedule as JSON, for state.json.
  virtual std::string schedule() const = 0;
  virtual std::vector<std::string> state_names() const = 0;
  /// Changes values and states in place. Gradients are off.
  virtual void update(const Update& update, std::span<OptimizedParameter> parameters) = 0;
};

/// One evaluation's figures for a domain: a line of metrics.jsonl. The host adds losses up and gives the line "all".
struct EvaluationLine {
  std::string domain;
  double loss_sum = 0;       ///< nats
  std::int64_t scored = 0;   ///< tokens that loss_sum is over
  std::int64_t tokens = 0;   ///< tokens of the documents
  std::int64_t bytes = 0;    ///< of their text
};

namespace tables {
struct Evaluation {
  std::uint32_t size;
  void* host;
  const flowrun_call* call;
  const Model* model;
  const flowrun_dataset* dataset;
  std::int64_t step;
  std::int64_t sequence_length;  // the packer's; 0: there is none
  Attention attention;
  const char* run_folder;
  flowrun_status (*loss)(void* host, const flowrun_call*, const Batch& batch, Loss* out) noexcept;
  flowrun_status (*emit)(void* host, const flowrun_call*, const EvaluationLine& line) noexcept;
  flowrun_status (*save_tensors)(void* host, const flowrun_call*, const char* path, std::span<const NamedTensor> tensors) noexcept;
};

struct Saving {
  std::uint32_t size;
  void* host;
  const flowrun_call* call;
  std::int64_t step;
  std::int32_t final;
  flowrun_status (*parameters)(void* host, const flowrun_call*, std::vector<NamedTensor>* out) noexcept;
  flowrun_status (*save_checkpoint)(void* host, const flowrun_call*, std::int64_t keep) noexcept;
};
}  // namespace tables

/// What an evaluator is given. Gradients are off, and the model computes in fp32 with the master weights, whatever the region's precision.
class Evaluation {
 public:
  explicit Evaluation(const tables::Evaluation* table) : table_(table) {}
  std::int64_t step() const noexcept { return table_->step; }
  /// Returns T of the region's sequences, or 0 where there are none.
  std::int64_t sequence_length() const noexcept { return table_->sequence_length; }
  /// Returns the objective's mode of attention; without an objective, what `is_causal` of the model's configuration says.
  Attention attention() const noexcept { return table_->attention; }
  const flowrun_dataset* dataset() const noexcept { return table_->dataset; }
  Model model() const { return Model(table_->model); }
  Call call() const { return Call(table_->call); }
  /// Returns the region's absolute folder.
  std::string run_folder() const { return table_->run_folder; }
  /// Returns the objective's loss of the batch; without an objective, that of predicting each next token.
  Loss loss(const Batch& batch) const {
    Loss out;
    detail::check(table_->loss(table_->host, table_->call, batch, &out), "the objective");
    return out;
  }
  /// Adds a line to metrics.jsonl.
  void emit(const EvaluationLine& line) const { detail::check(table_->emit(table_->host, table_->call, line), "writing a line of metrics"); }
  /// Writes a safetensors file durably. `path` is relative to the run's folder.
  void save_tensors(const std::string& path, std::span<const NamedTensor> tensors) const {
    detail::check(table_->save_tensors(table_->host, table_->call, path.c_str(), tensors), "saving tensors");
  }

 private:
  const tables::Evaluation* table_;
};

/// Measures a model on a dataset of tokens; never changes anything that training reads.
class Evaluator : public Node {
 public:
  static constexpr const char* kKind = "native";
  virtual Schedule schedule() const = 0;
  virtual void evaluate(const Evaluation& evaluation) = 0;
};

/// What a writer is given after a step.
class Saving {
 public:
  explicit Saving(const tables::Saving* table) : table_(table) {}
  std::int64_t step() const noexcept { return table_->step; }
  /// Returns whether training ends with this step.
  bool final() const noexcept { return table_->final != 0; }
  Call call() const { return Call(table_->call); }
  /// Returns the fp32 master weights; each parameter once, by name.
  std::vector<NamedTensor> parameters() const {
    std::vector<NamedTensor> out;
    detail::check(table_->parameters(table_->host, table_->call, &out), "listing parameters");
    return out;
  }
  /// Writes `checkpoints/step-<step>` with all that a resume needs, moves `latest`, and deletes all but the last `keep`.
  void save_checkpoint(std::int64_t keep) const { detail::check(table_->save_checkpoint(table_->host, table_->call, keep), "saving a checkpoint"); }

 private:
  const tables::Saving* table_;
};

/// Writes what a region makes.
class RegionWriter : public Node {
 public:
  static constexpr const char* kKind = "native";
  virtual Schedule schedule() const = 0;
  virtual void save(const Saving& saving) = 0;
};

// ------------------------------------------------------------------------------------------------------------------- adapter to the tables

namespace tables {

struct Block {
  std::uint32_t size;
  flowrun_status (*setup)(void* self, const flowrun_call*, const Setup* setup) noexcept;
  flowrun_status (*forward)(void* self, const Forward* forward, std::span<const at::Tensor> in, at::Tensor* out) noexcept;
  std::int32_t (*linear_weight)(void* self) noexcept;
};

struct Objective {
  std::uint32_t size;
  std::int64_t (*batch_size)(void* self) noexcept;
  Attention (*attention)(void* self) noexcept;
  std::int32_t (*masked)(void* self) noexcept;
  flowrun_status (*loss)(void* self, const flowrun_call*, const Model* model, const Batch& batch, Loss* out) noexcept;
};

struct Optimizer {
  std::uint32_t size;
  flowrun_status (*plan)(void* self, const flowrun_call*, TrainingPlan* plan, std::vector<std::string>* state_names, std::string* schedule) noexcept;
  double (*learning_rate)(void* self, std::int64_t step) noexcept;
  flowrun_status (*update)(void* self, const flowrun_call*, const Update& update, std::span<OptimizedParameter> parameters) noexcept;
};

struct Evaluator {
  std::uint32_t size;
  native::Schedule (*schedule)(void* self) noexcept;
  flowrun_status (*evaluate)(void* self, const Evaluation* evaluation) noexcept;
};

struct RegionWriter {
  std::uint32_t size;
  native::Schedule (*schedule)(void* self) noexcept;
  flowrun_status (*save)(void* self, const Saving* saving) noexcept;
};

/// What `get_interface(FLOWRUN_NATIVE_V1)` gives. Nothing after `fingerprint` may be read before it has been compared.
struct Interface {
  std::uint32_t size;
  const char* (*fingerprint)();
  // Exactly one of these is set.
  const Block* block;
  const Objective* objective;
  const Optimizer* optimizer;
  const Evaluator* evaluator;
  const RegionWriter* writer;
};

}  // namespace tables

/// Builds the tables of native node class T. An author uses FLOWRUN_NATIVE_PLUGIN.
template <class T>
struct NativeAdapter {
  static T* node(void* self) noexcept { return static_cast<T*>(self); }

  static const char* fingerprint() {
    static const std::string text = native::fingerprint();
    return text.c_str();
  }
  static const char* descriptor() {
    static const std::string text = T::descriptor().to_json("native", T::kKind, fingerprint());
    return text.c_str();
  }
  static flowrun_status create(const flowrun_call* call, const flowrun_params* params, void** self) {
    return detail::guarded(call, [&] { *self = new T(Params(*params)); });
  }
  static flowrun_status open(void* self, const flowrun_call* call, flowrun_open* open) {
    return detail::guarded(call, [&] {
      Open view(open);
      node(self)->open(view);
    });
  }
  static void close(void* self) { node(self)->close(); }
  static void destroy(void* self) { delete node(self); }
  static const void* get_interface(const char* id) { return std::string_view(id) == FLOWRUN_NATIVE_V1 ? &kInterface : nullptr; }

  static constexpr tables::Block kBlock = [] {
    tables::Block table{};
    if constexpr (std::is_base_of_v<Block, T>) {
      table.size = sizeof table;
      table.setup = [](void* self, const flowrun_call* call, const tables::Setup* setup) noexcept {
        return detail::guarded(call, [&] { node(self)->setup(Setup(setup, call)); });
      };
      table.forward = [](void* self, const tables::Forward* forward, std::span<const at::Tensor> in, at::Tensor* out) noexcept {
        return detail::guarded(forward->call, [&] { *out = node(self)->forward(Forward(forward), in); });
      };
      table.linear_weight = [](void* self) noexcept { return node(self)->linear_weight().index; };
    }
    return table;
  }();

  static constexpr tables::Objective kObjective = [] {
    tables::Objective table{};
    if constexpr (std::is_base_of_v<Objective, T>) {
      table.size = sizeof table;
      table.batch_size = [](void* self) noexcept { return node(self)->batch_size(); };
      table.attention = [](void* self) noexcept { return node(self)->attention(); };
      table.masked = [](void* self) noexcept { return std::int32_t{node(self)->masked()}; };
      table.loss = [](void* self, const flowrun_call* call, const tables::Model* model, const Batch& batch, Loss* out) noexcept {
        return detail::guarded(call, [&] { *out = node(self)->loss(Model(model), batch); });
      };
    }
    return table;
  }();

  static constexpr tables::Optimizer kOptimizer = [] {
    tables::Optimizer table{};
    if constexpr (std::is_base_of_v<Optimizer, T>) {
      table.size = sizeof table;
      table.plan = [](void* self, const flowrun_call* call, TrainingPlan* plan, std::vector<std::string>* state_names, std::string* schedule) noexcept {
        return detail::guarded(call, [&] {
          *plan = node(self)->plan();
          *state_names = node(self)->state_names();
          *schedule = node(self)->schedule();
        });
      };
      table.learning_rate = [](void* self, std::int64_t step) noexcept { return node(self)->learning_rate(step); };
      table.update = [](void* self, const flowrun_call* call, const Update& update, std::span<OptimizedParameter> parameters) noexcept {
        return detail::guarded(call, [&] { node(self)->update(update, parameters); });
      };
    }
    return table;
  }();

  static constexpr tables::Evaluator kEvaluator = [] {
    tables::Evaluator table{};
    if constexpr (std::is_base_of_v<Evaluator, T>) {
      table.size = sizeof table;
      table.schedule = [](void* self) noexcept { return node(self)->schedule(); };
      table.evaluate = [](void* self, const tables::Evaluation* evaluation) noexcept {
        return detail::guarded(evaluation->call, [&] { node(self)->evaluate(Evaluation(evaluation)); });
      };
    }
    return table;
  }();

  static constexpr tables::RegionWriter kWriter = [] {
    tables::RegionWriter table{};
    if constexpr (std::is_base_of_v<RegionWriter, T>) {
      table.size = sizeof table;
      table.schedule = [](void* self) noexcept { return node(self)->schedule(); };
      table.save = [](void* self, const tables::Saving* saving) noexcept {
        return detail::guarded(saving->call, [&] { node(self)->save(Saving(saving)); });
      };
    }
    return table;
  }();

  static constexpr tables::Interface kInterface = {sizeof(tables::Interface),
                                                   fingerprint,
                                                   std::is_base_of_v<Block, T> ? &kBlock : nullptr,
                                                   std::is_base_of_v<Objective, T> ? &kObjective : nullptr,
                                                   std::is_base_of_v<Optimizer, T> ? &kOptimizer : nullptr,
                                                   std::is_base_of_v<Evaluator, T> ? &kEvaluator : nullptr,
                                                   std::is_base_of_v<RegionWriter, T> ? &kWriter : nullptr};

  static constexpr flowrun_plugin kPlugin = {sizeof(flowrun_plugin), FLOWRUN_ABI_MAJOR, FLOWRUN_ABI_MINOR, descriptor, create, open, close, destroy, get_interface};
};

}  // namespace flowrun::native

/// Exports native node class T as this library's plugin. Once in a library, outside any namespace.
#define FLOWRUN_NATIVE_PLUGIN(T) extern "C" constinit const flowrun_plugin flowrun_plugin_v1 = flowrun::native::NativeAdapter<T>::kPlugin;
