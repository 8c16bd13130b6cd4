#include "train/ops.hpp"

#include <cmath>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/triu.h>

namespace flowrun::train {
namespace {

// B batch, T time, D model width, H query heads, K key and value heads, C channels of a head, V vocabulary.

/// The dtype in which a sum over many elements is made.
at::ScalarType wide(const at::Tensor& x) { return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat; }

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  const at::Tensor wide_x = x.to(wide(x));
  return (wide_x * at::rsqrt(wide_x.square().mean(-1, true) + eps) * weight.to(wide(x))).to(x.scalar_type());
}

at::Tensor rotated(const at::Tensor& x_BTHC, const at::Tensor& cosine_TC, const at::Tensor& sine_TC) {
  if (!cosine_TC.defined()) return x_BTHC;
  const std::int64_t half = x_BTHC.size(-1) / 2;
  const at::Tensor x = x_BTHC.to(wide(x_BTHC)), a = x.narrow(-1, 0, half), b = x.narrow(-1, half, half);
  const at::Tensor cosine = cosine_TC.unsqueeze(1), sine = sine_TC.unsqueeze(1);
  return at::cat({a * cosine - b * sine, b * cosine + a * sine}, -1).to(x_BTHC.scalar_type());
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& cosine, const at::Tensor& sine, native::Attention mode) {
  const std::int64_t time = q.size(1), groups = q.size(2) / k.size(2);
  const at::Tensor q_BHTC = rotated(q, cosine, sine).transpose(1, 2);
  const at::Tensor k_BHTC = rotated(k, cosine, sine).repeat_interleave(groups, 2).transpose(1, 2);
  const at::Tensor v_BHTC = v.repeat_interleave(groups, 2).transpose(1, 2);
  at::Tensor scores_BHTT = at::matmul(q_BHTC, k_BHTC.transpose(-2, -1)) / std::sqrt(static_cast<double>(q.size(3)));
  if (mode == native::Attention::kCausal) {
    const at::Tensor later_TT = at::ones({time, time}, q.options().dtype(at::kBool)).triu(1);
    scores_BHTT = scores_BHTT.masked_fill(later_TT, -INFINITY);
  }
  return at::matmul(at::softmax(scores_BHTT, -1), v_BHTC).transpose(1, 2).reshape({q.size(0), time, -1});
}

at::Tensor swiglu(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up, const at::Tensor& down) {
  return at::matmul(at::silu(at::matmul(x, gate.t())) * at::matmul(x, up.t()), down.t());
}

native::Loss linear_cross_entropy(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& targets) {
  return logits_cross_entropy(at::matmul(x, weight.t()), targets);
}

void adamw(const native::tables::AdamwArguments& a) {
  const at::NoGradGuard guard;
  const double correction1 = 1 - std::pow(a.beta1, static_cast<double>(a.step)), correction2 = 1 - std::pow(a.beta2, static_cast<double>(a.step));
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const at::Tensor gradient = a.gradients[i] * a.gradient_scale;
    a.values[i].mul_(1 - a.lr * a.weight_decay);
    a.first_moments[i].mul_(a.beta1).add_(gradient, 1 - a.beta1);
    a.second_moments[i].mul_(a.beta2).addcmul_(gradient, gradient, 1 - a.beta2);
    const at::Tensor denominator = a.second_moments[i].sqrt().div_(std::sqrt(correction2)).add_(a.eps);
    a.values[i].addcdiv_(a.first_moments[i], denominator, -a.lr / correction1);
  }
}

}  // namespace

native::Loss logits_cross_entropy(const at::Tensor& logits, const at::Tensor& targets) {
  constexpr int kSum = 2;  // at::Reduction::Sum
  const at::Tensor logits_NV = logits.flatten(0, -2).to(wide(logits));
  return {at::cross_entropy_loss(logits_NV, targets.flatten(), {}, kSum, -100), targets.ne(-100).sum().item<std::int64_t>()};
}

const native::tables::Ops& reference_ops() {
  using native::detail::guarded;
  static constexpr native::tables::Ops kOps = {
      sizeof(native::tables::Ops),
      [](const flowrun_call* call, const at::Tensor& x, const at::Tensor& weight, double eps, at::Tensor* out) noexcept {
        return guarded(call, [&] { *out = rms_norm(x, weight, eps); });
      },
      [](const flowrun_call* call, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& cosine, const at::Tensor& sine,
         native::Attention mode, at::Tensor* out) noexcept { return guarded(call, [&] { *out = attention(q, k, v, cosine, sine, mode); }); },
      [](const flowrun_call* call, const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up, const at::Tensor& down, at::Tensor* out) noexcept {
        return guarded(call, [&] { *out = swiglu(x, gate, up, down); });
      },
      [](const flowrun_call* call, const at::Tensor& x, const at::Tensor& weight, at::Tensor* out) noexcept {
        return guarded(call, [&] { *out = at::matmul(x, weight.t()); });
      },
      [](const flowrun_call* call, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& targets, native::Loss* out) noexcept {
        return guarded(call, [&] { *out = linear_cross_entropy(x, weight, targets); });
      },
      [](const flowrun_call* call, const native::tables::AdamwArguments& arguments) noexcept { return guarded(call, [&] { adamw(arguments); }); }};
  return kOps;
}

}  // namespace flowrun::train
