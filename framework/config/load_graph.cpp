#include <filesystem>

#include "config/expansion.hpp"
#include "config/graph_files.hpp"
#include "config/graph_spec.hpp"
#include "config/overrides.hpp"
#include "config/parameters.hpp"
#include "config/references.hpp"
#include "config/report.hpp"
#include "config/run_spec.hpp"
#include "config/value.hpp"

namespace flowrun::config {
namespace {

/// Moves the values of one file to another folder.
void rebase(Value& value, const std::string& file, const std::string& base) {
  if (value.where.file == file) value.base = base;
  if (auto* array = std::get_if<Array>(&value.data)) {
    for (Value& element : *array) rebase(element, file, base);
  } else if (auto* table = std::get_if<Table>(&value.data)) {
    for (Entry& entry : *table) rebase(entry.value, file, base);
  }
}

/// Puts `[run] base` in the place of the top file's folder. Files that it includes keep theirs.
void rebase(RawGraph& top, const std::string& base) {
  for (RawNode& node : top.nodes) {
    for (Entry& entry : node.keys) rebase(entry.value, top.file, base);
  }
  for (Table* table : {&top.params, &top.huggingface}) {
    for (Entry& entry : *table) rebase(entry.value, top.file, base);
  }
}

}  // namespace

GraphSpec load_graph(const std::string& path, const std::vector<Override>& overrides, Diagnostics& diagnostics) {
  Reporter report(diagnostics);
  GraphSpec graph;
  graph.file = path;
  graph.run.name = std::filesystem::path(path).stem().string();
  graph.run.base = base_of(path);

  GraphFiles files(graph.sources, report);
  RawGraph top = files.load_top(path);
  Overrides set(overrides, graph.sources, report);
  // What a file that could not be parsed lacks are no errors of their own.
  if (!top.parsed) return graph;
  set.apply_run(top.run);
  set.apply_params(top.params);

  Budget budget(report);
  Parameters parameters(top.params, {}, budget, report);
  read_run(parameters.substitute(top.run), graph.run, report);
  if (graph.run.where.contains("base")) rebase(top, graph.run.base);

  // Once more, since `[run] base` may itself hold parameters, and then moves them.
  Parameters rebased(top.params, {}, budget, report);
  rebased.resolve_all();
  Expansion expansion = expand(top, rebased, files, set, budget, report);
  // Half a graph would only bring errors about what is missing.
  if (budget.spent()) return graph;
  resolve_names(std::move(expansion), graph, report);
  if (graph.nodes.empty() && !diagnostics.has_errors()) {
    report.error({path, 1, 1}, "missing_key", "graph has no nodes", {.expected = "[node.NAME]"});
  }
  return graph;
}

}  // namespace flowrun::config
