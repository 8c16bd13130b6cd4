#pragma once

#include "run/funnel.hpp"

namespace flowrun::run {

/// Ends the run (65) if more than `run.max_error_fraction` was refused of the documents that were found, or could not be read of the stored bytes of one
/// source, in the stages that have been committed, cached or not. A file that ends too early counts whole: how much of it is missing is not known.
void check_error_fraction(const RunContext& context, const NodeCounters& counters);

}  // namespace flowrun::run
