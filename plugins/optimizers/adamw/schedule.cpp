#include "schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <flowrun/descriptor.hpp>
#include <flowrun/error.hpp>

namespace flowrun::optimizers {
namespace {

constexpr const char* kShapes[] = {"cosine", "linear", "constant"};

}  // namespace

double LearningRateSchedule::at(std::int64_t step) const {
  // transformers makes update s with the rate of s - 1 steps done, so that the first of a warmup has rate 0 and is lost; here it is that of s.
  if (step < warmup_steps) return lr * static_cast<double>(step) / static_cast<double>(warmup_steps);
  if (shape == Shape::kConstant || steps <= warmup_steps) return lr;
  const double progress = std::min(1.0, static_cast<double>(step - warmup_steps) / static_cast<double>(steps - warmup_steps));
  const double share = shape == Shape::kLinear ? 1 - progress : 0.5 * (1 + std::cos(std::numbers::pi * progress));
  return lr_min + (lr - lr_min) * share;
}

std::string LearningRateSchedule::to_json() const {
  return std::string("{\"name\":") + json::quote(kShapes[static_cast<int>(shape)]) + ",\"lr\":" + json::number(lr) + ",\"lr_min\":" + json::number(lr_min) +
         ",\"warmup_steps\":" + std::to_string(warmup_steps) + ",\"steps\":" + std::to_string(steps) + "}";
}

LearningRateSchedule::Shape parse_shape(const std::string& name) {
  for (int i = 0; i < 3; ++i)
    if (name == kShapes[i]) return static_cast<LearningRateSchedule::Shape>(i);
  throw Error(Code::kInvalidArgument, "schedule is '" + name + "', expected cosine, linear or constant");
}

}  // namespace flowrun::optimizers
