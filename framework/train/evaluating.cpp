#include "train/evaluating.hpp"

#include <cmath>
#include <filesystem>
#include <utility>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/full_like.h>

#include <fmt/format.h>

#include "train/checkpoint.hpp"
#include "train/safetensors.hpp"

namespace flowrun::train {
namespace {

/// What the functions of tables::Evaluation reach.
struct EvaluationHost {
  const EvaluationScope& scope;
  NativeNode& evaluator;
  CallableModel& model;
  native::tables::Model* model_table = nullptr;
  std::int64_t step = 0;
  std::vector<EvalLine> lines;
};

native::Loss next_token_loss(CallableModel& model, const native::Batch& batch, native::Attention attention) {
  const at::Tensor& ids = batch.input_ids;
  at::Tensor targets = at::full_like(ids, -100);
  const std::int64_t scored = ids.size(1) - 1;
  targets.narrow(1, 0, scored).copy_((batch.labels.defined() ? batch.labels : ids).narrow(1, 1, scored));
  return model.cross_entropy(ids, targets, attention);
}

native::Loss loss_of(EvaluationHost& host, const native::Batch& batch) {
  NativeNode* objective = host.scope.objective;
  if (objective == nullptr) return next_token_loss(host.model, batch, host.scope.attention);
  HostCall call(&host.scope.host);
  const native::tables::Model model = host.model.table(call);
  native::Loss loss;
  call.check(objective->interface().objective->loss(objective->self(), call.table(), &model, batch, &loss), objective->describe());
  return loss;
}

void save_tensors(const EvaluationHost& host, const std::string& path, std::span<const native::NamedTensor> tensors) {
  namespace fs = std::filesystem;
  const fs::path relative = fs::path(path).lexically_normal();
  if (relative.is_absolute() || relative.empty() || *relative.begin() == "..")
    throw Error(Code::kInvalidArgument, "'" + path + "' leads out of the run's folder");
  const fs::path target = fs::path(host.scope.spec.run_folder) / relative;
  std::error_code error;
  fs::create_directories(target.parent_path(), error);
  if (error) throw Error(Code::kIo, "cannot create '" + target.parent_path().string() + "': " + error.message());
  std::vector<at::Tensor> kept;
  std::vector<safetensors::TensorView> views;
  for (const native::NamedTensor& named : tensors) {
    kept.push_back(named.tensor.cpu().contiguous());
    views.push_back(tensor_view(named.name, kept.back()));
  }
  safetensors::write_file(target.string(), std::move(views));
}

native::tables::Evaluation make_table(EvaluationHost& host, const HostCall& call, const flowrun_dataset* dataset) {
  native::tables::Evaluation table{};
  table.size = sizeof table;
  table.host = &host;
  table.call = call.table();
  table.model = host.model_table;
  table.dataset = dataset;
  table.step = host.step;
  table.sequence_length = host.scope.spec.sequences != nullptr ? host.scope.spec.sequences->sequence_length() : 0;
  table.attention = host.scope.attention;
  table.run_folder = host.scope.spec.run_folder.c_str();
  table.loss = [](void* self, const flowrun_call* outer, const native::Batch& batch, native::Loss* out) noexcept {
    return native::detail::guarded(outer, [&] { *out = loss_of(*static_cast<EvaluationHost*>(self), batch); });
  };
  table.emit = [](void* self, const flowrun_call* outer, const native::EvaluationLine& line) noexcept {
    return native::detail::guarded(outer, [&] {
      auto& lent = *static_cast<EvaluationHost*>(self);
      lent.lines.push_back({lent.step, lent.evaluator.name(), line.domain, line.loss_sum, line.scored, line.tokens, line.bytes});
    });
  };
  table.save_tensors = [](void* self, const flowrun_call* outer, const char* path, std::span<const native::NamedTensor> tensors) noexcept {
    return native::detail::guarded(outer, [&] { save_tensors(*static_cast<EvaluationHost*>(self), path, tensors); });
  };
  return table;
}

}  // namespace

std::vector<EvalLine> evaluate(const EvaluationScope& scope, NativeNode& evaluator, const flowrun_dataset* dataset, CallableModel& model, std::int64_t step) {
  const at::NoGradGuard no_gradients;
  EvaluationHost host{scope, evaluator, model, nullptr, step, {}};
  HostCall call(&scope.host);
  native::tables::Model model_table = model.table(call);
  host.model_table = &model_table;
  const native::tables::Evaluation table = make_table(host, call, dataset);

  model.use_weights(scope.parameters.master_weights());
  const flowrun_status status = evaluator.interface().evaluator->evaluate(evaluator.self(), &table);
  model.use_weights(scope.parameters.compute_weights());
  call.check(status, evaluator.describe());

  if (host.lines.empty()) return {};
  EvalLine all{step, evaluator.name(), "all", 0, 0, 0, 0};
  for (const EvalLine& line : host.lines) {
    all.loss_sum += line.loss_sum;
    all.scored += line.scored;
    all.tokens += line.tokens;
    all.bytes += line.bytes;
  }
  host.lines.push_back(all);
  return host.lines;
}

std::string summary(const std::vector<EvalLine>& lines) {
  const auto loss = [](const EvalLine& line) { return line.loss_sum / static_cast<double>(line.scored); };
  std::string domains;
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) domains += fmt::format("{}{} {:.4f}", i == 0 ? "" : ", ", lines[i].domain, loss(lines[i]));
  const EvalLine& all = lines.back();
  return fmt::format("{}: loss {:.4f}, perplexity {:.2f} ({})", all.evaluator, loss(all), std::exp(loss(all)), domains);
}

}  // namespace flowrun::train
