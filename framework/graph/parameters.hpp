#pragma once

// Types a node's keys against its descriptor's parameters.

#include <nlohmann/json.hpp>

#include "config/graph_spec.hpp"
#include "plugin/descriptor_info.hpp"

namespace flowrun::graph {

/// Where a finding about a node belongs.
struct NodePlace {
  std::string node, plugin;
};

/// Converts one value to a parameter's type; on a wrong type or range adds a diagnostic and returns null. `base` is the graph's base
/// folder: relative paths are rewritten (in `value` too) to stand on it.
nlohmann::json parameter_value(const plugin::ParameterInfo& parameter, config::Value& value, const std::string& base, const NodePlace& place,
                               config::Diagnostics& diagnostics);

/// Checks the declared constraints over the node's parameters; `connected` says which artifact ports are.
void check_constraints(const plugin::DescriptorInfo& descriptor, const nlohmann::json& parameters, const std::vector<std::string>& connected,
                       const config::Table& keys, const config::SourceLocation& node_where, const NodePlace& place, config::Diagnostics& diagnostics);

}  // namespace flowrun::graph
