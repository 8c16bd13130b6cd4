#pragma once

// Cuts a graph into stages where something must be finished before the next begins, and names every artifact by its key.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "graph/resolved_graph.hpp"
#include "plugin/registry.hpp"
#include "run/input_files.hpp"

namespace flowrun::run {

enum class ArtifactKind {
  kSpool,  ///< a stream, kept
  kNode,   ///< what a blocking node, an indexed node or a writer makes
  kEnd,    ///< nothing but counters: a stream that nobody reads
};

/// An artifact that the graph makes.
struct PlannedArtifact {
  ArtifactKind kind = ArtifactKind::kSpool;
  std::size_t node = 0;
  std::size_t output = 0;  ///< of a spool
  std::string type;        ///< "documents", "tokens", "tokenizer", "index", "output", "end"
  std::string key;
  std::string reason;  ///< of a spool, for `plan`
  std::size_t stage = 0;
};

struct Stage {
  bool training = false;
  std::vector<std::size_t> nodes;      ///< in topological order
  std::vector<std::size_t> artifacts;  ///< indexes into StagePlan::artifacts
};

struct StagePlan {
  std::vector<Stage> stages;
  std::vector<std::size_t> stage_of;   ///< by node
  std::vector<std::string> node_keys;  ///< by node; "" for native nodes
  std::vector<PlannedArtifact> artifacts;

  /// Returns the keys of all artifacts.
  std::vector<std::string> keys() const;
  /// Returns the spool of an output, or nothing if the stream is not kept.
  std::optional<std::size_t> spool_of(const graph::Connection& connection) const;
  /// Returns the artifact that a node itself makes.
  std::optional<std::size_t> artifact_of(std::size_t node) const;
  /// Returns the artifacts that must exist before a node's input can be read from them: a spool, or a node's artifact.
  std::size_t artifact_behind(const graph::Connection& connection) const;
};

/// Returns whether the edge carries batches inside one stage.
bool same_stage_stream(const graph::ResolvedGraph& graph, const StagePlan& plan, const graph::Connection& from, std::size_t to, std::size_t port);

/// Plans the stages. Computes digests of plugins' files.
StagePlan plan_stages(const graph::ResolvedGraph& graph, const std::vector<NodeFiles>& files, plugin::Registry& registry, const InputDigests& digests);

}  // namespace flowrun::run
