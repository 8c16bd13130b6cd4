#include "config/node_keys.hpp"

#include <algorithm>
#include <array>

#include "config/limits.hpp"
#include "config/value.hpp"

namespace flowrun::config {
namespace {

constexpr std::array<std::string_view, 11> kReservedKeys = {"plugin", "graph",  "in",     "threads", "on_error",    "cache",
                                                            "seed",   "repeat", "prefix", "tie",     "memory_bytes"};
/// Those that say something about one node of a plugin, not about a graph of them.
constexpr std::array<std::string_view, 3> kPluginOnly = {"cache", "tie", "memory_bytes"};

bool check_integer(const Entry& entry, std::int64_t min, const std::string& node, Reporter& report) {
  const auto* number = std::get_if<std::int64_t>(&entry.value.data);
  const std::string name = "'" + entry.key + "'";
  if (number == nullptr) {
    report.wrong_type(entry.value, name, "integer", node);
  } else if (*number < min) {
    report.out_of_range(entry.value, name, "at least " + std::to_string(min), node);
  } else {
    return true;
  }
  return false;
}

bool check_string(const Value& value, const std::string& name, const std::string& node, Reporter& report) {
  if (as_string(value) != nullptr) return true;
  report.wrong_type(value, name, "string", node);
  return false;
}

bool check_name(const Entry& entry, const std::string& node, Reporter& report) {
  if (!check_string(entry.value, "'" + entry.key + "'", node, report)) return false;
  if (!as_string(entry.value)->empty()) return true;
  report.out_of_range(entry.value, "'" + entry.key + "'", entry.key == "plugin" ? "the id of a plugin" : "the path of a graph file", node);
  return false;
}

bool check_in(const Entry& entry, const std::string& node, Reporter& report) {
  const Value& value = entry.value;
  bool valid = true;
  if (const auto* array = std::get_if<Array>(&value.data)) {
    for (const Value& element : *array) valid &= check_string(element, "an element of 'in'", node, report);
    if (!array->empty()) return valid;
    report.out_of_range(value, "'in'", "at least one node", node);
    return false;
  }
  if (const auto* table = std::get_if<Table>(&value.data)) {
    for (const Entry& port : *table) valid &= check_string(port.value, "port '" + port.key + "' of 'in'", node, report);
    if (!table->empty()) return valid;
    report.out_of_range(value, "'in'", "at least one port", node);
    return false;
  }
  if (as_string(value) != nullptr) return true;
  report.error(value.where, "wrong_type",
               "'in' is " + with_article(value.type_name()) + ", expected a string, an array of strings or a table",
               {.found = value.type_name(), .expected = "string", .node = node});
  return false;
}

bool check_on_error(const Entry& entry, const std::string& node, Reporter& report) {
  if (!check_string(entry.value, "'on_error'", node, report)) return false;
  const std::string& policy = *as_string(entry.value);
  if (policy == "stop" || policy == "skip") return true;
  const std::string expected = "'stop' or 'skip'";
  if (policy == "quarantine") {
    report.error(entry.value.where, "out_of_range", "'on_error' is 'quarantine', which is not available yet, expected " + expected,
                 {.found = policy, .expected = expected, .node = node});
  } else {
    report.error(entry.value.where, "out_of_range", "'on_error' is '" + policy + "', expected " + expected,
                 {.found = policy, .expected = expected, .suggestion = report.suggest(policy, {"stop", "skip"}), .node = node});
  }
  return false;
}

bool check_boolean(const Entry& entry, const std::string& node, Reporter& report) {
  if (std::holds_alternative<bool>(entry.value.data)) return true;
  report.wrong_type(entry.value, "'" + entry.key + "'", "boolean", node);
  return false;
}

bool check_repeat(const Entry& entry, const std::string& node, Reporter& report) {
  if (!check_integer(entry, 0, node, report)) return false;
  if (std::get<std::int64_t>(entry.value.data) <= kMaxNodes) return true;
  report.error(entry.value.where, "too_large", "'repeat' is " + describe(entry.value) + ", expected at most " + std::to_string(kMaxNodes),
               {.found = describe(entry.value), .expected = "at most " + std::to_string(kMaxNodes), .node = node});
  return false;
}

}  // namespace

bool is_reserved_key(std::string_view key) { return std::find(kReservedKeys.begin(), kReservedKeys.end(), key) != kReservedKeys.end(); }

bool check_reserved_key(const Entry& entry, NodeKind kind, const std::string& node, Reporter& report) {
  const std::string& key = entry.key;
  if (kind == NodeKind::kSubgraph && std::find(kPluginOnly.begin(), kPluginOnly.end(), key) != kPluginOnly.end()) {
    report.error(entry.where, "unknown_key", "'" + key + "' is a key of nodes with 'plugin', not of a subgraph",
                 {.found = key, .node = node});
    return false;
  }
  if (key == "plugin" || key == "graph") return check_name(entry, node, report);
  if (key == "in") return check_in(entry, node, report);
  if (key == "on_error") return check_on_error(entry, node, report);
  if (key == "cache") return check_boolean(entry, node, report);
  if (key == "repeat") return check_repeat(entry, node, report);
  if (key == "seed") return check_integer(entry, 0, node, report);
  if (key == "threads" || key == "memory_bytes") return check_integer(entry, 1, node, report);
  return check_string(entry.value, "'" + key + "'", node, report);  // prefix, tie
}

}  // namespace flowrun::config
