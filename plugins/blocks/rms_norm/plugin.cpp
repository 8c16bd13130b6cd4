// blocks/rms_norm: x / sqrt(mean(x^2) + eps) * weight over the channels.

#include <cstdint>

#include <flowrun/native.hpp>

namespace flowrun::blocks {
namespace {

using namespace native;

class RmsNorm : public Block {
 public:
  static Descriptor descriptor() {
    return Descriptor("blocks/rms_norm", "0.1.0")
        .summary("Scales each hidden state to a root mean square of 1, then each channel by a learned weight.")
        .input(Port("in", "hidden"))
        .output(Port("out", "hidden"))
        .parameter(integer("d_model").unit("channels").range(1, 1 << 20).required().about("Width of the hidden states."))
        .parameter(number("norm_eps").range(0, 1).defaults(1e-5).about("Added to the mean square."))
        .determinism("pure")
        .threads("One call at a time, on the region's thread.")
        .source("Zhang and Sennrich 2019, arXiv:1910.07467")
        .example("[node.norm]\nplugin  = \"blocks/rms_norm\"\nin      = \"mlp\"\nd_model = 256\nprefix  = \"model.norm.\"\n");
  }

  explicit RmsNorm(const Params& params) : d_model_(params.integer("d_model")), norm_eps_(params.number("norm_eps")) {}

  void setup(const Setup& setup) override {
    setup.publish("d_model", d_model_);
    weight_ = setup.parameter("weight", {d_model_}, Role::kVector, Init::constant(1));
  }

  at::Tensor forward(const Forward& forward, std::span<const at::Tensor> in) override { return forward.ops().rms_norm(in[0], forward[weight_], norm_eps_); }

 private:
  std::int64_t d_model_;
  double norm_eps_;
  Weight weight_;
};

}  // namespace
}  // namespace flowrun::blocks

FLOWRUN_NATIVE_PLUGIN(flowrun::blocks::RmsNorm)
