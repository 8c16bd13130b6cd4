#include "train/parameters.hpp"

#include <cmath>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>

namespace flowrun::train {
namespace {

using native::Init;
using native::Role;

Parameter described(const std::string& name, std::vector<std::int64_t> shape, Init init = Init::normal(0.02), Role role = Role::kMatrix) {
  Parameter parameter;
  parameter.name = name;
  parameter.shape = std::move(shape);
  parameter.role = role;
  parameter.init = init;
  return parameter;
}

std::string failure(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.message();
  }
  return "none";
}

TEST(Parameters, InitialValuesDependOnSeedAndNameAlone) {
  Parameters one, other;
  one.create("a", "w", described("a.w", {100, 31}));
  one.create("b", "w", described("b.w", {7}));
  other.create("b", "w", described("b.w", {7}));
  other.create("a", "w", described("a.w", {100, 31}));
  const int threads = at::get_num_threads();
  one.initialize(5);
  at::set_num_threads(4);
  other.initialize(5);
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(one.all()[0].value, other.all()[1].value));
  EXPECT_TRUE(at::equal(one.all()[1].value, other.all()[0].value));
  other.initialize(6);
  EXPECT_FALSE(at::equal(one.all()[0].value, other.all()[1].value));
}

TEST(Parameters, NormalDrawsHaveTheirMoments) {
  constexpr std::int64_t kCount = 200001;  // odd: the last pair is half used
  std::vector<float> draws(kCount);
  fill_normal(draws.data(), kCount, 11, 0.5);
  double sum = 0, squares = 0, fourth = 0, within = 0;
  for (const float draw : draws) {
    sum += draw;
    squares += static_cast<double>(draw) * draw;
    fourth += std::pow(static_cast<double>(draw), 4);
    within += std::abs(draw) < 0.5 ? 1 : 0;
  }
  // Five standard errors each.
  EXPECT_NEAR(sum / kCount, 0, 5 * 0.5 / std::sqrt(kCount));
  EXPECT_NEAR(squares / kCount, 0.25, 5 * 0.25 * std::sqrt(2.0 / kCount));
  EXPECT_NEAR(fourth / kCount, 3 * std::pow(0.5, 4), 0.01);
  EXPECT_NEAR(within / kCount, 0.6827, 5 * std::sqrt(0.6827 * 0.3173 / kCount));
}

TEST(Parameters, ConstantsAreConstant) {
  Parameters parameters;
  parameters.create("n", "weight", described("n.weight", {3}, Init::constant(1), Role::kVector));
  parameters.initialize(1);
  EXPECT_TRUE(at::equal(parameters.all()[0].value, at::full({3}, 1.0, at::kFloat)));
  EXPECT_FALSE(parameters.all()[0].in_matmul);
}

TEST(Parameters, ATieIsOneParameterAndCountsAsAMatrix) {
  Parameters parameters;
  parameters.create("embedding", "weight", described("embed.weight", {5, 2}, Init::normal(1), Role::kEmbedding));
  EXPECT_FALSE(parameters.all()[0].in_matmul);
  EXPECT_EQ(parameters.share("embedding", "weight", Role::kMatrix), 0);
  EXPECT_TRUE(parameters.all()[0].in_matmul);
  EXPECT_EQ(parameters.all().size(), 1u);
}

TEST(Parameters, SaysWhatIsWrongWithANameOrATie) {
  Parameters parameters;
  parameters.create("embedding", "weight", described("w", {5, 2}));
  EXPECT_EQ(failure([&] { parameters.create("other", "weight", described("w", {1})); }), "two blocks create the parameter 'w'; give them different prefixes");
  EXPECT_EQ(failure([&] { parameters.create("other", "v", described("v", {3, 0})); }), "parameter 'v' has an extent of 0, expected at least 1");
  EXPECT_EQ(failure([&] { parameters.share("none", "weight", Role::kMatrix); }), "tie names node 'none', which is no block before this one");
  EXPECT_EQ(failure([&] { parameters.share("embedding", "bias", Role::kMatrix); }), "tie names node 'embedding', which has no parameter 'bias', only 'weight'");
}

TEST(Parameters, GradientsOfMicroBatchesAddUp) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    Parameters parameters;
    parameters.create("a", "w", described("a.w", {4}));
    parameters.create("b", "w", described("b.w", {2}));
    parameters.initialize(1);
    parameters.use_dtype(type);
    for (int micro = 0; micro < 3; ++micro) {
      (parameters.all()[0].compute * 2.0).sum().backward();
      parameters.collect_gradients();
    }
    EXPECT_TRUE(at::equal(parameters.all()[0].gradient, at::full({4}, 6.0, at::kFloat)));
    EXPECT_FALSE(parameters.all()[1].gradient.defined());
    EXPECT_DOUBLE_EQ(parameters.gradient_norm(), 12.0);
    parameters.clear_gradients();
    EXPECT_EQ(parameters.gradient_norm(), 0);
  }
}

TEST(Parameters, ComputeWeightsFollowTheMasters) {
  Parameters parameters;
  parameters.create("a", "w", described("a.w", {4}));
  parameters.initialize(1);
  parameters.use_dtype(at::kBFloat16);
  parameters.all()[0].value.fill_(3);
  parameters.refresh_compute();
  EXPECT_TRUE(at::equal(parameters.all()[0].compute, at::full({4}, 3.0, at::kBFloat16)));
  EXPECT_TRUE(parameters.all()[0].compute.requires_grad());
}

TEST(Parameters, TheGradientNormDoesNotDependOnThreads) {
  Parameters parameters;
  parameters.create("a", "w", described("a.w", {100003}));
  parameters.initialize(1);
  parameters.all()[0].gradient = parameters.all()[0].value;
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const double one = parameters.gradient_norm();
  at::set_num_threads(3);
  const double three = parameters.gradient_norm();
  at::set_num_threads(threads);
  EXPECT_EQ(one, three);
  EXPECT_NEAR(one, parameters.all()[0].value.norm().item<double>(), 1e-4);
}

}  // namespace
}  // namespace flowrun::train
