#pragma once

// What a graph file says, after includes, parameters, `--set` and subgraphs, with the place of every value kept. Nothing here knows
// plugins: which keys are parameters and which are ports is decided in framework/graph against descriptors.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config/diagnostics.hpp"

namespace flowrun::config {

struct Value;
using Array = std::vector<Value>;
/// One `key = value`, in the order of the file.
struct Entry;
using Table = std::vector<Entry>;

/// A TOML value and where it stands. `where` is the place of the value, not of its key.
struct Value {
  std::variant<bool, std::int64_t, double, std::string, Array, Table> data;
  SourceLocation where;
  /// The absolute folder on which a relative path in this value stands: that of its file, the current one for `--set`, or `[run] base`.
  std::string base;

  /// Returns "boolean", "integer", "float", "string", "array" or "table".
  const char* type_name() const noexcept;
};

struct Entry {
  std::string key;
  SourceLocation where;  ///< of the key
  Value value;
};

/// A node after subgraphs are expanded: always a plugin's. An instance inside a subgraph is named `<outer>/<inner>`, one of a
/// `repeat` `<name>/<index>`: "decoder/layers/0/attention".
struct NodeSpec {
  std::string name;
  SourceLocation where;  ///< of the table's header
  /// Empty if the file gives none that can be used (or a subgraph that cannot be read): the error is reported already, and the node
  /// is here only so that references to it are not reported as well.
  std::string plugin;
  SourceLocation plugin_where;
  /// A string, an array of strings (at least one), or a table port = string. Names are those of expanded nodes, "node" or "node.port"; one
  /// that does not exist is kept, and reported already as unknown_node.
  std::optional<Value> in;
  /// Reserved keys that are present: threads on_error cache seed prefix tie memory_bytes, each with its TOML type and range already
  /// checked. `tie` holds the name of an expanded node; `prefix` begins with those of the subgraphs around.
  std::map<std::string, Value> reserved;
  /// All other keys in order: parameters and artifact or model ports. Which is which only a descriptor knows, so a port's string is as
  /// written, a name in `scope`: pass it to GraphSpec::resolve, or all of them at once to resolve_references.
  Table keys;
  /// The subgraph instance whose names the strings of `keys` use: "decoder/layers/0". Empty: the top of the graph.
  std::string scope;
};

/// The `[huggingface]` table of a model's subgraph, with `${...}` resolved.
struct HuggingFaceSpec {
  std::string model;  ///< the subgraph node's expanded name, for example "decoder"
  std::string output;  ///< expanded node (or "node.port") that is the subgraph's first output
  Table keys;
  SourceLocation where;
};

/// Most threads that `[run] threads` and `--threads` take: more than machines have, and few enough that every library below can start them.
inline constexpr std::int64_t kThreadsMax = 1024;

/// `[run]`: every key present or defaulted (contract: Graph keys), checked for type and range.
struct RunSpec {
  std::string name;  ///< default: the file's stem
  std::uint64_t seed = 0;
  std::string device = "cpu";
  std::string precision = "fp32";
  std::int64_t threads = 0;  ///< 0: all cores
  std::int64_t memory_bytes = std::int64_t{1} << 30;
  std::int64_t batch_bytes = std::int64_t{512} << 10;
  std::int64_t batch_documents = 4096;
  std::int64_t part_bytes = std::int64_t{1} << 30;
  std::int64_t limit = -1;  ///< documents of each reader; -1: all. `--limit` sets it
  double max_error_fraction = 0.01;
  std::string base;  ///< absolute folder on which the top graph's relative paths stand
  std::map<std::string, SourceLocation> where;  ///< of the keys that were written
};

/// What an expanded name stands for that is not a node itself. Made by load_graph, read through GraphSpec::resolve.
struct Symbol {
  enum class Kind {
    kSubgraph,  ///< `targets`: its first output; `outputs`: each by its name
    kRepeat,    ///< `targets`: its last instance, itself a node or a kSubgraph
    kVanished,  ///< of `repeat = 0`. `targets`: what its `in` names
    kInput,     ///< of a subgraph. `targets`: what the outer node gives; none if it is not bound
  };
  Kind kind = Kind::kSubgraph;
  std::vector<std::string> targets;
  std::map<std::string, std::vector<std::string>> outputs;
};

/// A whole expanded graph.
struct GraphSpec {
  std::string file;  ///< as given on the command line
  RunSpec run;
  std::vector<NodeSpec> nodes;  ///< in the order of the files, subgraphs in place; names are unique
  std::vector<HuggingFaceSpec> huggingface;
  /// Subgraph or repeated node -> the expanded "node" or "node.port" behind its first output, so that `model = "decoder"` in a message
  /// can be traced.
  std::map<std::string, std::string> aliases;
  std::map<std::string, Symbol, std::less<>> symbols;  ///< by expanded name; an input is `<subgraph>/<input>`
  std::map<std::string, std::string> sources;  ///< file name as printed -> its text, for carets; "--set" has a line for each

  /// Returns the expanded "node" or "node.port" that `reference`, written in a key of `from`, stands for: inputs of the subgraph,
  /// subgraphs and repeated nodes are followed. nullopt: an input of the subgraph that the outer node does not bind; the key is then to be
  /// treated as absent. A name that stands for no single node comes back as the name that such a node would have in the scope, so the
  /// caller finds no node and reports unknown_node.
  std::optional<std::string> resolve(const NodeSpec& from, std::string_view reference) const;
};

/// One `--set K=V` as given, in order.
struct Override {
  std::string key;
  std::string value;
};

/// Loads a graph file. Adds every error found to `diagnostics`; what could be read is returned all the same, so that later checks
/// can report theirs in the same run. Throws Error(kNotFound) only if the top file cannot be opened, kIo if it cannot be read.
///
/// Checked here: syntax, caps (limits.hpp), `[run]`, `[params]`, includes, subgraphs, reserved keys, and that the names in `in` and `tie`
/// exist. Left to framework/graph, which knows descriptors: plugins, ports, the nodes' other keys, and cycles of edges.
GraphSpec load_graph(const std::string& path, const std::vector<Override>& overrides, Diagnostics& diagnostics);

/// Rewrites each string key that `is_reference` (an artifact or a model port of the node's plugin) to the expanded name, and drops those
/// that name an unbound input. Afterwards every scope is empty and the keys mean the same in one flat file: call it before expanded_toml.
void resolve_references(GraphSpec& graph, const std::function<bool(const NodeSpec&, const Entry&)>& is_reference);

/// Returns the whole graph as one flat TOML file without includes, parameters and subgraphs; load_graph of it gives an equal GraphSpec,
/// places and `base` of values apart. A model's `[huggingface]` becomes `[huggingface.<model>]` with a key `output`. Values are printed as
/// they are: references in keys must have been resolved, and paths be absolute or stand on `[run] base`.
std::string expanded_toml(const GraphSpec& graph);

}  // namespace flowrun::config
