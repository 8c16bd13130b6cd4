#include <array>
#include <string_view>

#include "config/graph_spec.hpp"
#include "config/value.hpp"

namespace flowrun::config {
namespace {

/// The order in which a person would write them.
constexpr std::array<std::string_view, 7> kReservedOrder = {"prefix", "tie", "on_error", "threads", "seed", "cache", "memory_bytes"};

void append_entry(std::string& text, std::string_view key, const std::string& value) {
  text.append(key_to_toml(key)).append(" = ").append(value).append("\n");
}

void append_string(std::string& text, std::string_view key, const std::string& value) { append_entry(text, key, to_toml({value, {}, {}})); }

std::string run_table(const RunSpec& run) {
  std::string text = "[run]\n";
  append_string(text, "name", run.name);
  append_entry(text, "seed", std::to_string(run.seed));
  append_string(text, "device", run.device);
  append_string(text, "precision", run.precision);
  if (run.threads > 0) append_entry(text, "threads", std::to_string(run.threads));
  append_entry(text, "memory_bytes", std::to_string(run.memory_bytes));
  append_entry(text, "batch_bytes", std::to_string(run.batch_bytes));
  append_entry(text, "batch_documents", std::to_string(run.batch_documents));
  append_entry(text, "part_bytes", std::to_string(run.part_bytes));
  if (run.limit > 0) append_entry(text, "limit", std::to_string(run.limit));
  append_entry(text, "max_error_fraction", number_text(run.max_error_fraction));
  append_string(text, "base", run.base);
  return text;
}

std::string node_table(const NodeSpec& node) {
  std::string text = "\n[node." + key_to_toml(node.name) + "]\n";
  append_string(text, "plugin", node.plugin);
  if (node.in) append_entry(text, "in", to_toml(*node.in));
  for (const std::string_view key : kReservedOrder) {
    if (const auto value = node.reserved.find(std::string(key)); value != node.reserved.end())
      append_entry(text, key, to_toml(value->second));
  }
  for (const Entry& entry : node.keys) append_entry(text, entry.key, to_toml(entry.value));
  return text;
}

std::string huggingface_table(const HuggingFaceSpec& spec) {
  std::string text = "\n[huggingface." + key_to_toml(spec.model) + "]\n";
  append_string(text, "output", spec.output);
  for (const Entry& entry : spec.keys) append_entry(text, entry.key, to_toml(entry.value));
  return text;
}

}  // namespace

std::string expanded_toml(const GraphSpec& graph) {
  std::string text = run_table(graph.run);
  for (const NodeSpec& node : graph.nodes) text += node_table(node);
  for (const HuggingFaceSpec& spec : graph.huggingface) text += huggingface_table(spec);
  return text;
}

}  // namespace flowrun::config
