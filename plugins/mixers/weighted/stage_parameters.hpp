#pragma once

// The stages of a curriculum as a graph file gives them, and where each ends.

#include <flowrun/params.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace flowrun::mixers {

/// One stage as it is written.
struct StageParameters {
  double fraction = 0;                               ///< of all tokens; 0: not given, as for the other two
  std::int64_t steps = 0, tokens = 0;
  std::optional<std::map<std::string, double>> weights, proportions;  ///< at most one of the two
  std::string order_by;                              ///< a column; "": shuffled
  bool order_is_own = false;                         ///< not the node's
  bool descending = false;
  std::int64_t sequence_length = 0;                  ///< 0: none
};

/// Reads the stages of a node, or the one that a node without `stages` is. Throws kInvalidArgument for a stage with more than one size or with
/// both weights and proportions, for steps without `tokens_per_step`, where fractions cannot fill the whole, and where only some stages say a sequence length.
std::vector<StageParameters> read_stages(const Params& params);

/// Returns after how many tokens of the mixture each stage ends, -1 for a last one without end. `total` is the tokens of the whole mixture, -1 where
/// nothing says them. Throws kInvalidArgument where the sizes do not fit each other.
std::vector<std::int64_t> stage_ends(const std::vector<StageParameters>& stages, std::int64_t total, std::int64_t tokens_per_step);

}  // namespace flowrun::mixers
