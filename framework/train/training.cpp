#include "train/training.hpp"

#include <cmath>
#include <cstring>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>

#include <fmt/format.h>

#include "train/distributed.hpp"
#include "train/ops.hpp"

namespace flowrun::train {
namespace {

/// Releases a flowrun_batch however the scope is left.
struct BatchOwner {
  flowrun_batch batch{};
  BatchOwner() = default;
  BatchOwner(const BatchOwner&) = delete;
  BatchOwner& operator=(const BatchOwner&) = delete;
  ~BatchOwner() {
    if (batch.release != nullptr) batch.release(&batch);
  }
};

template <class Integer>
void copy_integers(const DLTensor& from, std::int64_t* to) {
  const auto* data = reinterpret_cast<const Integer*>(static_cast<const std::byte*>(from.data) + from.byte_offset);
  const std::int64_t rows = from.shape[0], columns = from.shape[1];
  const std::int64_t row_stride = from.strides != nullptr ? from.strides[0] : columns, column_stride = from.strides != nullptr ? from.strides[1] : 1;
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t column = 0; column < columns; ++column) *to++ = data[row * row_stride + column * column_stride];
}

at::Tensor import_integers(const DLTensor& from, const std::string& name, std::int64_t places) {
  if (from.ndim != 2 || from.shape[0] == 0 || from.dtype.code != kDLInt || from.dtype.lanes != 1 || (from.dtype.bits != 64 && from.dtype.bits != 32) ||
      from.device.device_type != kDLCPU)
    throw Error(Code::kCorruptData, fmt::format("tensor '{}' of a batch must be int32 or int64 [{} k, T] on the CPU", name, places));
  at::Tensor out = at::empty({from.shape[0], from.shape[1]}, at::kLong);
  if (from.dtype.bits == 64) copy_integers<std::int64_t>(from, out.mutable_data_ptr<std::int64_t>());
  else copy_integers<std::int32_t>(from, out.mutable_data_ptr<std::int64_t>());
  return out;
}

/// Returns the places that rows come from: all `n`, or fewer where the read ended early. Then the rows have the tokens of whole places.
std::int64_t places_of(const at::Tensor& rows, std::int64_t n, std::int64_t place_tokens) {
  const std::int64_t tokens = rows.numel();
  if (place_tokens > 0 && tokens % place_tokens == 0 && tokens / place_tokens < n) return tokens / place_tokens;
  return n;
}

}  // namespace

Sequences read_sequences(SequenceSource& source, std::int64_t first, std::int64_t n) {
  BatchOwner owner;
  source.read(first, n, &owner.batch);
  Sequences sequences;
  native::Batch& batch = sequences.batch;
  for (std::uint32_t i = 0; i < owner.batch.tensor_count; ++i) {
    const std::string name = owner.batch.names[i];
    const DLTensor& tensor = owner.batch.tensors[i]->dl_tensor;
    if (name == "input_ids") batch.input_ids = import_integers(tensor, name, n);
    else if (name == "labels") batch.labels = import_integers(tensor, name, n);
  }
  if (!batch.input_ids.defined()) throw Error(Code::kCorruptData, fmt::format("the batch of sequences {} to {} has no tensor 'input_ids'", first, first + n));
  if (batch.labels.defined() && batch.labels.sizes() != batch.input_ids.sizes())
    throw Error(Code::kCorruptData, fmt::format("the batch of sequences {} to {} has tensors 'input_ids' and 'labels' of different shapes", first, first + n));
  sequences.places = places_of(batch.input_ids, n, source.sequence_length());
  const std::int64_t rows = batch.input_ids.size(0), in_place = rows / sequences.places;
  if (rows % sequences.places != 0)
    throw Error(Code::kCorruptData, fmt::format("the batch of sequences {} to {} has {} rows, expected a multiple of {}, or whole places of {} tokens", first, first + n, rows, n, source.sequence_length()));
  // What an objective draws is a function of a row's position: the rows that share a place are told apart above all places.
  constexpr int kPlaceBits = 40;
  sequences.positions.resize(static_cast<std::size_t>(rows));
  for (std::int64_t row = 0; row < rows; ++row) sequences.positions[static_cast<std::size_t>(row)] = first + row / in_place + ((row % in_place) << kPlaceBits);
  batch.positions = sequences.positions;
  return sequences;
}

Training::Training(const RegionSpec& spec, NativeNode& objective, NativeNode& optimizer, CallableModel& model, Parameters& parameters, RegionHost& host)
    : spec_(spec), objective_(objective), optimizer_(optimizer), model_(model), parameters_(parameters), host_(host) {
  HostCall call(&host_);
  call.check(optimizer_.interface().optimizer->plan(optimizer_.self(), call.table(), &plan_, &state_names_, &schedule_), optimizer_.describe());
  batch_size_ = objective_.interface().objective->batch_size(objective_.self());
  check_sequences();
  for (Parameter& parameter : parameters_.all())
    for (std::size_t i = 0; i < state_names_.size(); ++i) parameter.states.push_back(at::zeros_like(parameter.value));
}

void Training::check_sequences() const {
  const std::int64_t count = spec_.sequences->count(), per_step = plan_.accumulation_steps * batch_size_;
  if (count >= 0 && count < plan_.steps * per_step)
    throw Error(Code::kInvalidArgument, fmt::format("steps is {}, but the {} sequences are enough for {} ({} a step); give more text, fewer steps, or more epochs",
                                                    plan_.steps, count, count / per_step, per_step));
  const auto longest = model_.fact("max_position_embeddings");
  if (longest && spec_.sequences->sequence_length() > *longest)
    throw Error(Code::kInvalidArgument, fmt::format("the sequences have {} tokens, but the model's max_position_embeddings is {}", spec_.sequences->sequence_length(), *longest));
}

native::Loss Training::loss_of(const Sequences& sequences) {
  HostCall call(&host_);
  const native::tables::Model model = model_.table(call);
  native::Loss loss;
  call.check(objective_.interface().objective->loss(objective_.self(), call.table(), &model, sequences.batch, &loss), objective_.describe());
  return loss;
}

void Training::micro_batch(std::int64_t first, std::int64_t n, StepResult& result, double& loss_sum) {
  for (std::int64_t done = 0; done < n;) {
    // A tensor has rows of one length: where a stage of a curriculum begins inside a micro-batch, it is done in two.
    const Sequences sequences = read_sequences(*spec_.sequences, first + done, n - done);
    done += sequences.places;
    const native::Loss loss = loss_of(sequences);
    loss_sum += loss.sum.item<double>();
    result.tokens += loss.count;
    if (loss.count == 0) continue;
    // The gradient is that of the sum; the division by the step's tokens happens once, in the update, so that it does not matter how the step
    // is cut into micro-batches.
    loss.sum.backward();
    parameters_.collect_gradients();
  }
}

StepResult Training::step(std::int64_t step) {
  StepResult result;
  result.lr = optimizer_.interface().optimizer->learning_rate(optimizer_.self(), step);
  double loss_sum = 0;
  parameters_.clear_gradients();
  for (std::int64_t micro = 0; micro < plan_.accumulation_steps; ++micro) micro_batch(position(step) + micro * batch_size_, batch_size_, result, loss_sum);
  reduce_gradients(model_.context(), parameters_);
  reduce_counters(model_.context(), loss_sum, result.tokens);
  if (result.tokens == 0) throw Error(Code::kInvalidArgument, fmt::format("step {} has no token to score", step));

  const double per_token = 1 / static_cast<double>(result.tokens);
  result.loss = loss_sum * per_token;
  result.grad_norm = parameters_.gradient_norm() * per_token;
  result.finite = std::isfinite(result.loss) && std::isfinite(result.grad_norm);
  if (!result.finite) return result;
  // The small term is that of torch.nn.utils.clip_grad_norm_.
  const double clipping = plan_.clip_norm > 0 ? std::min(1.0, plan_.clip_norm / (result.grad_norm + 1e-6)) : 1.0;
  update(step, result.lr, per_token * clipping);
  return result;
}

void Training::update(std::int64_t step, double lr, double gradient_scale) {
  const at::NoGradGuard no_gradients;  // weights are changed in place
  std::vector<native::OptimizedParameter> lent;
  for (Parameter& parameter : parameters_.all())
    if (parameter.gradient.defined()) lent.push_back({parameter.name.c_str(), parameter.role, parameter.value, parameter.gradient, parameter.states});
  HostCall call(&host_);
  const native::Update update{step, lr, gradient_scale, native::Ops(&ops(), call.table())};
  call.check(optimizer_.interface().optimizer->update(optimizer_.self(), call.table(), update, lent), optimizer_.describe());
  parameters_.refresh_compute();
}

}  // namespace flowrun::train
