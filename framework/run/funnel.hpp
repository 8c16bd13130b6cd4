#pragma once

// funnel.json and dropped.jsonl.zst, composed from the manifests of the artifacts that a graph uses: exact after any kill and with any cached
// stage.

#include <nlohmann/json.hpp>

#include "run/run_context.hpp"

namespace flowrun::run {

/// Returns the content of funnel.json for all nodes whose stage has been committed.
nlohmann::json compose_funnel(const RunContext& context);

/// Writes the run's dropped.jsonl.zst: stage, node, sequence, row.
void write_dropped(const RunContext& context, const std::string& path);

}  // namespace flowrun::run
