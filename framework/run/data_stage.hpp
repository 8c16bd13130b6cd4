#pragma once

// Runs one data stage: builds what is missing of its artifacts in one oneTBB flow graph and commits them.

#include "graph/records.hpp"
#include "run/run_context.hpp"

namespace flowrun::run {

/// How a data stage went.
struct DataStageResult {
  bool cached = false;    ///< nothing had to be done
  double seconds = 0;
  graph::Tally read;      ///< what its sources gave
};

/// Runs stage `index`. Throws ExitError or Error when a node fails (named in it), when more records were refused than allowed, or when the
/// run is stopped (kCancelled).
DataStageResult run_data_stage(const RunContext& context, std::size_t index);

/// Runs as much of the stage of `edge` as gives its first `count` rows, and returns these; keeps nothing. For a stream that is made within its stage.
std::vector<nlohmann::ordered_json> tap_data_stage(const RunContext& context, const graph::Connection& edge, std::int64_t count);

}  // namespace flowrun::run
