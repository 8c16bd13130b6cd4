#pragma once

// The elementwise and row kernels of ops.cpp, on plain arrays: fp32 for speed, fp64 for the tests' finite differences. bf16 goes through
// fp32 rows. The fp32 ones are compiled for x86-64-v4, v3 and the baseline, and the machine picks at load. Every reduction is inside one row
// and in a fixed order, so results do not depend on threads.

#include <cstdint>

namespace flowrun::train::kernels {

/// y = x * r * weight with r = 1 / sqrt(mean(x^2) + eps). Returns r.
float rms_norm_row(const float* x, const float* weight, float* y, std::int64_t n, double eps);
double rms_norm_row(const double* x, const double* weight, double* y, std::int64_t n, double eps);

/// Writes dx of a row, and adds the row's part of dweight to `weight_gradient`.
void rms_norm_row_backward(const float* dy, const float* x, const float* weight, float r, float* dx, float* weight_gradient, std::int64_t n);
void rms_norm_row_backward(const double* dy, const double* x, const double* weight, double r, double* dx, double* weight_gradient, std::int64_t n);

/// Rotates (x[i], x[half + i]) by the angle whose cosine and sine are given; `direction` -1 rotates back.
void rotate_row(const float* x, const float* cosine, const float* sine, float direction, float* y, std::int64_t half);
void rotate_row(const double* x, const double* cosine, const double* sine, double direction, double* y, std::int64_t half);

/// h = silu(g) * u.
void silu_mul(const float* g, const float* u, float* h, std::int64_t n);
void silu_mul(const double* g, const double* u, double* h, std::int64_t n);

/// Recomputes h and writes dg and du. `dg` may be `g`, and `du` may be `dh`.
void silu_mul_backward(const float* dh, const float* g, const float* u, float* h, float* dg, float* du, std::int64_t n);
void silu_mul_backward(const double* dh, const double* g, const double* u, double* h, double* dg, double* du, std::int64_t n);

/// Returns the cross-entropy of a row of logits against `target`. With `gradient`, the row becomes softmax - onehot.
double cross_entropy_row(float* logits, std::int64_t n, std::int64_t target, bool gradient);
double cross_entropy_row(double* logits, std::int64_t n, std::int64_t target, bool gradient);

}  // namespace flowrun::train::kernels
