#pragma once

// One optimizer step: micro-batches forward and backward, the mean over all valid tokens, clipping, the update.

#include <cstdint>
#include <string>
#include <vector>

#include "train/model.hpp"

namespace flowrun::train {

/// Figures of one step.
struct StepResult {
  double loss = 0;       ///< mean over the step's valid tokens
  double grad_norm = 0;  ///< of that mean, before clipping
  double lr = 0;
  std::int64_t tokens = 0;  ///< valid targets
  bool finite = true;       ///< false: nothing was updated
};

/// Rows of one length, read from places that follow one another.
struct Sequences {
  Sequences() = default;
  Sequences(Sequences&&) = default;  // not copied: the batch's positions stay where they are
  native::Batch batch;                  ///< int64 tensors
  std::vector<std::int64_t> positions;  ///< of the batch's rows
  std::int64_t places = 0;              ///< that were read, at least 1
};

/// Reads places [first, first + n), n at least 1, or those before the length of rows changes. Throws kCorruptData for a batch that is not what its
/// source promises.
Sequences read_sequences(SequenceSource& source, std::int64_t first, std::int64_t n);

class Training {
 public:
  /// Creates the optimizer's state in `parameters`, whose values exist. All arguments outlive the object. Throws kInvalidArgument if `sequences`
  /// has fewer than all steps read.
  Training(const RegionSpec& spec, NativeNode& objective, NativeNode& optimizer, CallableModel& model, Parameters& parameters, RegionHost& host);

  const native::TrainingPlan& plan() const noexcept { return plan_; }
  const std::vector<std::string>& state_names() const noexcept { return state_names_; }
  const std::string& schedule() const noexcept { return schedule_; }
  /// Returns the first sequence that step `step` (from 1) reads.
  std::int64_t position(std::int64_t step) const noexcept { return (step - 1) * plan_.accumulation_steps * batch_size_; }
  /// Does step `step`, which depends on the parameters and on `step` alone.
  StepResult step(std::int64_t step);

 private:
  void check_sequences() const;
  native::Loss loss_of(const Sequences& sequences);
  /// Adds the gradients of places [first, first + n) to those of the step, and their loss to `result` and `loss_sum`.
  void micro_batch(std::int64_t first, std::int64_t n, StepResult& result, double& loss_sum);
  void update(std::int64_t step, double lr, double gradient_scale);

  const RegionSpec& spec_;
  NativeNode& objective_;
  NativeNode& optimizer_;
  CallableModel& model_;
  Parameters& parameters_;
  RegionHost& host_;
  native::TrainingPlan plan_;
  std::vector<std::string> state_names_;
  std::string schedule_;
  std::int64_t batch_size_ = 1;
};

}  // namespace flowrun::train
