#pragma once

// Products of fp32 matrices by the faster of the two libraries inside LibTorch. On AMD, MKL takes AVX2 kernels even where there is AVX-512:
// on a Zen 5 core it was seen at 90 GFLOP/s on the shapes of a small Llama, oneDNN at 200. On Intel, MKL is as fast, and LibTorch's own choice stands,
// as it does for every other dtype.

#include <ATen/core/Tensor.h>

namespace flowrun::train {

/// Returns "onednn" or "mkl": what fp32 products are made with on this machine.
const char* gemm_library() noexcept;

/// Returns a b. a: [N, K], b: [K, M]; transposed views cost nothing.
at::Tensor product(const at::Tensor& a, const at::Tensor& b);

/// Writes a b into `out`, or with `accumulate` adds it.
void product_into(at::Tensor& out, const at::Tensor& a, const at::Tensor& b, bool accumulate);

}  // namespace flowrun::train
