#pragma once

// Where several processes would join their work. Only one process is built so far: with a world size of 1 every function does nothing, and a
// larger one is refused.

#include <cstdint>

#include "train/parameters.hpp"

namespace flowrun::train {

/// Partial gradient sums that are kept apart within a step and then added by a fixed binary tree, so that any world size that divides the
/// number gives the same bits. Reserved: one slot, a plain sum in the order of micro-batches.
inline constexpr std::int64_t kGradientSlots = 1;

/// Sums the gradients over all ranks.
inline void reduce_gradients(const native::Context& context, Parameters&) {
  if (context.world_size != 1) throw Error(Code::kUnsupported, "a world size of " + std::to_string(context.world_size) + ", expected 1");
}

/// Sums the loss and the count of tokens over all ranks.
inline void reduce_counters(const native::Context& context, double& /*loss_sum*/, std::int64_t& /*count*/) {
  if (context.world_size != 1) throw Error(Code::kUnsupported, "a world size of " + std::to_string(context.world_size) + ", expected 1");
}

}  // namespace flowrun::train
