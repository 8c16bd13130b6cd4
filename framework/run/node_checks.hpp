#pragma once

#include "run/run_context.hpp"

namespace flowrun::run {

/// Checks what only plugins can say of a graph, before any data is read: creates every portable node and destroys it again, and opens those that name columns
/// (Parameter::names_columns), with all that is upstream of them, on the columns that will arrive there. Where these cannot be known yet, because a node
/// upstream needs an artifact that has not been made and adds columns, the node's stage says it. Throws ExitError with 78 for the arguments that plugins
/// refuse, all of them in one, each with the node's place in the graph. Whatever else keeps a node from being made ends the run in its stage.
void check_nodes(const RunContext& context);

}  // namespace flowrun::run
