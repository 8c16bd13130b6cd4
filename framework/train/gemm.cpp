#include "train/gemm.hpp"

#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>

namespace at::native {
// LibTorch exports this function and uses it for bf16; its header is not part of the wheel. The fingerprint pins the version.
void mkldnn_matmul(const Tensor& a, const Tensor& b, const Tensor& out, float beta, float alpha);
}  // namespace at::native

namespace flowrun::train {
namespace {

bool prefers_onednn() noexcept {
#if defined(__x86_64__) && defined(__GNUC__)
  return __builtin_cpu_is("amd") && __builtin_cpu_supports("avx512f");
#else
  return false;
#endif
}

bool use_onednn(const at::Tensor& a) noexcept {
  static const bool prefers = prefers_onednn();
  return prefers && a.scalar_type() == at::kFloat && a.device().is_cpu();
}

}  // namespace

const char* gemm_library() noexcept { return prefers_onednn() ? "onednn" : "mkl"; }

at::Tensor product(const at::Tensor& a, const at::Tensor& b) {
  if (!use_onednn(a)) return at::mm(a, b);
  at::Tensor out = at::empty({a.size(0), b.size(1)}, a.options());
  product_into(out, a, b, false);
  return out;
}

void product_into(at::Tensor& out, const at::Tensor& a, const at::Tensor& b, bool accumulate) {
  TORCH_CHECK(a.dim() == 2 && b.dim() == 2 && a.size(1) == b.size(0), "mat1 and mat2 shapes cannot be multiplied (", a.sizes(), " and ", b.sizes(), ")");
  // oneDNN knows no empty matrices.
  if (use_onednn(a) && out.numel() != 0 && a.numel() != 0) at::native::mkldnn_matmul(a, b, out, accumulate ? 1.0f : 0.0f, 1.0f);
  else if (accumulate) out.addmm_(a, b);
  else at::mm_out(out, a, b);
}

}  // namespace flowrun::train
