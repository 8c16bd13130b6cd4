#pragma once

// Follows the names in an expanded graph to the nodes that they stand for.

#include "config/expansion.hpp"
#include "config/report.hpp"

namespace flowrun::config {

/// Moves the nodes of `expansion` into `graph` with `in` and `tie` as expanded names, and fills symbols, aliases and huggingface. Reports
/// names that do not exist, inputs that nothing binds, and subgraphs and vanished nodes that stand for themselves.
void resolve_names(Expansion expansion, GraphSpec& graph, Reporter& report);

}  // namespace flowrun::config
