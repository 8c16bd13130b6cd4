// Kernels: each against its fp64 twin, and at the edges of the float range.

#include "train/kernels.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace flowrun::train::kernels {
namespace {

// Lengths around the sixteen lanes of a row, and one long one.
constexpr std::int64_t kLengths[] = {1, 2, 15, 16, 17, 31, 33, 1000};

std::vector<double> values(std::int64_t n, double scale, int salt) {
  std::vector<double> out;
  for (std::int64_t i = 0; i < n; ++i) out.push_back(scale * std::sin(1.7 * static_cast<double>(i) + salt));
  return out;
}
std::vector<float> floats(const std::vector<double>& wide) { return {wide.begin(), wide.end()}; }

// The fp32 kernels against the fp64 ones, whose exponential is libm's.
TEST(Kernels, SiluMulIsExactToFloatRounding) {
  for (const std::int64_t n : kLengths) {
    const auto g = values(n, 40, 1), u = values(n, 3, 2);
    const auto g32 = floats(g), u32 = floats(u);
    std::vector<float> h32(g.size());
    std::vector<double> h(g.size());
    silu_mul(g32.data(), u32.data(), h32.data(), n);
    silu_mul(std::vector<double>(g32.begin(), g32.end()).data(), std::vector<double>(u32.begin(), u32.end()).data(), h.data(), n);
    for (std::size_t i = 0; i < g.size(); ++i) EXPECT_NEAR(h32[i], h[i], 1e-6 * std::abs(h[i]) + 1e-30) << "n " << n << " i " << i << " g " << g32[i];
  }
}

TEST(Kernels, CrossEntropyIsExactToFloatRounding) {
  for (const std::int64_t n : kLengths) {
    const auto logits = values(n, 30, 3);
    auto row32 = floats(logits);
    std::vector<double> row(row32.begin(), row32.end());
    const std::int64_t target = n / 2;
    const double loss32 = cross_entropy_row(row32.data(), n, target, true), loss = cross_entropy_row(row.data(), n, target, true);
    EXPECT_NEAR(loss32, loss, 1e-6 * (1 + loss));
    double sum = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      EXPECT_NEAR(row32[i], row[i], 1e-6);
      sum += row[i];
    }
    EXPECT_NEAR(sum, 0, 1e-12);  // softmax sums to one, the one-hot takes it away
  }
}

TEST(Kernels, CrossEntropyOfTwoEqualLogitsIsLogTwo) {
  float row[] = {1000.0f, 1000.0f};
  EXPECT_DOUBLE_EQ(cross_entropy_row(row, 2, 1, true), std::log(2.0));
  EXPECT_FLOAT_EQ(row[0], 0.5f);
  EXPECT_FLOAT_EQ(row[1], -0.5f);
}

TEST(Kernels, NotANumberStaysOne) {
  for (const std::int64_t at : {0, 5, 20}) {
    std::vector<float> row(40, 1.0f);
    row[static_cast<std::size_t>(at)] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(std::isnan(cross_entropy_row(row.data(), 40, 3, true))) << at;
    std::vector<float> g(40, 1.0f), h(40);
    g[static_cast<std::size_t>(at)] = std::numeric_limits<float>::quiet_NaN();
    silu_mul(g.data(), g.data(), h.data(), 40);
    EXPECT_TRUE(std::isnan(h[static_cast<std::size_t>(at)]));
  }
}

TEST(Kernels, SiluHasItsLimits) {
  const float g[] = {-1e30f, -200.0f, 0.0f, 200.0f}, u[] = {1, 1, 1, 1};
  float h[4];
  silu_mul(g, u, h, 4);
  EXPECT_NEAR(h[0], 0, 1e-5);
  EXPECT_NEAR(h[1], 0, 1e-30);
  EXPECT_EQ(h[2], 0);
  EXPECT_EQ(h[3], 200);
}

TEST(Kernels, RotationTurnsBack) {
  const auto x = floats(values(12, 2, 4)), angles = floats(values(6, 3, 5));
  std::vector<float> cosine, sine, there(12), back(12);
  for (const float angle : angles) {
    cosine.push_back(std::cos(angle));
    sine.push_back(std::sin(angle));
  }
  rotate_row(x.data(), cosine.data(), sine.data(), 1.0f, there.data(), 6);
  rotate_row(there.data(), cosine.data(), sine.data(), -1.0f, back.data(), 6);
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(back[i], x[i], 1e-6);
  EXPECT_NEAR(there[0], x[0] * cosine[0] - x[6] * sine[0], 1e-6);
}

TEST(Kernels, RmsNormHasUnitMeanSquare) {
  for (const std::int64_t n : kLengths) {
    const auto x = floats(values(n, 5, 6));
    const std::vector<float> weight(x.size(), 2.0f);
    std::vector<float> y(x.size());
    rms_norm_row(x.data(), weight.data(), y.data(), n, 0.0);
    double square = 0;
    for (const float element : y) square += static_cast<double>(element) * element;
    EXPECT_NEAR(square / static_cast<double>(n), 4, 1e-5);
  }
}

}  // namespace
}  // namespace flowrun::train::kernels
