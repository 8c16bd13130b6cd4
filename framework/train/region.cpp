#include "train/region.hpp"

#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <malloc.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/core/grad_mode.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/durable.hpp"
#include "train/checkpoint.hpp"
#include "train/evaluating.hpp"
#include "train/gemm.hpp"
#include "train/metrics.hpp"
#include "train/tensor_memory.hpp"
#include "train/training.hpp"

namespace flowrun::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Returns the fingerprint of this library, which every native plugin must equal.
const std::string& host_fingerprint() {
  static const std::string text = native::fingerprint();
  return text;
}

/// What results depend on beside graph, data and threads.
std::string setup_text() { return fmt::format("libtorch {} {}, {}, {}", TORCH_VERSION, FLOWRUN_LIBTORCH_GIT, at::get_cpu_capability(), gemm_library()); }

/// Flushes denormal numbers to zero on the calling thread: they cost a hundred cycles each, and nothing here means anything by them.
void flush_denormals() {
#if defined(__x86_64__)
  constexpr unsigned kFlushToZero = 0x8000, kDenormalsAreZero = 0x0040;
  _mm_setcsr(_mm_getcsr() | kFlushToZero | kDenormalsAreZero);
#endif
}

/// Makes the calling thread the training thread: LibTorch's thread team, no denormals, and memory that is kept between steps instead of given
/// back and faulted in anew. Tensors have their own cache; glibc's thresholds are for what the libraries below need besides.
void prepare_thread(int threads) {
  keep_tensor_memory();
  constexpr int kKeepBytes = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, kKeepBytes);
  mallopt(M_TRIM_THRESHOLD, kKeepBytes);
  mallopt(M_TOP_PAD, 64 << 20);
  at::set_num_threads(threads);
  at::parallel_for(0, threads, 1, [](std::int64_t, std::int64_t) { flush_denormals(); });
}

native::Context make_context(const RegionSpec& spec) {
  native::Context context;
  if (spec.device != "cpu")
    throw Error(Code::kUnavailable, "device is '" + spec.device + "', but this build computes on 'cpu' alone; build with the CMake option FLOWRUN_CUDA");
  if (spec.precision == "bf16") context.dtype = at::kBFloat16;
  else if (spec.precision != "fp32") throw Error(Code::kUnsupported, "precision is '" + spec.precision + "', which is not built; expected 'fp32' or 'bf16'");
  return context;
}

/// What `config.json` says of the attention where no objective does.
native::Attention configured_attention(const ModelSpec& model) {
  const auto table = nlohmann::json::parse(model.huggingface_json, nullptr, false);
  return table.is_object() && table.value("is_causal", true) == false ? native::Attention::kBidirectional : native::Attention::kCausal;
}

/// One training region from start or resume to its end.
class Region {
 public:
  Region(const RegionSpec& spec, RegionHost& host);
  RegionResult run();

 private:
  CallableModel& model_of(const std::string& name);
  EvaluationScope scope() { return {spec_, host_, parameters_, objective_ ? &*objective_ : nullptr, attention_}; }
  bool masked() const { return objective_ && objective_->interface().objective->masked(objective_->self()) != 0; }
  void resume();
  std::optional<RegionStatus> train();
  void after_step(std::int64_t step, const StepResult& result, double seconds);
  void report_progress(std::int64_t step, const StepResult& result, double seconds);
  void evaluate_if_due(const std::function<bool(const native::Schedule&)>& is_due);
  void save(bool final);
  void save_if_due();
  RegionResult finish(RegionStatus status);
  CheckpointContent checkpoint_content() const;
  std::string checkpoints() const { return spec_.run_folder + "/checkpoints"; }

  const RegionSpec& spec_;
  RegionHost& host_;
  native::Context context_;
  Parameters parameters_;
  std::vector<std::unique_ptr<CallableModel>> models_;
  std::optional<NativeNode> objective_, optimizer_;
  std::vector<NativeNode> evaluators_, writers_;
  CallableModel* model_ = nullptr;  ///< the objective's, else the first
  native::Attention attention_ = native::Attention::kCausal;
  std::optional<Training> training_;
  std::optional<MetricsLog> metrics_;

  std::int64_t step_ = 0;    ///< done
  std::int64_t tokens_ = 0;  ///< valid targets so far
  std::int64_t saved_step_ = -1;
  bool exact_ = true;
  double last_finite_ = 0;
  std::string message_;
  Clock::time_point started_ = Clock::now();
  // Since the last line of progress, training alone.
  double interval_seconds_ = 0;
  std::int64_t interval_steps_ = 0, interval_tokens_ = 0;
};

Region::Region(const RegionSpec& spec, RegionHost& host) : spec_(spec), host_(host), context_(make_context(spec)) {
  for (const ModelSpec& model : spec.models) models_.push_back(std::make_unique<CallableModel>(model, context_, parameters_, &host, host_fingerprint()));
  if (models_.empty()) throw Error(Code::kInvalidArgument, "the training region has no model");
  if (spec.objective) objective_.emplace(*spec.objective, &host, host_fingerprint());
  if (spec.optimizer) optimizer_.emplace(*spec.optimizer, &host, host_fingerprint());
  for (const EvaluatorSpec& evaluator : spec.evaluators) evaluators_.emplace_back(evaluator.node, &host, host_fingerprint());
  for (const NativeNodeSpec& writer : spec.writers) writers_.emplace_back(writer, &host, host_fingerprint());
  model_ = objective_ ? &model_of(spec.objective->model) : models_.front().get();
  attention_ = objective_ ? objective_->interface().objective->attention(objective_->self()) : configured_attention(spec.models.front());
  // Config errors show before the first step rather than at the first checkpoint.
  model_->config_json(attention_);

  parameters_.initialize(spec.seed);
  if (optimizer_) training_.emplace(spec_, objective_.value(), *optimizer_, *model_, parameters_, host_);
}

CallableModel& Region::model_of(const std::string& name) {
  for (const auto& model : models_)
    if (model->name() == name) return *model;
  throw Error(Code::kInternal, "the training region has no model '" + name + "'");
}

void Region::resume() {
  std::vector<std::string> warnings;
  const auto step = writers_.empty() || !training_ ? std::nullopt : find_checkpoint(checkpoints(), warnings);
  for (const std::string& warning : warnings) host_.warning(warning);
  if (!step) return;
  const std::string folder = checkpoints() + "/" + checkpoint_name(*step);
  const LoadedCheckpoint loaded = load_checkpoint(folder, parameters_, training_->state_names());
  if (loaded.state.graph_hash != spec_.graph_hash)
    throw Error(Code::kInvalidArgument, "checkpoint '" + folder + "' belongs to graph " + loaded.state.graph_hash.substr(0, 8) + ", expected " + spec_.graph_hash.substr(0, 8));
  step_ = saved_step_ = loaded.state.step;
  tokens_ = loaded.state.tokens;
  exact_ = loaded.state.exact;
  const auto differs = [&](const std::string& what, const std::string& found, const std::string& now) {
    host_.warning(fmt::format("the checkpoint at step {} was written with {} {}, now it is {}: results may differ in the last bits", step_, what, found, now));
    exact_ = false;
  };
  if (step_ < training_->plan().steps) {
    if (loaded.state.threads != spec_.threads) differs("threads", std::to_string(loaded.state.threads), std::to_string(spec_.threads));
    if (loaded.setup != setup_text()) differs("the set-up", loaded.setup, setup_text());
    host_.message(fmt::format("going on from step {} of {}", step_, training_->plan().steps));
  }
}

RegionResult Region::run() {
  resume();
  parameters_.use_dtype(context_.dtype);
  for (const auto& model : models_) model->use_weights(parameters_.compute_weights());
  const bool finished_before = training_ && step_ == training_->plan().steps && saved_step_ == step_;
  metrics_.emplace(spec_.run_folder, step_);
  if (finished_before) return finish(RegionStatus::kFinished);
  if (step_ == 0) evaluate_if_due([&](const native::Schedule& schedule) { return schedule.at_start || (!training_ && schedule.at_end); });
  if (training_)
    if (const auto ended = train()) return finish(*ended);
  return finish(RegionStatus::kFinished);
}

std::optional<RegionStatus> Region::train() {
  const std::int64_t steps = training_->plan().steps;
  while (step_ < steps) {
    const StopRequest stop = host_.stop_requested();
    if (stop != StopRequest::kNone) {
      save(false);
      return stop == StopRequest::kUsr1 ? RegionStatus::kStoppedUsr1 : RegionStatus::kStopped;
    }
    io::fault_point("step");
    const auto begin = Clock::now();
    const StepResult result = training_->step(step_ + 1);
    after_step(step_ + 1, result, seconds_since(begin));
    if (!result.finite) return RegionStatus::kNotFinite;
    const bool last = step_ == steps;
    evaluate_if_due([&](const native::Schedule& schedule) {
      return (last && schedule.at_end) || (schedule.every_steps > 0 && step_ % schedule.every_steps == 0);
    });
    if (!last) save_if_due();
  }
  return std::nullopt;
}

void Region::after_step(std::int64_t step, const StepResult& result, double seconds) {
  step_ = step;
  tokens_ += result.tokens;
  metrics_->append(TrainLine{step, result.loss, result.lr, result.grad_norm, tokens_});
  metrics_->append_timing(step, static_cast<double>(result.tokens) / seconds, seconds_since(started_));
  if (!result.finite) {
    const bool in_loss = !std::isfinite(result.loss);
    message_ = fmt::format("{} is {} at step {}", in_loss ? "loss" : "the gradient's norm", in_loss ? result.loss : result.grad_norm, step);
    if (step > 1) message_ += fmt::format(", last finite {} {:.3f} at step {}", in_loss ? "one" : "loss", last_finite_, step - 1);
    return;
  }
  last_finite_ = result.loss;
  report_progress(step, result, seconds);
}

void Region::report_progress(std::int64_t step, const StepResult& result, double seconds) {
  interval_seconds_ += seconds;
  interval_tokens_ += result.tokens;
  ++interval_steps_;
  const native::TrainingPlan& plan = training_->plan();
  if (step % plan.log_every_steps != 0 && step != plan.steps) return;
  host_.progress({step, plan.steps, result.loss, std::exp(result.loss), static_cast<double>(interval_tokens_) / interval_seconds_,
                  interval_seconds_ / static_cast<double>(interval_steps_) * static_cast<double>(plan.steps - step)});
  interval_seconds_ = 0;
  interval_steps_ = interval_tokens_ = 0;
}

void Region::evaluate_if_due(const std::function<bool(const native::Schedule&)>& is_due) {
  for (std::size_t i = 0; i < evaluators_.size(); ++i) {
    NativeNode& evaluator = evaluators_[i];
    if (!is_due(evaluator.interface().evaluator->schedule(evaluator.self()))) continue;
    const auto lines = evaluate(scope(), evaluator, spec_.evaluators[i].dataset, model_of(spec_.evaluators[i].node.model), step_);
    for (const EvalLine& line : lines) metrics_->append(line);
    if (!lines.empty()) host_.message(fmt::format("step {}: {}", step_, summary(lines)));
  }
}

CheckpointContent Region::checkpoint_content() const {
  CheckpointContent content;
  content.state = {step_,           tokens_, training_->position(step_ + 1), spec_.seed, spec_.graph_hash, spec_.threads, context_.world_size,
                   training_->schedule(), exact_};
  content.state_names = training_->state_names();
  content.config_json = model_->config_json(attention_);
  content.tokenizer = spec_.tokenizer;
  content.graph_toml = spec_.graph_toml;
  content.setup = setup_text();
  return content;
}

void Region::save(bool final) {
  if (saved_step_ == step_ || !training_) return;
  metrics_->sync();
  struct Lent {
    Region& region;
  } lent{*this};
  for (NativeNode& writer : writers_) {
    HostCall call(&host_);
    native::tables::Saving table{};
    table.size = sizeof table;
    table.host = &lent;
    table.call = call.table();
    table.step = step_;
    table.final = final ? 1 : 0;
    table.parameters = [](void* self, const flowrun_call* outer, std::vector<native::NamedTensor>* out) noexcept {
      return native::detail::guarded(outer, [&] {
        for (const Parameter& parameter : static_cast<Lent*>(self)->region.parameters_.all()) out->push_back({parameter.name, parameter.value});
      });
    };
    table.save_checkpoint = [](void* self, const flowrun_call* outer, std::int64_t keep) noexcept {
      return native::detail::guarded(outer, [&] {
        Region& region = static_cast<Lent*>(self)->region;
        save_checkpoint(region.spec_.run_folder, region.parameters_, region.checkpoint_content(), keep);
        region.saved_step_ = region.step_;
      });
    };
    call.check(writer.interface().writer->save(writer.self(), &table), writer.describe());
  }
  if (saved_step_ == step_) host_.message(fmt::format("step {}: checkpoint checkpoints/{}", step_, checkpoint_name(step_)));
}

void Region::save_if_due() {
  for (NativeNode& writer : writers_) {
    const native::Schedule schedule = writer.interface().writer->schedule(writer.self());
    if (schedule.every_steps > 0 && step_ % schedule.every_steps == 0) return save(false);
  }
}

RegionResult Region::finish(RegionStatus status) {
  RegionResult result;
  result.status = status;
  result.message = message_;
  if (status == RegionStatus::kFinished) {
    io::set_phase("save");
    save(true);
    if (saved_step_ == step_ && !writers_.empty() && training_) publish_model(checkpoints() + "/" + checkpoint_name(step_), spec_.run_folder + "/model");
  }
  metrics_->sync();
  std::error_code error;
  if (std::filesystem::exists(spec_.run_folder + "/model", error)) result.model_folder = "model";
  result.steps = step_;
  result.tokens = tokens_;
  result.evaluations_json = last_evaluations(io::read_file(spec_.run_folder + "/metrics.jsonl"), masked());
  return result;
}

class NativeRuntime : public Runtime {
 public:
  const char* fingerprint() const override { return host_fingerprint().c_str(); }

  ModelSize model_size(const ModelSpec& model) override { return measure(model, host_fingerprint()); }

  RegionResult run(const RegionSpec& spec, RegionHost& host) override {
    try {
      io::set_phase("training");
      prepare_thread(spec.threads);
      return Region(spec, host).run();
    } catch (const c10::Error& error) {
      // LibTorch's own type stays on this side, and so does its backtrace.
      throw Error(Code::kInternal, error.what_without_backtrace());
    }
  }
};

}  // namespace
}  // namespace flowrun::train

extern "C" __attribute__((visibility("default"))) flowrun::train::Runtime* flowrun_native_runtime_v1() {
  static flowrun::train::NativeRuntime runtime;
  return &runtime;
}
