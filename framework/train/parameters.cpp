#include "train/parameters.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <ATen/Parallel.h>
#include <ATen/ops/add.h>
#include <ATen/ops/empty.h>
#include <ATen/core/grad_mode.h>

#include <flowrun/philox.hpp>

namespace flowrun::train {
namespace {

/// Elements that one partial sum of the gradient norm is over. Fixed, so that the tree of sums is.
constexpr std::int64_t kNormChunk = 4096;

double squared_sum(const float* values, std::int64_t n) {
  double lanes[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int lane = 0; lane < 8; ++lane) lanes[lane] += static_cast<double>(values[i + lane]) * values[i + lane];
  for (; i < n; ++i) lanes[0] += static_cast<double>(values[i]) * values[i];
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

}  // namespace

std::int64_t Parameter::element_count() const noexcept {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return count;
}

std::int32_t Parameters::create(const std::string& node, const std::string& local_name, Parameter parameter) {
  for (const std::int64_t extent : parameter.shape)
    if (extent <= 0) throw Error(Code::kInvalidArgument, "parameter '" + parameter.name + "' has an extent of " + std::to_string(extent) + ", expected at least 1");
  const auto index = static_cast<std::int32_t>(parameters_.size());
  if (!by_name_.emplace(parameter.name, index).second)
    throw Error(Code::kInvalidArgument, "two blocks create the parameter '" + parameter.name + "'; give them different prefixes");
  by_node_.emplace(std::pair(node, local_name), index);
  parameter.in_matmul = parameter.role == native::Role::kMatrix;
  parameters_.push_back(std::move(parameter));
  return index;
}

std::int32_t Parameters::share(const std::string& node, const std::string& local_name, native::Role role) {
  const auto found = by_node_.find({node, local_name});
  if (found == by_node_.end()) {
    std::string known;
    for (const auto& [key, index] : by_node_)
      if (key.first == node) known += (known.empty() ? "'" : ", '") + key.second + "'";
    throw Error(Code::kInvalidArgument, "tie names node '" + node + "', which " +
                                            (known.empty() ? "is no block before this one" : "has no parameter '" + local_name + "', only " + known));
  }
  Parameter& parameter = parameters_[static_cast<std::size_t>(found->second)];
  parameter.in_matmul = parameter.in_matmul || role == native::Role::kMatrix;
  return found->second;
}

void fill_normal(float* out, std::int64_t n, std::uint64_t key, double deviation) {
  at::parallel_for(0, (n + 1) / 2, 8192, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t pair = begin; pair < end; ++pair) {
      const auto words = philox4x32(key, static_cast<std::uint64_t>(pair), 0);
      const auto bits = [&](int i) { return ((std::uint64_t{words[static_cast<std::size_t>(i) + 1]} << 32) | words[static_cast<std::size_t>(i)]) >> 11; };
      const double u = static_cast<double>(bits(0) + 1) * 0x1.0p-53;  // in (0, 1], so that the logarithm is finite
      const double angle = 2 * std::numbers::pi * static_cast<double>(bits(2)) * 0x1.0p-53;
      const double radius = deviation * std::sqrt(-2 * std::log(u));
      out[2 * pair] = static_cast<float>(radius * std::cos(angle));
      if (2 * pair + 1 < n) out[2 * pair + 1] = static_cast<float>(radius * std::sin(angle));
    }
  });
}

void Parameters::initialize(std::uint64_t seed) {
  for (Parameter& parameter : parameters_) {
    parameter.value = at::empty(parameter.shape, at::kFloat);
    float* data = parameter.value.data_ptr<float>();
    const std::int64_t n = parameter.element_count();
    if (parameter.init.std > 0) fill_normal(data, n, derive_seed(seed, parameter.name), parameter.init.std);
    else std::fill(data, data + n, static_cast<float>(parameter.init.value));
  }
}

void Parameters::use_dtype(at::ScalarType dtype) {
  for (Parameter& parameter : parameters_) {
    parameter.compute = dtype == at::kFloat ? parameter.value : parameter.value.to(dtype);
    parameter.compute.set_requires_grad(true);
  }
}

void Parameters::refresh_compute() {
  const at::NoGradGuard guard;
  for (Parameter& parameter : parameters_)
    if (!parameter.compute.is_same(parameter.value)) parameter.compute.copy_(parameter.value);
}

void Parameters::collect_gradients() {
  const at::NoGradGuard guard;
  for (Parameter& parameter : parameters_) {
    at::Tensor& fresh = parameter.compute.mutable_grad();
    if (!fresh.defined()) continue;  // no path from the loss to it
    if (!parameter.gradient.defined()) parameter.gradient = fresh.to(at::kFloat).contiguous();
    else parameter.gradient.add_(fresh);
    fresh.reset();
  }
}

void Parameters::clear_gradients() {
  for (Parameter& parameter : parameters_) parameter.gradient.reset();
}

double Parameters::gradient_norm() const {
  double total = 0;
  std::vector<double> partial;
  for (const Parameter& parameter : parameters_) {
    if (!parameter.gradient.defined()) continue;
    const float* data = parameter.gradient.const_data_ptr<float>();
    const std::int64_t n = parameter.gradient.numel(), chunks = (n + kNormChunk - 1) / kNormChunk;
    partial.assign(static_cast<std::size_t>(chunks), 0);
    at::parallel_for(0, chunks, 8, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t chunk = begin; chunk < end; ++chunk)
        partial[static_cast<std::size_t>(chunk)] = squared_sum(data + chunk * kNormChunk, std::min(kNormChunk, n - chunk * kNormChunk));
    });
    for (const double sum : partial) total += sum;
  }
  return std::sqrt(total);
}

std::vector<at::Tensor> Parameters::compute_weights() const {
  std::vector<at::Tensor> weights;
  for (const Parameter& parameter : parameters_) weights.push_back(parameter.compute);
  return weights;
}

std::vector<at::Tensor> Parameters::master_weights() const {
  std::vector<at::Tensor> weights;
  for (const Parameter& parameter : parameters_) weights.push_back(parameter.value);
  return weights;
}

}  // namespace flowrun::train
