#pragma once

// Parameters whose keys are domains, such as a mixer's weights, against the domains that the readers upstream can give: a slip of the pen in a name is found
// before anything runs.

#include "config/graph_spec.hpp"
#include "graph/resolved_graph.hpp"

namespace flowrun::graph {

/// Checks every table of numbers whose descriptor says that its keys are domains (Parameter::names_domains). Where it is known which domains can arrive, it
/// warns of a name that is none of them, and of domains that a table without a number for them leaves out. A table that leaves out all of them is an error.
/// Nothing is said where documents bring their own domains. `spec` is what `graph` was resolved from, without errors.
void check_domains(const ResolvedGraph& graph, const config::GraphSpec& spec, config::Diagnostics& diagnostics);

}  // namespace flowrun::graph
