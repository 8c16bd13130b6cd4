// The table of ops: gradients against finite differences in fp64, values against the plain LibTorch references.

#include "train/ops.hpp"

#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>

#include <flowrun/philox.hpp>

#include "train/native_node.hpp"

namespace flowrun::train {
namespace {

// B batch, T time, D model width, H query heads, K key and value heads, C channels of a head, V vocabulary.

using Tensors = std::vector<at::Tensor>;
using Function = std::function<at::Tensor(const native::Ops&, const Tensors&)>;

/// Values in [-scale, scale), a function of shape and salt.
at::Tensor values(at::IntArrayRef shape, std::uint64_t salt, double scale = 1) {
  at::Tensor out = at::empty(shape, at::kDouble);
  double* data = out.mutable_data_ptr<double>();
  for (std::int64_t i = 0; i < out.numel(); ++i) data[i] = scale * (2 * philox_uniform(salt, static_cast<std::uint64_t>(i)) - 1);
  return out;
}

at::Tensor integers(const std::vector<std::int64_t>& numbers) {
  at::Tensor out = at::empty({static_cast<std::int64_t>(numbers.size())}, at::kLong);
  std::copy(numbers.begin(), numbers.end(), out.mutable_data_ptr<std::int64_t>());
  return out;
}

Tensors as(const Tensors& tensors, at::ScalarType type) {
  Tensors out;
  for (const at::Tensor& tensor : tensors) out.push_back(tensor.to(type).clone());
  return out;
}

/// A scalar that every element of the output moves differently.
double weighed(const at::Tensor& out) { return (out.to(at::kDouble) * values(out.sizes(), 99)).sum().item<double>(); }

struct Result {
  at::Tensor out;
  Tensors gradients;
};

Result run(const native::tables::Ops& table, const Function& function, const Tensors& inputs) {
  HostCall call;
  Tensors leaves;
  for (const at::Tensor& input : inputs) leaves.push_back(input.detach().clone().set_requires_grad(true));
  Result result;
  result.out = function(native::Ops(&table, call.table()), leaves);
  (result.out.to(at::kDouble) * values(result.out.sizes(), 99)).sum().backward();
  for (at::Tensor& leaf : leaves) result.gradients.push_back(leaf.grad());
  return result;
}

/// Compares each gradient with central differences. In fp64 with a step of 1e-5 both errors, h^2 and eps / h, are about 1e-10.
void check_gradients(const Function& function, const Tensors& inputs) {
  const Result result = run(ops(), function, inputs);
  const at::NoGradGuard guard;
  HostCall call;
  const native::Ops table(&ops(), call.table());
  constexpr double kStep = 1e-5;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ASSERT_TRUE(result.gradients[i].defined()) << "input " << i;
    const at::Tensor gradient = result.gradients[i].contiguous();
    for (std::int64_t at = 0; at < inputs[i].numel(); ++at) {
      const auto moved = [&](double by) {
        Tensors shifted = as(inputs, at::kDouble);
        shifted[i].mutable_data_ptr<double>()[at] += by;
        return weighed(function(table, shifted));
      };
      const double expected = (moved(kStep) - moved(-kStep)) / (2 * kStep);
      ASSERT_NEAR(gradient.const_data_ptr<double>()[at], expected, 1e-7 * (1 + std::abs(expected))) << "input " << i << ", element " << at;
    }
  }
}

/// Compares values and gradients with the reference's, which runs in fp32: tolerances are relative to the greatest element.
void check_reference(const Function& function, const Tensors& inputs, at::ScalarType type, double tolerance) {
  const Tensors rounded = as(as(inputs, type), at::kFloat);  // both sides start from the same numbers
  const Result found = run(ops(), function, as(rounded, type)), expected = run(reference_ops(), function, rounded);
  const auto close = [&](const at::Tensor& a, const at::Tensor& b, const std::string& what) {
    EXPECT_EQ(a.sizes(), b.sizes()) << what;
    const double distance = (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>(), size = b.abs().max().item<double>();
    EXPECT_LE(distance, tolerance * size) << what;
  };
  close(found.out, expected.out, "output");
  for (std::size_t i = 0; i < inputs.size(); ++i) close(found.gradients[i], expected.gradients[i], "gradient " + std::to_string(i));
}

/// fp32 rounds to 6e-8 and sums of a few hundred terms lose one digit; bf16 rounds to 4e-3.
void check_all(const Function& function, const Tensors& inputs) {
  check_gradients(function, inputs);
  check_reference(function, inputs, at::kFloat, 5e-6);
  check_reference(function, inputs, at::kBFloat16, 2e-2);
}

Function rms_norm() {
  return [](const native::Ops& table, const Tensors& in) { return table.rms_norm(in[0], in[1], 1e-5); };
}

Function attention(native::Attention mode, bool rotary) {
  return [=](const native::Ops& table, const Tensors& in) {
    const std::int64_t time = in[0].size(1), half = in[0].size(3) / 2;
    const at::Tensor angles = values({time, half}, 5, 3).to(at::kFloat);
    return table.attention(in[0], in[1], in[2], rotary ? angles.cos() : at::Tensor(), rotary ? angles.sin() : at::Tensor(), mode);
  };
}

Function swiglu() {
  return [](const native::Ops& table, const Tensors& in) { return table.swiglu(in[0], in[1], in[2], in[3]); };
}

Function linear_cross_entropy(const at::Tensor& targets) {
  return [=](const native::Ops& table, const Tensors& in) { return table.linear_cross_entropy(in[0], in[1], targets).sum; };
}

TEST(Ops, RmsNorm) {
  check_all(rms_norm(), {values({2, 3, 5}, 1, 2), values({5}, 2)});
  check_all(rms_norm(), {values({70, 37}, 1, 2), values({37}, 2)});
}

TEST(Ops, RmsNormOfManyRows) { check_reference(rms_norm(), {values({1000, 256}, 1, 2), values({256}, 2)}, at::kFloat, 1e-5); }

TEST(Ops, RmsNormDoesNotDependOnThreads) {
  const Tensors inputs = as({values({1000, 256}, 1, 2), values({256}, 2)}, at::kFloat);
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const Result one = run(ops(), rms_norm(), inputs);
  for (const int threads : {2, 4}) {
    at::set_num_threads(threads);
    const Result other = run(ops(), rms_norm(), inputs);
    EXPECT_TRUE(at::equal(one.out, other.out));
    EXPECT_TRUE(at::equal(one.gradients[0], other.gradients[0]));
    EXPECT_TRUE(at::equal(one.gradients[1], other.gradients[1]));
  }
  at::set_num_threads(before);
}

TEST(Ops, AttentionCausal) { check_all(attention(native::Attention::kCausal, true), {values({2, 5, 4, 6}, 1), values({2, 5, 4, 6}, 2), values({2, 5, 4, 6}, 3)}); }

TEST(Ops, AttentionBidirectional) {
  check_all(attention(native::Attention::kBidirectional, true), {values({2, 5, 4, 6}, 1), values({2, 5, 4, 6}, 2), values({2, 5, 4, 6}, 3)});
}

TEST(Ops, AttentionWithFewerKeyHeads) {
  check_all(attention(native::Attention::kCausal, true), {values({1, 5, 4, 6}, 1), values({1, 5, 2, 6}, 2), values({1, 5, 2, 6}, 3)});
  check_all(attention(native::Attention::kBidirectional, false), {values({1, 5, 4, 6}, 1), values({1, 5, 1, 6}, 2), values({1, 5, 1, 6}, 3)});
}

TEST(Ops, CausalAttentionSeesNothingLater) {
  HostCall call;
  const native::Ops table(&ops(), call.table());
  const at::NoGradGuard guard;
  Tensors in = as({values({1, 40, 2, 8}, 1), values({1, 40, 2, 8}, 2), values({1, 40, 2, 8}, 3)}, at::kFloat);
  const at::Tensor before = attention(native::Attention::kCausal, true)(table, in);
  for (at::Tensor& tensor : in) tensor.narrow(1, 25, 15).fill_(7);
  const at::Tensor after = attention(native::Attention::kCausal, true)(table, in);
  EXPECT_TRUE(at::allclose(before.narrow(1, 0, 25), after.narrow(1, 0, 25), 1e-6, 1e-6));
  EXPECT_FALSE(at::allclose(before, after));
}

TEST(Ops, Swiglu) { check_all(swiglu(), {values({2, 3, 5}, 1), values({7, 5}, 2), values({7, 5}, 3), values({5, 7}, 4)}); }

TEST(Ops, Linear) {
  check_all([](const native::Ops& table, const Tensors& in) { return table.linear(in[0], in[1]); }, {values({2, 3, 5}, 1), values({7, 5}, 2)});
}

TEST(Ops, LinearCrossEntropy) {
  check_all(linear_cross_entropy(integers({0, 6, 3, 3})), {values({4, 5}, 1), values({7, 5}, 2)});
  check_all(linear_cross_entropy(integers({-100, 6, -100, 3})), {values({4, 5}, 1), values({7, 5}, 2)});
}

TEST(Ops, LinearCrossEntropyInSeveralChunks) {
  std::vector<std::int64_t> targets;
  for (std::int64_t i = 0; i < 700; ++i) targets.push_back(i % 5 == 0 ? -100 : i * 37 % 20000);
  check_reference(linear_cross_entropy(integers(targets)), {values({700, 16}, 1), values({20000, 16}, 2)}, at::kFloat, 1e-5);
}

TEST(Ops, LinearCrossEntropyCountsAndScales) {
  HostCall call;
  const native::Ops table(&ops(), call.table());
  at::Tensor x = values({4, 5}, 1).set_requires_grad(true);
  const at::Tensor weight = values({7, 5}, 2);
  const native::Loss loss = table.linear_cross_entropy(x, weight, integers({-100, 6, -100, 3}));
  EXPECT_EQ(loss.count, 2);
  (loss.sum * 3).backward();
  const at::Tensor tripled = x.grad().clone();
  x.mutable_grad().zero_();
  table.linear_cross_entropy(x, weight, integers({-100, 6, -100, 3})).sum.backward();
  EXPECT_TRUE(at::allclose(tripled, x.grad() * 3));
  EXPECT_EQ(x.grad()[0].abs().sum().item<double>(), 0);
  EXPECT_EQ(table.linear_cross_entropy(x, weight, integers({-100, -100, -100, -100})).count, 0);
}

TEST(Ops, LinearCrossEntropyRefusesATargetOutsideTheVocabulary) {
  HostCall call;
  const at::Tensor x = values({1, 5}, 1), weight = values({7, 5}, 2);
  native::Loss loss;
  try {
    call.check(ops().linear_cross_entropy(call.table(), x, weight, integers({7}), &loss), "in a test");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "target 7 is outside the vocabulary of 7\n  in a test");
  }
}

TEST(Ops, AdamwEqualsTheReference) {
  HostCall call;
  Tensors sets[2][4];
  for (auto& set : sets)
    for (int i = 0; i < 4; ++i)
      for (const std::int64_t n : {5, 1000}) set[i].push_back(i < 2 ? values({n}, static_cast<std::uint64_t>(i)).to(at::kFloat) : at::zeros_like(values({n}, 0).to(at::kFloat)));
  for (std::int64_t step = 1; step <= 5; ++step) {
    const native::tables::Ops* tables[] = {&ops(), &reference_ops()};
    for (int side = 0; side < 2; ++side) {
      auto& set = sets[side];
      for (at::Tensor& gradient : set[1]) gradient.copy_(values(gradient.sizes(), static_cast<std::uint64_t>(100 + step)));
      native::Ops(tables[side], call.table()).adamw({set[0], set[1], set[2], set[3], 0.25, 1e-2, 0.9, 0.95, 1e-8, 0.1, step});
    }
  }
  // The moments and values are fp32: five updates of 1e-2 on values of 1.
  for (std::size_t i = 0; i < 2; ++i) EXPECT_TRUE(at::allclose(sets[0][0][i], sets[1][0][i], 1e-6, 1e-6)) << i;
}

// One step by hand: a first update moves each weight by lr against its gradient's sign, after the decay.
TEST(Ops, AdamwFirstStepIsTheLearningRate) {
  HostCall call;
  Tensors value{at::full({1}, 2.0, at::kFloat)}, gradient{at::full({1}, -3.0, at::kFloat)}, first{at::full({1}, 0.0, at::kFloat)}, second{at::full({1}, 0.0, at::kFloat)};
  native::Ops(&ops(), call.table()).adamw({value, gradient, first, second, 1.0, 0.1, 0.9, 0.999, 1e-8, 0.5, 1});
  EXPECT_NEAR(value[0].item<float>(), 2.0 * (1 - 0.1 * 0.5) + 0.1, 1e-6);
}

TEST(Ops, ErrorsOfLibTorchComeWithoutBacktrace) {
  HostCall call;
  at::Tensor out;
  try {
    call.check(ops().linear(call.table(), values({2, 3}, 1), values({4, 5}, 2), &out), "in a test");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("mat1 and mat2 shapes cannot be multiplied"), std::string::npos) << error.message();
    EXPECT_EQ(error.message().find("frame #"), std::string::npos);
  }
}

}  // namespace
}  // namespace flowrun::train
