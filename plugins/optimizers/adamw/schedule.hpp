#pragma once

#include <cstdint>
#include <string>

namespace flowrun::optimizers {

/// The learning rate over the steps of a run: linear warmup from 0, then constant, or down to `lr_min` at the last step along a line or half a
/// cosine (Loshchilov and Hutter 2017, arXiv:1608.03983). Equal to transformers' schedulers after s steps where lr_min is 0.
struct LearningRateSchedule {
  enum class Shape { kCosine, kLinear, kConstant };
  Shape shape = Shape::kCosine;
  double lr = 0;
  double lr_min = 0;
  std::int64_t warmup_steps = 0;
  std::int64_t steps = 0;

  /// Returns the rate of step `step`, from 1.
  double at(std::int64_t step) const;
  std::string to_json() const;
};

/// Throws kInvalidArgument for an unknown name.
LearningRateSchedule::Shape parse_shape(const std::string& name);

}  // namespace flowrun::optimizers
