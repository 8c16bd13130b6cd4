#pragma once

// Makes the nodes of a stage from resolved ones: loads the plugin, hands over parameters, files, artifacts and limits.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/column_union.hpp"
#include "graph/indexed_node.hpp"
#include "graph/plugin_node.hpp"
#include "graph/spool.hpp"
#include "run/exit_codes.hpp"
#include "run/run_context.hpp"

namespace flowrun::run {

/// A node with the schemas of its outputs.
struct MadeNode {
  std::unique_ptr<graph::PluginNode> node;
  std::vector<Field> outputs;
};

/// Returns "filters/split 0.1.0".
std::string plugin_label(const graph::ResolvedNode& node);

/// Returns what logs for a node.
graph::NodeCall::Log node_log(const RunContext& context, const std::string& node);

/// Returns the file that a writer is told to make below its staging folder for an output path: "clean/docs.jsonl.zst" gives
/// "output.jsonl.zst". The name does not depend on the path, because the artifact does not either.
std::string staged_name(const std::string& parameter, const std::string& path);

/// Returns the parameters that node `i` is made with. A portable node's output paths are staged names.
std::unique_ptr<graph::ParamsTable> make_params(const RunContext& context, std::size_t i);

/// Returns the error as one of the graph: exit code 78, at a node's place in it.
ExitError graph_error(const graph::ResolvedNode& node, const Error& error);

/// Creates node `i`. Throws ExitError with 78 for an argument that the plugin refuses: it knows its parameters and nothing else, so the graph is wrong.
std::unique_ptr<graph::PluginNode> create_node(const RunContext& context, std::size_t i, graph::NodeCall::Log log);

/// Opens node `i` and returns the schemas of its outputs. `inputs`: schema of each input port, null where it is no connected stream; `staging`: "" for none.
std::vector<Field> open_node(const RunContext& context, std::size_t i, graph::PluginNode& node, const std::vector<const Field*>& inputs, const std::string& staging);

/// Creates and opens node `i`.
MadeNode make_node(const RunContext& context, std::size_t i, const std::vector<const Field*>& inputs, const std::string& staging, graph::NodeCall::Log log);

/// Returns the columns of all that enters a port of node `i`; `schemas`: of its connections, in order. Throws ExitError with 78 and the node's place where
/// two give a column with different types.
Field joined_schema(const RunContext& context, std::size_t i, std::size_t port, std::span<const Field> schemas);

/// Token datasets and indexed nodes, opened for reading by position; each once.
class Datasets {
 public:
  explicit Datasets(const RunContext& context) : context_(context) {}
  /// Returns the rows behind a connection: a spool, or an indexed node attached to its index.
  const flowrun_dataset* rows(const graph::Connection& from);
  /// Returns the rows behind a connection for node `to`, which reads them as a stream. Throws ExitError with 78 where they have no end.
  const flowrun_dataset* finite_rows(const graph::Connection& from, std::size_t to);
  /// Returns an indexed node attached to its committed index.
  const graph::IndexedNode& attached(std::size_t i);
  /// Makes node `i`, which says what it has to say to `log`, and writes its index below `staging`.
  void prepare(std::size_t i, const std::string& staging, const graph::StageControl& control, graph::NodeCall::Log log);

 private:
  /// Returns what enters node `i` by position. Where inputs have different columns, each has those of all.
  std::vector<const flowrun_dataset*> inputs_of(std::size_t i);
  void join(std::size_t i, std::size_t port, std::vector<const flowrun_dataset*>& inputs);
  std::unique_ptr<graph::IndexedNode> make(std::size_t i, std::span<const flowrun_dataset* const> inputs, graph::NodeCall::Log log);

  const RunContext& context_;
  std::map<std::size_t, std::unique_ptr<graph::SpoolDataset>> spools_;   ///< by artifact
  std::vector<std::unique_ptr<graph::WidenedDataset>> widened_;          ///< over the two above and below
  std::map<std::size_t, std::unique_ptr<graph::IndexedNode>> indexed_;   ///< by node
};

}  // namespace flowrun::run
