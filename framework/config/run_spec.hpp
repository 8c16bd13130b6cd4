#pragma once

// `[run]`: known keys, types and ranges.

#include "config/report.hpp"

namespace flowrun::config {

/// Reads the keys of `[run]` over the defaults in `run`; reports every one that is unknown, of a wrong type or out of range.
void read_run(const Table& table, RunSpec& run, Reporter& report);

}  // namespace flowrun::config
