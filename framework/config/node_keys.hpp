#pragma once

// The reserved keys of a node: which there are, and their types and ranges.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/report.hpp"

namespace flowrun::config {

/// Where a reserved key may stand.
enum class NodeKind { kPlugin, kSubgraph };

bool is_reserved_key(std::string_view key);

/// Checks a reserved key of node `node` and returns whether its value can be used. `plugin`, `graph`, `in` and `repeat` included.
bool check_reserved_key(const Entry& entry, NodeKind kind, const std::string& node, Reporter& report);

}  // namespace flowrun::config
