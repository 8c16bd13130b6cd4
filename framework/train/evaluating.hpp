#pragma once

// Runs an evaluator of the region: on the region's thread, without gradients, in fp32 with the master weights.

#include <cstdint>
#include <string>
#include <vector>

#include "train/metrics.hpp"
#include "train/model.hpp"

namespace flowrun::train {

/// What every evaluation of a region shares.
struct EvaluationScope {
  const RegionSpec& spec;
  RegionHost& host;
  Parameters& parameters;
  NativeNode* objective = nullptr;  ///< null: the loss is that of predicting each next token
  native::Attention attention = native::Attention::kCausal;
};

/// Runs `evaluator` after `step` and returns its lines: those of its domains and, last, the one of all ("all"); none if it gave none.
std::vector<EvalLine> evaluate(const EvaluationScope& scope, NativeNode& evaluator, const flowrun_dataset* dataset, CallableModel& model, std::int64_t step);

/// Returns "perplexity: loss 2.5001, perplexity 12.18 (books 2.4000, web 2.6000)".
std::string summary(const std::vector<EvalLine>& lines);

}  // namespace flowrun::train
