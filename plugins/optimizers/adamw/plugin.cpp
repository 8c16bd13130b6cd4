// optimizers/adamw: Adam with decoupled weight decay, a learning-rate schedule, clipping and accumulation.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <flowrun/native.hpp>

#include "schedule.hpp"

namespace flowrun::optimizers {
namespace {

using namespace native;

class Adamw : public Optimizer {
 public:
  static Descriptor descriptor() {
    return Descriptor("optimizers/adamw", "0.1.0")
        .summary("Trains with AdamW. Norms and biases do not decay; a tied parameter is updated, and decays, once.")
        .input(Port("in", "loss"))
        .output(Port("out", "step"))
        .parameter(integer("steps").range(1, 1e15).required().about("Updates of the whole run."))
        .parameter(number("lr").range(0, 1e3).required().about("Learning rate at its height."))
        .parameter(number("lr_min").range(0, 1e3).defaults(0.0).about("Learning rate at the last step of a cosine or linear schedule."))
        .parameter(integer("warmup_steps").unit("steps").range(0, 1e15).defaults(0).about("Steps over which the learning rate rises linearly to lr."))
        .parameter(string("schedule").choices({"cosine", "linear", "constant"}).defaults("cosine").about("Shape of the learning rate after warmup."))
        .parameter(number("weight_decay").range(0, 1e3).defaults(0.0).about("Share of lr by which weights shrink each step."))
        .parameter(number("beta1").range(0, 1).defaults(0.9).about("Decay of the mean of gradients."))
        .parameter(number("beta2").range(0, 1).defaults(0.999).about("Decay of the mean of squared gradients."))
        .parameter(number("eps").range(0, 1).defaults(1e-8).about("Added to the root of the second moment."))
        .parameter(number("clip_norm").range(0, 1e9).defaults(1.0).about("Gradients of a greater norm are scaled down to it; 0: never."))
        .parameter(integer("accumulation_steps").unit("batches").range(1, 1 << 20).defaults(1).about("Micro-batches of one step; the loss is the mean over all their valid tokens."))
        .parameter(integer("log_every_steps").unit("steps").range(1, 1e15).defaults(10).about("Steps between two lines on the terminal."))
        .less_or_equal("lr_min", "lr")
        .less_or_equal("warmup_steps", "steps")
        .determinism("stateful")
        .threads("One call at a time, on the region's thread.")
        .source("Loshchilov and Hutter 2019, arXiv:1711.05101")
        .example("[node.train]\nplugin = \"optimizers/adamw\"\nin     = \"loss\"\nsteps  = 400\nlr     = 1e-3\nschedule = \"cosine\"\nwarmup_steps = 40\n");
  }

  explicit Adamw(const Params& params)
      : weight_decay_(params.number("weight_decay")), beta1_(params.number("beta1")), beta2_(params.number("beta2")), eps_(params.number("eps")) {
    plan_ = {params.integer("steps"), params.integer("accumulation_steps"), params.integer("log_every_steps"), params.number("clip_norm")};
    schedule_ = {parse_shape(params.string("schedule")), params.number("lr"), params.number("lr_min"), params.integer("warmup_steps"), plan_.steps};
  }

  TrainingPlan plan() const override { return plan_; }
  double learning_rate(std::int64_t step) const override { return schedule_.at(step); }
  std::string schedule() const override { return schedule_.to_json(); }
  std::vector<std::string> state_names() const override { return {"exp_avg", "exp_avg_sq"}; }

  void update(const Update& update, std::span<OptimizedParameter> parameters) override {
    step(update, parameters, true);
    step(update, parameters, false);
  }

 private:
  /// Updates the parameters that decay, or those that do not.
  void step(const Update& update, std::span<OptimizedParameter> parameters, bool decaying) const {
    std::array<std::vector<at::Tensor>, 4> lists;
    for (const OptimizedParameter& parameter : parameters) {
      if ((parameter.role != Role::kVector) != decaying) continue;
      lists[0].push_back(parameter.value);
      lists[1].push_back(parameter.gradient);
      lists[2].push_back(parameter.states[0]);
      lists[3].push_back(parameter.states[1]);
    }
    if (lists[0].empty()) return;
    update.ops.adamw({lists[0], lists[1], lists[2], lists[3], update.gradient_scale, update.lr, beta1_, beta2_, eps_, decaying ? weight_decay_ : 0.0, update.step});
  }

  double weight_decay_, beta1_, beta2_, eps_;
  TrainingPlan plan_;
  LearningRateSchedule schedule_;
};

}  // namespace
}  // namespace flowrun::optimizers

FLOWRUN_NATIVE_PLUGIN(flowrun::optimizers::Adamw)
