#include "train/ops.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include "train/gemm.hpp"
#include "train/kernels.hpp"

namespace flowrun::train {
namespace {

// B batch, T time, N = B T rows, D model width, M width of an output, F width of the MLP, H query heads, K key and value heads, C channels of a head, V vocabulary.

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Rows whose weight gradient is summed by one thread, in order. Fixed, so that the order of all additions is.
constexpr std::int64_t kRowsPerBlock = 64;
/// Elements below which another thread does not pay.
constexpr std::int64_t kGrain = 16384;
/// Logits that exist at once (fp32: 16 MB), unless that were fewer rows than a matrix product needs to be fast.
constexpr std::int64_t kLogitsAtOnce = std::int64_t{4} << 20;
constexpr std::int64_t kFewestRows = 256;

at::ScalarType wide(at::ScalarType type) { return type == at::kDouble ? at::kDouble : at::kFloat; }

/// Calls `body` with a zero of the type that rows of `type` are computed in.
template <class Body>
void with_wide_type(at::ScalarType type, Body&& body) {
  if (wide(type) == at::kDouble) body(double{});
  else body(float{});
}

/// Rows of a matrix as the kernels want them: in place where the dtype is theirs already, else (bf16) through a converted copy of the whole.
at::Tensor widened(const at::Tensor& x) { return x.to(wide(x.scalar_type())).contiguous(); }

void for_rows(std::int64_t rows, std::int64_t columns, const std::function<void(std::int64_t, std::int64_t)>& body) {
  at::parallel_for(0, rows, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, columns)), body);
}

// ------------------------------------------------------------------------------------------------------------------------------ norm

struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight_D, double eps) {
    const std::int64_t width = input.size(-1), rows = input.numel() / width;
    const at::Tensor x_ND = widened(input), weight = widened(weight_D);
    at::Tensor y_ND = at::empty_like(x_ND), r_N = at::empty({rows}, x_ND.options());
    with_wide_type(input.scalar_type(), [&]<class T>(T) {
      const T *x = x_ND.const_data_ptr<T>(), *w = weight.const_data_ptr<T>();
      T *y = y_ND.mutable_data_ptr<T>(), *r = r_N.mutable_data_ptr<T>();
      for_rows(rows, width, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) r[row] = kernels::rms_norm_row(x + row * width, w, y + row * width, width, eps);
      });
    });
    context->save_for_backward({input, weight_D, r_N});
    return y_ND.to(input.scalar_type());
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &weight_D = saved[1], &r_N = saved[2];
    const std::int64_t width = input.size(-1), rows = input.numel() / width, blocks = (rows + kRowsPerBlock - 1) / kRowsPerBlock;
    const at::Tensor x_ND = widened(input), weight = widened(weight_D), dy_ND = widened(gradients[0]);
    at::Tensor dx_ND = at::empty_like(x_ND), partial = at::zeros({blocks, width}, x_ND.options());
    at::Tensor weight_gradient = at::zeros({width}, x_ND.options());
    with_wide_type(input.scalar_type(), [&]<class T>(T) {
      const T *dy = dy_ND.const_data_ptr<T>(), *x = x_ND.const_data_ptr<T>(), *w = weight.const_data_ptr<T>(), *r = r_N.const_data_ptr<T>();
      T *dx = dx_ND.mutable_data_ptr<T>(), *parts = partial.mutable_data_ptr<T>(), *dw = weight_gradient.mutable_data_ptr<T>();
      at::parallel_for(0, blocks, std::max<std::int64_t>(1, kGrain / (kRowsPerBlock * width)), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t block = begin; block < end; ++block)
          for (std::int64_t row = block * kRowsPerBlock; row < std::min(rows, (block + 1) * kRowsPerBlock); ++row)
            kernels::rms_norm_row_backward(dy + row * width, x + row * width, w, r[row], dx + row * width, parts + block * width, width);
      });
      for (std::int64_t block = 0; block < blocks; ++block)
        for (std::int64_t i = 0; i < width; ++i) dw[i] += parts[block * width + i];
    });
    return {dx_ND.to(input.scalar_type()), weight_gradient.to(weight_D.scalar_type()), at::Tensor()};
  }
};

// ------------------------------------------------------------------------------------------------------------------------- attention

/// Rotates x [B, T, H, C] by the angles of [T, C / 2]; `direction` -1 is the inverse, which is also the gradient.
at::Tensor rotated(const at::Tensor& x_BTHC, const at::Tensor& cosine_TC, const at::Tensor& sine_TC, int direction) {
  const std::int64_t time = x_BTHC.size(1), heads = x_BTHC.size(2), channels = x_BTHC.size(3), half = channels / 2;
  const at::Tensor from = widened(x_BTHC), cosine = widened(cosine_TC.to(from.scalar_type())), sine = widened(sine_TC.to(from.scalar_type()));
  at::Tensor to = at::empty_like(from);
  with_wide_type(from.scalar_type(), [&]<class T>(T) {
    const T *x = from.const_data_ptr<T>(), *c = cosine.const_data_ptr<T>(), *s = sine.const_data_ptr<T>();
    T* y = to.mutable_data_ptr<T>();
    for_rows(x_BTHC.size(0) * time, heads * channels, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row)
        for (std::int64_t head = 0; head < heads; ++head) {
          const std::int64_t at = (row * heads + head) * channels, angle = (row % time) * half;
          kernels::rotate_row(x + at, c + angle, s + angle, static_cast<T>(direction), y + at, half);
        }
    });
  });
  return to.to(x_BTHC.scalar_type());
}

struct Rotate : torch::autograd::Function<Rotate> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& cosine, const at::Tensor& sine) {
    context->save_for_backward({cosine, sine});
    return rotated(x, cosine, sine, 1);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    return {rotated(gradients[0], saved[0], saved[1], -1), at::Tensor(), at::Tensor()};
  }
};

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& cosine, const at::Tensor& sine, native::Attention mode) {
  const std::int64_t batch = q.size(0), time = q.size(1), heads = q.size(2), groups = heads / k.size(2);
  const auto turned = [&](const at::Tensor& x) { return cosine.defined() ? Rotate::apply(x, cosine, sine) : x; };
  // LibTorch's fused CPU kernel wants as many key heads as query heads; what it does instead is slower than a copy of the keys.
  const auto spread = [&](const at::Tensor& x) { return groups == 1 ? x : x.unsqueeze(3).expand({-1, -1, -1, groups, -1}).flatten(2, 3); };
  const at::Tensor out_BHTC = at::scaled_dot_product_attention(turned(q).transpose(1, 2), spread(turned(k)).transpose(1, 2), spread(v).transpose(1, 2), {}, 0.0,
                                                               mode == native::Attention::kCausal);
  return out_BHTC.transpose(1, 2).reshape({batch, time, heads * q.size(3)});
}

// --------------------------------------------------------------------------------------------------------------------------- linear

struct Linear : torch::autograd::Function<Linear> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight_MD) {
    const at::Tensor x_ND = x.reshape({-1, x.size(-1)});
    context->save_for_backward({x_ND, weight_MD});
    std::vector<std::int64_t> shape = x.sizes().vec();
    shape.back() = weight_MD.size(0);
    return product(x_ND, weight_MD.t()).view(shape);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x_ND = saved[0], &weight_MD = saved[1];
    const at::Tensor dy_NM = gradients[0].reshape({-1, weight_MD.size(0)});
    std::vector<std::int64_t> shape = gradients[0].sizes().vec();
    shape.back() = weight_MD.size(1);
    return {product(dy_NM, weight_MD).view(shape), product(dy_NM.t(), x_ND)};
  }
};

// ------------------------------------------------------------------------------------------------------------------------------ MLP

void silu_mul(const at::Tensor& g, const at::Tensor& u, at::Tensor& h) {
  with_wide_type(g.scalar_type(), [&]<class T>(T) {
    const T *g_data = g.const_data_ptr<T>(), *u_data = u.const_data_ptr<T>();
    T* h_data = h.mutable_data_ptr<T>();
    at::parallel_for(0, g.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) { kernels::silu_mul(g_data + begin, u_data + begin, h_data + begin, end - begin); });
  });
}

struct Swiglu : torch::autograd::Function<Swiglu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& gate_FD, const at::Tensor& up_FD, const at::Tensor& down_DF) {
    const at::Tensor x_ND = x.reshape({-1, x.size(-1)});
    const at::Tensor g_NF = product(x_ND, gate_FD.t()), u_NF = product(x_ND, up_FD.t());
    context->save_for_backward({x_ND, gate_FD, up_FD, down_DF, g_NF, u_NF});
    const at::Tensor g = widened(g_NF), u = widened(u_NF);
    at::Tensor h = at::empty_like(g);
    silu_mul(g, u, h);
    std::vector<std::int64_t> shape = x.sizes().vec();
    shape.back() = down_DF.size(0);
    return product(h.to(x.scalar_type()), down_DF.t()).view(shape);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x_ND = saved[0], &gate_FD = saved[1], &up_FD = saved[2], &down_DF = saved[3];
    const at::Tensor dy_ND = gradients[0].reshape({-1, gradients[0].size(-1)});
    const at::Tensor g = widened(saved[4]), u = widened(saved[5]), dh = widened(product(dy_ND, down_DF));
    at::Tensor h = at::empty_like(g), dg = at::empty_like(g), du = at::empty_like(g);
    with_wide_type(g.scalar_type(), [&]<class T>(T) {
      const T *dh_data = dh.const_data_ptr<T>(), *g_data = g.const_data_ptr<T>(), *u_data = u.const_data_ptr<T>();
      T *h_data = h.mutable_data_ptr<T>(), *dg_data = dg.mutable_data_ptr<T>(), *du_data = du.mutable_data_ptr<T>();
      at::parallel_for(0, g.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
        kernels::silu_mul_backward(dh_data + begin, g_data + begin, u_data + begin, h_data + begin, dg_data + begin, du_data + begin, end - begin);
      });
    });
    const at::ScalarType type = x_ND.scalar_type();
    const at::Tensor h_NF = h.to(type), dg_NF = dg.to(type), du_NF = du.to(type);
    at::Tensor dx_ND = product(dg_NF, gate_FD);
    product_into(dx_ND, du_NF, up_FD, /*accumulate=*/true);
    return {dx_ND.view(gradients[0].sizes()), product(dg_NF.t(), x_ND), product(du_NF.t(), x_ND), product(dy_ND.t(), h_NF)};
  }
};

// ----------------------------------------------------------------------------------------------------------- linear and cross-entropy

/// The sum of the rows' cross-entropies. With gradients on, `dx` and `dweight` are made in the same pass, so that the logits of a chunk are used
/// while they are there (Hsu et al. 2024, arXiv:2410.10989, "FusedLinearCrossEntropy").
double cross_entropy_chunks(const at::Tensor& x_ND, const at::Tensor& weight_VD, const at::Tensor& targets_N, at::Tensor* dx_ND, at::Tensor* dweight_VD) {
  const std::int64_t rows = x_ND.size(0), vocabulary = weight_VD.size(0), step = std::max(kFewestRows, kLogitsAtOnce / vocabulary);
  const std::int64_t* target = targets_N.const_data_ptr<std::int64_t>();
  std::vector<double> losses(static_cast<std::size_t>(rows));
  const bool gradient = dx_ND != nullptr;
  for (std::int64_t first = 0; first < rows; first += step) {
    const std::int64_t n = std::min(step, rows - first);
    const at::Tensor x = x_ND.narrow(0, first, n);
    at::Tensor logits = widened(product(x, weight_VD.t()));
    with_wide_type(logits.scalar_type(), [&]<class T>(T) {
      T* data = logits.mutable_data_ptr<T>();
      for_rows(n, vocabulary, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row)
          losses[static_cast<std::size_t>(first + row)] = kernels::cross_entropy_row(data + row * vocabulary, vocabulary, target[first + row], gradient);
      });
    });
    if (!gradient) continue;
    const at::Tensor d = logits.to(x_ND.scalar_type());
    at::Tensor dx = dx_ND->narrow(0, first, n);
    product_into(dx, d, weight_VD, /*accumulate=*/false);
    // In bf16 the chunks are added up in fp32.
    if (dweight_VD->scalar_type() == d.scalar_type()) product_into(*dweight_VD, d.t(), x, /*accumulate=*/true);
    else dweight_VD->add_(product(d.t(), x));
  }
  double sum = 0;
  for (const double loss : losses) sum += loss;
  return sum;
}

struct LinearCrossEntropy : torch::autograd::Function<LinearCrossEntropy> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_ND, const at::Tensor& weight_VD, const at::Tensor& targets_N, bool gradient) {
    at::Tensor dx, dweight;
    if (gradient) {
      dx = at::empty_like(x_ND);
      dweight = at::zeros(weight_VD.sizes(), weight_VD.options().dtype(wide(weight_VD.scalar_type())));
    }
    const double sum = cross_entropy_chunks(x_ND, weight_VD, targets_N, gradient ? &dx : nullptr, gradient ? &dweight : nullptr);
    if (gradient) context->save_for_backward({dx, dweight.to(weight_VD.scalar_type())});
    return at::full({}, sum, x_ND.options().dtype(at::kDouble));
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    variable_list saved = context->get_saved_variables();
    const double factor = gradients[0].item<double>();
    if (factor != 1)
      for (at::Tensor& gradient : saved) gradient = gradient * factor;
    return {saved[0], saved[1], at::Tensor(), at::Tensor()};
  }
};

native::Loss linear_cross_entropy(const at::Tensor& x, const at::Tensor& weight_VD, const at::Tensor& targets) {
  const at::Tensor targets_N = targets.flatten().contiguous();
  at::Tensor x_ND = x.reshape({-1, x.size(-1)}).contiguous();
  const std::int64_t* target = targets_N.const_data_ptr<std::int64_t>();
  std::vector<std::int64_t> scored, scored_targets;
  for (std::int64_t row = 0; row < targets_N.size(0); ++row) {
    if (target[row] == -100) continue;
    if (target[row] < 0 || target[row] >= weight_VD.size(0))
      throw Error(Code::kInvalidArgument, "target " + std::to_string(target[row]) + " is outside the vocabulary of " + std::to_string(weight_VD.size(0)));
    scored.push_back(row);
    scored_targets.push_back(target[row]);
  }
  const auto count = static_cast<std::int64_t>(scored.size());
  const auto tensor_of = [](const std::vector<std::int64_t>& values) {
    at::Tensor out = at::empty({static_cast<std::int64_t>(values.size())}, at::kLong);
    std::copy(values.begin(), values.end(), out.mutable_data_ptr<std::int64_t>());
    return out;
  };
  if (count < x_ND.size(0)) x_ND = x_ND.index_select(0, tensor_of(scored));
  const bool gradient = at::GradMode::is_enabled() && (x_ND.requires_grad() || weight_VD.requires_grad());
  return {LinearCrossEntropy::apply(x_ND, weight_VD, tensor_of(scored_targets), gradient), count};
}

// ---------------------------------------------------------------------------------------------------------------------------- AdamW

void adamw(const native::tables::AdamwArguments& a) {
  const at::NoGradGuard guard;
  // The fused kernel counts its steps in tensors and divides gradients by `grad_scale`.
  const std::vector<at::Tensor> steps(a.values.size(), at::full({}, static_cast<double>(a.step - 1), at::kFloat).add_(1));
  at::_fused_adamw_(at::TensorList(a.values.data(), a.values.size()), at::TensorList(a.gradients.data(), a.gradients.size()),
                    at::TensorList(a.first_moments.data(), a.first_moments.size()), at::TensorList(a.second_moments.data(), a.second_moments.size()), {}, steps,
                    a.lr, a.beta1, a.beta2, a.weight_decay, a.eps, /*amsgrad=*/false, /*maximize=*/false,
                    at::full({}, 1 / a.gradient_scale, at::kFloat));
}

}  // namespace

const native::tables::Ops& ops() {
  using native::detail::guarded;
  static constexpr native::tables::Ops kOps = {
      sizeof(native::tables::Ops),
      [](const flowrun_call* call, const at::Tensor& x, const at::Tensor& weight, double eps, at::Tensor* out) noexcept {
        return guarded(call, [&] { *out = RmsNorm::apply(x, weight, eps); });
      },
      [](const flowrun_call* call, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& cosine, const at::Tensor& sine,
         native::Attention mode, at::Tensor* out) noexcept { return guarded(call, [&] { *out = attention(q, k, v, cosine, sine, mode); }); },
      [](const flowrun_call* call, const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up, const at::Tensor& down, at::Tensor* out) noexcept {
        return guarded(call, [&] { *out = Swiglu::apply(x, gate, up, down); });
      },
      [](const flowrun_call* call, const at::Tensor& x, const at::Tensor& weight, at::Tensor* out) noexcept {
        return guarded(call, [&] { *out = Linear::apply(x, weight); });
      },
      [](const flowrun_call* call, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& targets, native::Loss* out) noexcept {
        return guarded(call, [&] { *out = linear_cross_entropy(x, weight, targets); });
      },
      [](const flowrun_call* call, const native::tables::AdamwArguments& arguments) noexcept { return guarded(call, [&] { adamw(arguments); }); }};
  return kOps;
}

}  // namespace flowrun::train
