#include "train/kernels.hpp"

#include <bit>
#include <cmath>

// Three copies of each fp32 kernel, chosen by an ifunc when the library is loaded. Sanitizers cannot run before ifuncs are resolved.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FLOWRUN_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FLOWRUN_CLONES
#endif
// The bodies must be part of each copy, or they are compiled for the baseline alone.
#define FLOWRUN_BODY template <class T> [[gnu::always_inline]] inline

namespace flowrun::train::kernels {
namespace {

// Lanes of a row's sum: one AVX-512 register of floats, added up as a tree in the end.
constexpr int kLanes = 16;

/// e^x within 2 ulp, without branches so that a loop over it is vectorized: Cephes' expf (Moshier). NaN stays NaN.
[[gnu::always_inline]] inline float exponential(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number, which then stands in the low bits
  const float shifted = x * 1.44269504088896341f + kMagic;
  const float n = shifted - kMagic;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = (p * r) * r + (r + 1.0f);
  const auto exponent = std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(kMagic);
  return p * std::bit_cast<float>((exponent + 127u) << 23);
}
[[gnu::always_inline]] inline double exponential(double x) { return std::exp(x); }

FLOWRUN_BODY T lane_sum(const T* lanes) {
  T sums[kLanes];
  for (int i = 0; i < kLanes; ++i) sums[i] = lanes[i];
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) sums[i] += sums[i + width];
  return sums[0];
}

FLOWRUN_BODY T norm_row(const T* x, const T* weight, T* y, std::int64_t n, double eps) {
  T lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += x[i + lane] * x[i + lane];
  for (; i < n; ++i) lanes[0] += x[i] * x[i];
  const T r = T{1} / std::sqrt(lane_sum(lanes) / static_cast<T>(n) + static_cast<T>(eps));
  for (i = 0; i < n; ++i) y[i] = x[i] * r * weight[i];
  return r;
}

// With z = x r: dx = r (dy w - z mean(dy w z)), dw += dy z.
FLOWRUN_BODY void norm_row_backward(const T* dy, const T* x, const T* weight, T r, T* dx, T* weight_gradient, std::int64_t n) {
  T lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += dy[i + lane] * weight[i + lane] * x[i + lane];
  for (; i < n; ++i) lanes[0] += dy[i] * weight[i] * x[i];
  const T scale = lane_sum(lanes) * r * r * r / static_cast<T>(n);
  for (i = 0; i < n; ++i) {
    weight_gradient[i] += dy[i] * x[i] * r;
    dx[i] = dy[i] * weight[i] * r - x[i] * scale;
  }
}

FLOWRUN_BODY void rotate(const T* x, const T* cosine, const T* sine, T direction, T* y, std::int64_t half) {
  for (std::int64_t i = 0; i < half; ++i) {
    const T a = x[i], b = x[half + i], s = sine[i] * direction;
    y[i] = a * cosine[i] - b * s;
    y[half + i] = b * cosine[i] + a * s;
  }
}

FLOWRUN_BODY void silu_times(const T* g, const T* u, T* h, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) h[i] = g[i] / (T{1} + exponential(-g[i])) * u[i];
}

FLOWRUN_BODY void silu_times_backward(const T* dh, const T* g, const T* u, T* h, T* dg, T* du, std::int64_t n) {
#pragma GCC ivdep  // in place is elementwise
  for (std::int64_t i = 0; i < n; ++i) {
    const T gi = g[i], ui = u[i], dhi = dh[i];
    const T sigmoid = T{1} / (T{1} + exponential(-gi)), silu = gi * sigmoid;
    h[i] = silu * ui;
    dg[i] = dhi * ui * (sigmoid + silu * (T{1} - sigmoid));
    du[i] = dhi * silu;
  }
}

FLOWRUN_BODY double cross_entropy(T* logits, std::int64_t n, std::int64_t target, bool gradient) {
  T greatest[kLanes], sums[kLanes] = {};
  for (int lane = 0; lane < kLanes; ++lane) greatest[lane] = logits[0];
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int lane = 0; lane < kLanes; ++lane) greatest[lane] = logits[i + lane] > greatest[lane] ? logits[i + lane] : greatest[lane];
  for (; i < n; ++i) greatest[0] = logits[i] > greatest[0] ? logits[i] : greatest[0];
  T maximum = greatest[0];
  for (int lane = 1; lane < kLanes; ++lane) maximum = greatest[lane] > maximum ? greatest[lane] : maximum;

  const double target_logit = static_cast<double>(logits[target]);
  for (i = 0; i + kLanes <= n; i += kLanes)
    for (int lane = 0; lane < kLanes; ++lane) {
      const T e = exponential(logits[i + lane] - maximum);
      sums[lane] += e;
      logits[i + lane] = e;
    }
  for (; i < n; ++i) {
    const T e = exponential(logits[i] - maximum);
    sums[0] += e;
    logits[i] = e;
  }
  const T sum = lane_sum(sums);
  if (gradient) {
    const T inverse = T{1} / sum;
    for (i = 0; i < n; ++i) logits[i] *= inverse;
    logits[target] -= T{1};
  }
  return std::log(static_cast<double>(sum)) + (static_cast<double>(maximum) - target_logit);
}

}  // namespace

FLOWRUN_CLONES float rms_norm_row(const float* x, const float* weight, float* y, std::int64_t n, double eps) { return norm_row(x, weight, y, n, eps); }
double rms_norm_row(const double* x, const double* weight, double* y, std::int64_t n, double eps) { return norm_row(x, weight, y, n, eps); }

FLOWRUN_CLONES void rms_norm_row_backward(const float* dy, const float* x, const float* weight, float r, float* dx, float* weight_gradient, std::int64_t n) {
  norm_row_backward(dy, x, weight, r, dx, weight_gradient, n);
}
void rms_norm_row_backward(const double* dy, const double* x, const double* weight, double r, double* dx, double* weight_gradient, std::int64_t n) {
  norm_row_backward(dy, x, weight, r, dx, weight_gradient, n);
}

FLOWRUN_CLONES void rotate_row(const float* x, const float* cosine, const float* sine, float direction, float* y, std::int64_t half) {
  rotate(x, cosine, sine, direction, y, half);
}
void rotate_row(const double* x, const double* cosine, const double* sine, double direction, double* y, std::int64_t half) {
  rotate(x, cosine, sine, direction, y, half);
}

FLOWRUN_CLONES void silu_mul(const float* g, const float* u, float* h, std::int64_t n) { silu_times(g, u, h, n); }
void silu_mul(const double* g, const double* u, double* h, std::int64_t n) { silu_times(g, u, h, n); }

FLOWRUN_CLONES void silu_mul_backward(const float* dh, const float* g, const float* u, float* h, float* dg, float* du, std::int64_t n) {
  silu_times_backward(dh, g, u, h, dg, du, n);
}
void silu_mul_backward(const double* dh, const double* g, const double* u, double* h, double* dg, double* du, std::int64_t n) {
  silu_times_backward(dh, g, u, h, dg, du, n);
}

FLOWRUN_CLONES double cross_entropy_row(float* logits, std::int64_t n, std::int64_t target, bool gradient) {
  return cross_entropy(logits, n, target, gradient);
}
double cross_entropy_row(double* logits, std::int64_t n, std::int64_t target, bool gradient) { return cross_entropy(logits, n, target, gradient); }

}  // namespace flowrun::train::kernels
