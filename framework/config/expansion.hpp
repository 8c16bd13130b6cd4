#pragma once

// Subgraphs and `repeat`: turns the nodes of the files into the nodes of the whole graph. Names are only collected here; references.hpp
// follows them when all of them are known.

#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "config/graph_files.hpp"
#include "config/overrides.hpp"
#include "config/parameters.hpp"
#include "config/report.hpp"

namespace flowrun::config {

/// A name as written, the scope in which it is one, and the expanded node that it stands in.
struct Reference {
  std::string text;
  std::string scope;
  SourceLocation where;
  std::string node;
};

/// A Symbol whose names are not followed yet.
struct WrittenSymbol {
  Symbol::Kind kind = Symbol::Kind::kSubgraph;
  std::vector<Reference> targets;
  std::vector<std::pair<std::string, Reference>> outputs;
  /// Of an input: its name, and what leaves it unbound, for the message. The outer node's name is empty at the top of the graph.
  std::string input = {};
  SourceLocation outer_where = {};
  std::string outer_node = {};
};

/// The expanded graph: in `nodes`, `in` and `tie` are still as written.
struct Expansion {
  std::vector<NodeSpec> nodes;
  std::map<std::string, WrittenSymbol> symbols;                    ///< by expanded name; in order, so that errors come in one order
  std::unordered_map<std::string, const RawGraph*> scopes;         ///< the file whose names a scope has
  std::vector<std::pair<HuggingFaceSpec, Reference>> huggingface;  ///< with what `output` names
};

/// Expands the top graph, taking the keys of its nodes. `top`, and the subgraphs in `files`, must outlive the result.
Expansion expand(RawGraph& top, Parameters& parameters, GraphFiles& files, Overrides& overrides, Budget& budget, Reporter& report);

}  // namespace flowrun::config
