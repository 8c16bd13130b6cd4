#pragma once

// Hands one training region to the native runtime: models, nodes, sequences and datasets, and what the region asks in return.

#include "run/run_context.hpp"
#include "train/region.hpp"

namespace flowrun::run {

/// Runs the region that is stage `index`, on a thread of its own (LibTorch's thread-local state), and returns how it went.
train::RegionResult run_train_stage(const RunContext& context, std::size_t index, const std::string& graph_hash, const std::string& graph_toml);

/// Returns the size of the region's first model and the tokens that its optimizer will see (0: none), for `plan`.
struct TrainEstimate {
  train::ModelSize model;
  std::int64_t tokens = 0;
};
TrainEstimate estimate_train_stage(const RunContext& context, std::size_t index);

}  // namespace flowrun::run
