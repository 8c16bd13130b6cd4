#pragma once

// funnel.json and dropped.jsonl.zst, composed from the manifests of the artifacts that a graph uses: exact after any kill and with any cached
// stage.

#include <cstddef>
#include <map>

#include <nlohmann/json.hpp>

#include "graph/records.hpp"
#include "run/run_context.hpp"

namespace flowrun::run {

/// What nodes have counted, by their index: all on documents or tokens whose stage has been committed.
using NodeCounters = std::map<std::size_t, graph::Counters>;

NodeCounters read_counters(const RunContext& context);

/// Returns the content of funnel.json.
nlohmann::json compose_funnel(const RunContext& context, const NodeCounters& counters);

/// Writes the run's dropped.jsonl.zst: stage, node, sequence, row.
void write_dropped(const RunContext& context, const std::string& path);

}  // namespace flowrun::run
