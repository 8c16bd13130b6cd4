#pragma once

// Hands one training region to the native runtime: models, nodes, sequences and datasets, and what the region asks in return.

#include "run/run_context.hpp"
#include "train/region.hpp"

namespace flowrun::run {

/// Runs the region that is stage `index`, on a thread of its own (LibTorch's thread-local state), and returns how it went.
train::RegionResult run_train_stage(const RunContext& context, std::size_t index, const std::string& graph_hash, const std::string& graph_toml);

/// What `plan` says of a region.
struct TrainEstimate {
  train::ModelSize model;          ///< of its first model
  std::int64_t tokens = 0;         ///< that its optimizer will see; 0: none
  std::int64_t unique_tokens = 0;  ///< that they are drawn from, with an end for each document; 0: not known before the tokens are there
};
/// Estimates the region that is stage `index`. Reads the index of its tokens, where they are there.
TrainEstimate estimate_train_stage(const RunContext& context, std::size_t index);

}  // namespace flowrun::run
