#pragma once

// The parameters of a region's models: names, shapes, initial values, and where the optimizer's state lives. One entry for each tensor that is
// trained; a tied one is the same entry under one name.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <flowrun/native.hpp>

namespace flowrun::train {

struct Parameter {
  std::string name;  ///< as in the file, for example "model.layers.0.self_attn.q_proj.weight"
  std::vector<std::int64_t> shape;
  native::Role role = native::Role::kMatrix;
  bool in_matmul = false;  ///< used in a matrix product, by its own node or by one that ties to it
  native::Init init;
  at::Tensor value;     ///< fp32 master weight, contiguous
  at::Tensor compute;   ///< what blocks see: `value` itself, or its copy in the region's dtype
  at::Tensor gradient;  ///< fp32 sum over a step's micro-batches; undefined before the first
  std::vector<at::Tensor> states;

  std::int64_t element_count() const noexcept;
};

/// Creates parameters and finds them. Indices are those of native::Weight.
class Parameters {
 public:
  /// Throws kInvalidArgument if the name stands already or an extent is not positive. `node` and `local_name` are how a tie finds it.
  std::int32_t create(const std::string& node, const std::string& local_name, Parameter parameter);
  /// Returns the index of `node`'s parameter `local_name`. Throws kInvalidArgument, naming what there is.
  std::int32_t share(const std::string& node, const std::string& local_name, native::Role role);

  /// Gives every parameter its initial value, a function of (seed, name, element) alone: neither order nor threads matter.
  void initialize(std::uint64_t seed);
  /// Makes what blocks see: in fp32 the master weights themselves, else copies of `dtype`.
  void use_dtype(at::ScalarType dtype);
  /// Casts the master weights once, after a step. Does nothing in fp32.
  void refresh_compute();
  /// Takes over the gradients of a backward pass: the first micro-batch's as they are, later ones added, in fp32.
  void collect_gradients();
  /// Forgets the gradients before a step's first micro-batch.
  void clear_gradients();
  /// Returns the Euclidean norm over all gradients, summed in double in an order that no thread count changes.
  double gradient_norm() const;

  std::vector<Parameter>& all() noexcept { return parameters_; }
  const std::vector<Parameter>& all() const noexcept { return parameters_; }
  std::vector<at::Tensor> compute_weights() const;
  std::vector<at::Tensor> master_weights() const;

 private:
  std::vector<Parameter> parameters_;
  std::map<std::string, std::int32_t> by_name_;
  std::map<std::pair<std::string, std::string>, std::int32_t> by_node_;
};

/// Fills `out` with normal draws: element i is a function of (key, i). Box-Muller on pairs of 53-bit uniforms.
void fill_normal(float* out, std::int64_t n, std::uint64_t key, double deviation);

}  // namespace flowrun::train
