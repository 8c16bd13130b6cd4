#pragma once

// The table of ops behind native::Ops, and the plain LibTorch reference of each, which the tests compare it with.

#include <flowrun/native.hpp>

namespace flowrun::train {

/// Returns the ops that models are run with.
const native::tables::Ops& ops();

/// Returns the references: each written with LibTorch's own differentiable functions, in the obvious way.
const native::tables::Ops& reference_ops();

/// Returns the summed cross-entropy of logits [..., V] against targets [...] (-100: not scored), for heads that are not one linear map.
native::Loss logits_cross_entropy(const at::Tensor& logits, const at::Tensor& targets);

}  // namespace flowrun::train
