#pragma once

// Looks at one edge of a graph: runs what is needed for it, and no more.

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "graph/stage_control.hpp"
#include "run/reporter.hpp"
#include "run/runner.hpp"

namespace flowrun::run {

/// Returns the first `count` records of an output, in its order: {"version", "graph", "node", "port", "type", "records": [...]}, and for an artifact "folder" and
/// "files" in the place of the records. `edge` is "node" (its first output) or "node.port", a subgraph's name too.
///
/// What stages before it make is made whole and kept in the cache, as a run would. Of a stream's own stage only so much runs as these records take, and nothing of
/// it is kept. Throws ExitError 66 for an edge that is not there, kUnsupported for one that exists in training alone, and what the nodes throw.
nlohmann::ordered_json tap_graph(const GraphOptions& options, const std::string& edge, std::int64_t count, const graph::StopToken& stop, Reporter& reporter);

}  // namespace flowrun::run
