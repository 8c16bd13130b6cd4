#pragma once

// From a graph file to a finished run, or to a plan: what `flowrun run` and `flowrun plan` call.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/graph_spec.hpp"
#include "graph/resolved_graph.hpp"
#include "graph/stage_control.hpp"
#include "run/reporter.hpp"

namespace flowrun::run {

/// What every command that takes a graph takes.
struct GraphOptions {
  std::string graph;
  std::vector<config::Override> overrides;
  std::vector<std::string> plugin_folders;
  std::string artifacts;  ///< "": FLOWRUN_ARTIFACTS, else runs/.artifacts
  std::string output;     ///< "": runs/<name>
  std::optional<std::int64_t> limit;
};

struct RunOptions : GraphOptions {
  std::optional<int> threads;
  bool fresh = false;
  bool no_cache = false;
};

/// A graph that was loaded and checked.
struct CheckedGraph {
  config::GraphSpec spec;
  graph::ResolvedGraph resolved;
  config::Diagnostics diagnostics;
  std::unique_ptr<plugin::Registry> registry;
};

/// Loads and checks a graph; looks at no data and runs no plugin code. Throws Error(kNotFound) for a missing file.
CheckedGraph check_graph(const GraphOptions& options);

/// Prints a checked graph's findings on stderr. Throws ExitError 78 if there are errors, 69 if a plugin is refused.
void require_valid(const CheckedGraph& checked);

/// Returns the whole graph as TOML with every subgraph expanded and every path standing on the base folder.
std::string resolved_toml(const CheckedGraph& checked);

/// Runs a graph and returns the summary of contract `run --json`. Throws ExitError or Error; the run's manifest then says so.
nlohmann::json run_graph(const RunOptions& options, const graph::StopToken& stop, Reporter& reporter, const std::vector<std::string>& command);

/// Returns the object of `plan --json`.
nlohmann::json plan_graph(const GraphOptions& options, Reporter& reporter);

}  // namespace flowrun::run
