// blocks/attention: x + attention(norm(x)) with rotary positions (RoPE) and grouped keys and values (GQA), as in Llama.
//
// q, k, v = linear(z), z = rms_norm(x); each head's channel pairs (i, i + C/2) of q and k are turned by the angle t * theta^(-2i/C) at time t; then
// softmax(q k^T / sqrt(C)) v, over earlier tokens or all, and the output projection. Checked against Hugging Face's LlamaAttention.

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include <ATen/ops/add.h>
#include <ATen/ops/empty.h>

#include <flowrun/native.hpp>

namespace flowrun::blocks {
namespace {

using namespace native;

// B batch, T time, D model width, H query heads, K key and value heads, C channels of a head.

class AttentionBlock : public Block {
 public:
  static Descriptor descriptor() {
    return Descriptor("blocks/attention", "0.1.0")
        .summary("Adds multi-head attention over the normed hidden states to them: RMSNorm, RoPE, grouped-query heads, causal or bidirectional as the objective asks.")
        .input(Port("in", "hidden"))
        .output(Port("out", "hidden"))
        .parameter(integer("d_model").unit("channels").range(1, 1 << 20).required().about("Width of the hidden states."))
        .parameter(integer("n_heads").range(1, 1 << 16).required().about("Query heads."))
        .parameter(integer("n_kv_heads").range(0, 1 << 16).defaults(0).about("Key and value heads, a divisor of n_heads; 0: as many."))
        .parameter(integer("head_dim").unit("channels").range(0, 1 << 16).defaults(0).about("Channels of a head, even; 0: d_model / n_heads."))
        .parameter(number("rope_theta").range(1, 1e12).defaults(10000.0).about("Base of the rotary angles."))
        .parameter(integer("max_position_embeddings").unit("tokens").range(0, 1 << 28).defaults(0).about("Longest sequence that training accepts; 0: any."))
        .parameter(number("norm_eps").range(0, 1).defaults(1e-5).about("Added to the mean square in the norm."))
        .parameter(string("norm_prefix").defaults("").about("Prefix of the norm's parameter as a whole name; empty: 'norm.' after the node's own prefix."))
        .parameter(number("init_std").range(0, 10).defaults(0.02).about("Standard deviation of the initial weights."))
        .parameter(integer("residual_layers").range(0, 1 << 20).defaults(0).about("Layers of the model: divides the output projection's init_std by sqrt(2 * residual_layers), as in GPT-2; 0: not."))
        .determinism("pure")
        .threads("One call at a time, on the region's thread.")
        .source("Vaswani et al. 2017, arXiv:1706.03762; Su et al. 2021, arXiv:2104.09864 (RoPE); Ainslie et al. 2023, arXiv:2305.13245 (GQA)")
        .multiple_of("n_heads", "n_kv_heads")
        .example("[node.attention]\nplugin  = \"blocks/attention\"\nin      = \"embedding\"\nd_model = 256\nn_heads = 4\nprefix  = \"model.layers.0.self_attn.\"\nnorm_prefix = \"model.layers.0.input_layernorm.\"\n");
  }

  explicit AttentionBlock(const Params& params)
      : d_model_(params.integer("d_model")),
        heads_(params.integer("n_heads")),
        kv_heads_(params.integer("n_kv_heads")),
        channels_(params.integer("head_dim")),
        theta_(params.number("rope_theta")),
        max_positions_(params.integer("max_position_embeddings")),
        norm_eps_(params.number("norm_eps")),
        norm_prefix_(params.string("norm_prefix")),
        init_std_(params.number("init_std")),
        residual_layers_(params.integer("residual_layers")) {
    if (kv_heads_ == 0) kv_heads_ = heads_;
    if (heads_ % kv_heads_ != 0) throw Error(Code::kInvalidArgument, "n_heads is " + std::to_string(heads_) + ", expected a multiple of n_kv_heads, " + std::to_string(kv_heads_));
    if (channels_ == 0) {
      if (d_model_ % heads_ != 0) throw Error(Code::kInvalidArgument, "d_model is " + std::to_string(d_model_) + ", expected a multiple of n_heads, " + std::to_string(heads_));
      channels_ = d_model_ / heads_;
    }
    if (channels_ % 2 != 0) throw Error(Code::kInvalidArgument, "a head has " + std::to_string(channels_) + " channels, expected an even number: RoPE turns pairs");
  }

  void setup(const Setup& setup) override {
    setup.publish("d_model", d_model_);
    setup.publish("n_heads", heads_);
    setup.publish("n_kv_heads", kv_heads_);
    setup.publish("head_dim", channels_);
    if (max_positions_ != 0) setup.publish("max_position_embeddings", max_positions_);
    const double output_std = residual_layers_ > 0 ? init_std_ / std::sqrt(2.0 * static_cast<double>(residual_layers_)) : init_std_;
    norm_ = norm_prefix_.empty() ? setup.parameter("norm.weight", {d_model_}, Role::kVector, Init::constant(1))
                                 : setup.parameter_named(norm_prefix_ + "weight", {d_model_}, Role::kVector, Init::constant(1));
    q_ = setup.parameter("q_proj.weight", {heads_ * channels_, d_model_}, Role::kMatrix, Init::normal(init_std_));
    k_ = setup.parameter("k_proj.weight", {kv_heads_ * channels_, d_model_}, Role::kMatrix, Init::normal(init_std_));
    v_ = setup.parameter("v_proj.weight", {kv_heads_ * channels_, d_model_}, Role::kMatrix, Init::normal(init_std_));
    o_ = setup.parameter("o_proj.weight", {d_model_, heads_ * channels_}, Role::kMatrix, Init::normal(output_std));
  }

  at::Tensor forward(const Forward& forward, std::span<const at::Tensor> in) override {
    const at::Tensor& x_BTD = in[0];
    const std::int64_t batch = x_BTD.size(0), time = x_BTD.size(1);
    make_angles(time);
    const Ops ops = forward.ops();
    const at::Tensor z_BTD = ops.rms_norm(x_BTD, forward[norm_], norm_eps_);
    const at::Tensor q_BTHC = ops.linear(z_BTD, forward[q_]).view({batch, time, heads_, channels_});
    const at::Tensor k_BTKC = ops.linear(z_BTD, forward[k_]).view({batch, time, kv_heads_, channels_});
    const at::Tensor v_BTKC = ops.linear(z_BTD, forward[v_]).view({batch, time, kv_heads_, channels_});
    const at::Tensor mixed = ops.attention(q_BTHC, k_BTKC, v_BTKC, cosine_.narrow(0, 0, time), sine_.narrow(0, 0, time), forward.attention());
    return at::add(x_BTD, ops.linear(mixed, forward[o_]));
  }

 private:
  /// Makes cosine and sine [T, C / 2] for at least `time` positions. In fp32 throughout, as the peers that load the checkpoint do.
  void make_angles(std::int64_t time) {
    if (cosine_.defined() && cosine_.size(0) >= time) return;
    const std::int64_t half = channels_ / 2;
    cosine_ = at::empty({time, half}, at::kFloat);
    sine_ = at::empty({time, half}, at::kFloat);
    float *cosine = cosine_.mutable_data_ptr<float>(), *sine = sine_.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < half; ++i) {
      const float frequency = 1.0f / std::pow(static_cast<float>(theta_), static_cast<float>(2 * i) / static_cast<float>(channels_));
      for (std::int64_t t = 0; t < time; ++t) {
        cosine[t * half + i] = std::cos(static_cast<float>(t) * frequency);
        sine[t * half + i] = std::sin(static_cast<float>(t) * frequency);
      }
    }
  }

  std::int64_t d_model_, heads_, kv_heads_, channels_;
  double theta_;
  std::int64_t max_positions_;
  double norm_eps_;
  std::string norm_prefix_;
  double init_std_;
  std::int64_t residual_layers_;
  Weight norm_, q_, k_, v_, o_;
  at::Tensor cosine_, sine_;
};

}  // namespace
}  // namespace flowrun::blocks

FLOWRUN_NATIVE_PLUGIN(flowrun::blocks::AttentionBlock)
