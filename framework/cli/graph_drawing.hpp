#pragma once

// Pictures of a graph. Streams are solid, artifacts dashed (Mermaid has dots instead), models dotted; the nodes of a subgraph stand in a frame.

#include <string>

#include "graph/resolved_graph.hpp"

namespace flowrun::cli {

/// Returns the graph in Graphviz's language.
std::string dot_text(const graph::ResolvedGraph& graph);

/// Returns the graph as a Mermaid flowchart, which Markdown viewers draw.
std::string mermaid_text(const graph::ResolvedGraph& graph);

/// Returns a picture that Graphviz's program `dot` lays out of `dot_text`. Throws Error(kUnavailable) where it is not installed, kInternal where it fails.
std::string svg_text(const graph::ResolvedGraph& graph);

}  // namespace flowrun::cli
