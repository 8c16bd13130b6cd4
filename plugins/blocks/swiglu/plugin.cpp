// blocks/swiglu: x + down(silu(gate(z)) * up(z)), z = rms_norm(x), as in Llama. Checked against Hugging Face's LlamaMLP.

#include <cmath>
#include <cstdint>
#include <string>

#include <ATen/ops/add.h>

#include <flowrun/native.hpp>

namespace flowrun::blocks {
namespace {

using namespace native;

// B batch, T time, D model width, F width of the MLP.

/// Returns the usual width, 8/3 of the model's (as many weights as an MLP of two matrices and 4 D), rounded up to whole cache lines of GEMM tiles.
std::int64_t usual_width(std::int64_t d_model) { return (8 * d_model + 3 * 64 - 1) / (3 * 64) * 64; }

class Swiglu : public Block {
 public:
  static Descriptor descriptor() {
    return Descriptor("blocks/swiglu", "0.1.0")
        .summary("Adds a gated MLP (SwiGLU) over the normed hidden states to them.")
        .input(Port("in", "hidden"))
        .output(Port("out", "hidden"))
        .parameter(integer("d_model").unit("channels").range(1, 1 << 20).required().about("Width of the hidden states."))
        .parameter(integer("d_ff").unit("channels").range(0, 1 << 24).defaults(0).about("Width of the MLP; 0: 8/3 of d_model, rounded up to a multiple of 64."))
        .parameter(number("norm_eps").range(0, 1).defaults(1e-5).about("Added to the mean square in the norm."))
        .parameter(string("norm_prefix").defaults("").about("Prefix of the norm's parameter as a whole name; empty: 'norm.' after the node's own prefix."))
        .parameter(number("init_std").range(0, 10).defaults(0.02).about("Standard deviation of the initial weights."))
        .parameter(integer("residual_layers").range(0, 1 << 20).defaults(0).about("Layers of the model: divides the output projection's init_std by sqrt(2 * residual_layers), as in GPT-2; 0: not."))
        .determinism("pure")
        .threads("One call at a time, on the region's thread.")
        .source("Shazeer 2020, arXiv:2002.05202")
        .example("[node.mlp]\nplugin  = \"blocks/swiglu\"\nin      = \"attention\"\nd_model = 256\nprefix  = \"model.layers.0.mlp.\"\nnorm_prefix = \"model.layers.0.post_attention_layernorm.\"\n");
  }

  explicit Swiglu(const Params& params)
      : d_model_(params.integer("d_model")),
        d_ff_(params.integer("d_ff")),
        norm_eps_(params.number("norm_eps")),
        norm_prefix_(params.string("norm_prefix")),
        init_std_(params.number("init_std")),
        residual_layers_(params.integer("residual_layers")) {
    if (d_ff_ == 0) d_ff_ = usual_width(d_model_);
  }

  void setup(const Setup& setup) override {
    setup.publish("d_model", d_model_);
    setup.publish("d_ff", d_ff_);
    const double output_std = residual_layers_ > 0 ? init_std_ / std::sqrt(2.0 * static_cast<double>(residual_layers_)) : init_std_;
    norm_ = norm_prefix_.empty() ? setup.parameter("norm.weight", {d_model_}, Role::kVector, Init::constant(1))
                                 : setup.parameter_named(norm_prefix_ + "weight", {d_model_}, Role::kVector, Init::constant(1));
    gate_ = setup.parameter("gate_proj.weight", {d_ff_, d_model_}, Role::kMatrix, Init::normal(init_std_));
    up_ = setup.parameter("up_proj.weight", {d_ff_, d_model_}, Role::kMatrix, Init::normal(init_std_));
    down_ = setup.parameter("down_proj.weight", {d_model_, d_ff_}, Role::kMatrix, Init::normal(output_std));
  }

  at::Tensor forward(const Forward& forward, std::span<const at::Tensor> in) override {
    const at::Tensor& x_BTD = in[0];
    const Ops ops = forward.ops();
    const at::Tensor z_BTD = ops.rms_norm(x_BTD, forward[norm_], norm_eps_);
    return at::add(x_BTD, ops.swiglu(z_BTD, forward[gate_], forward[up_], forward[down_]));
  }

 private:
  std::int64_t d_model_, d_ff_;
  double norm_eps_;
  std::string norm_prefix_;
  double init_std_;
  std::int64_t residual_layers_;
  Weight norm_, gate_, up_, down_;
};

}  // namespace
}  // namespace flowrun::blocks

FLOWRUN_NATIVE_PLUGIN(flowrun::blocks::Swiglu)
