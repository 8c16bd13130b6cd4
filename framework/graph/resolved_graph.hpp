#pragma once

// A graph checked against descriptors: every parameter typed and defaulted, every edge between ports of fitting types. What runs is made from
// this, and the graph hash is taken from it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/graph_spec.hpp"
#include "plugin/registry.hpp"

namespace flowrun::graph {

/// The producing end of an edge.
struct Connection {
  std::size_t node = 0;    ///< index into ResolvedGraph::nodes
  std::size_t output = 0;  ///< index into its descriptor's outputs
  bool operator==(const Connection&) const = default;
};

struct ResolvedNode {
  std::string name;
  config::SourceLocation where;
  const plugin::PluginFile* plugin = nullptr;  ///< lives as long as the registry
  /// By parameter name; absent where there is neither value nor default. Paths stand on the graph's base folder, or are absolute.
  nlohmann::json parameters = nlohmann::json::object();
  std::vector<std::vector<Connection>> inputs;  ///< by the descriptor's input ports; empty: not connected
  bool skip_errors = false;
  bool cache = false;
  std::int64_t threads = 0;
  std::int64_t memory_bytes = 0;  ///< 0: the node declares no state
  std::optional<std::uint64_t> seed;
  std::string prefix, tie;

  const plugin::DescriptorInfo& descriptor() const { return *plugin->descriptor; }
  std::string family() const { return plugin->id.substr(0, plugin->id.find('/')); }
  bool native() const { return descriptor().tier == "native"; }
  /// Returns the seed that the node is opened with: its own, else derived from the run's and its name.
  std::uint64_t effective_seed(std::uint64_t run_seed) const;
};

/// A plugin that was found but must not be used.
struct Refusal {
  std::string node, plugin, reason;
};

struct ResolvedGraph {
  config::RunSpec run;
  std::vector<ResolvedNode> nodes;   ///< in the order of the file
  std::vector<std::size_t> order;    ///< topological; of nodes at the same depth the file's order
  std::vector<config::HuggingFaceSpec> huggingface;
  std::vector<Refusal> refusals;

  std::optional<std::size_t> find(const std::string& name) const;
  /// Returns what the graph hash is taken of: everything but name, base, threads, memory_bytes, batch_* and part_bytes.
  nlohmann::json canonical() const;
  /// Returns the SHA-256 of `canonical`, in hex.
  std::string hash() const;
};

/// Checks a graph and adds what is wrong to `diagnostics`; the result is meaningful only if there are no errors. Rewrites the references in
/// `spec` to expanded names and its paths to the base folder, so that `expanded_toml(spec)` is the resolved graph.
ResolvedGraph resolve_graph(config::GraphSpec& spec, plugin::Registry& registry, config::Diagnostics& diagnostics);

/// Converts a TOML value to JSON as it stands.
nlohmann::json to_json(const config::Value& value);

}  // namespace flowrun::graph
