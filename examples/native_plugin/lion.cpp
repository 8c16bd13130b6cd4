// optimizers/lion: evolved sign momentum. Each weight moves by lr in the direction of a sign, so one moment is kept where AdamW keeps two.
//
//   u = sign(beta1 m + (1 - beta1) g)
//   w = w - lr (u + weight_decay w)
//   m = beta2 m + (1 - beta2) g                      Chen et al. 2023, arXiv:2302.06675, algorithm 2

#include <flowrun/native.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace {

using namespace flowrun;
using namespace flowrun::native;

class Lion : public Optimizer {
 public:
  static Descriptor descriptor() {
    return Descriptor("optimizers/lion", "0.1.0")
        .summary("Trains with Lion: sign of the momentum, decoupled weight decay, linear warmup, then a constant rate.")
        .input(Port("in", "loss"))
        .output(Port("out", "step"))
        .parameter(integer("steps").range(1, 1e15).required().about("Updates of the whole run."))
        .parameter(number("lr").range(0, 1e3).required().about("Learning rate after warmup; a third to a tenth of AdamW's."))
        .parameter(integer("warmup_steps").unit("steps").range(0, 1e15).defaults(0).about("Steps over which the learning rate rises linearly to lr."))
        .parameter(number("weight_decay").range(0, 1e3).defaults(0.0).about("Share of lr by which matrices shrink each step; norms and biases do not."))
        .parameter(number("beta1").range(0, 1).defaults(0.9).about("Share of the old momentum in the direction."))
        .parameter(number("beta2").range(0, 1).defaults(0.99).about("Decay of the momentum."))
        .parameter(number("clip_norm").range(0, 1e9).defaults(1.0).about("Gradients of a greater norm are scaled down to it; 0: never."))
        .less_or_equal("warmup_steps", "steps")
        .determinism("stateful")
        .threads("One call at a time, on the region's thread.")
        .source("Chen et al. 2023, arXiv:2302.06675")
        .example("[node.train]\nplugin = \"optimizers/lion\"\nin     = \"loss\"\nsteps  = 400\nlr     = 3e-4\nwarmup_steps = 40\n");
  }

  explicit Lion(const Params& params)
      : lr_(params.number("lr")), warmup_steps_(params.integer("warmup_steps")), weight_decay_(params.number("weight_decay")), beta1_(params.number("beta1")), beta2_(params.number("beta2")) {
    plan_.steps = params.integer("steps");
    plan_.clip_norm = params.number("clip_norm");
  }

  TrainingPlan plan() const override { return plan_; }
  double learning_rate(std::int64_t step) const override {
    return warmup_steps_ == 0 ? lr_ : lr_ * static_cast<double>(std::min(step, warmup_steps_)) / static_cast<double>(warmup_steps_);
  }
  std::string schedule() const override { return R"({"kind":"constant","lr":)" + json::number(lr_) + R"(,"warmup_steps":)" + std::to_string(warmup_steps_) + "}"; }
  std::vector<std::string> state_names() const override { return {"exp_avg"}; }

  /// The gradient is that of a sum of losses: `gradient_scale` makes it the mean's, clipped.
  void update(const Update& update, std::span<OptimizedParameter> parameters) override {
    for (OptimizedParameter& parameter : parameters) {
      at::Tensor& momentum = parameter.states[0];
      const at::Tensor gradient = parameter.gradient.mul(update.gradient_scale);
      const at::Tensor direction = momentum.mul(beta1_).add_(gradient, 1 - beta1_).sign_();
      if (parameter.role != Role::kVector) parameter.value.mul_(1 - update.lr * weight_decay_);
      parameter.value.add_(direction, -update.lr);
      momentum.mul_(beta2_).add_(gradient, 1 - beta2_);
    }
  }

 private:
  double lr_;
  std::int64_t warmup_steps_;
  double weight_decay_, beta1_, beta2_;
  TrainingPlan plan_;
};

}  // namespace

FLOWRUN_NATIVE_PLUGIN(Lion)
