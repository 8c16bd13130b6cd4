#include <memory>

#include <fmt/format.h>

#include <flowrun/descriptor.hpp>

#include "base/durable.hpp"
#include "cli/commands.hpp"
#include "run/exit_codes.hpp"

namespace flowrun::cli {
namespace {

/// Returns the graph in Graphviz's language: streams solid, artifacts dashed, models dotted.
std::string dot_text(const graph::ResolvedGraph& graph) {
  std::string text = "digraph flowrun {\n  rankdir = LR;\n  node [shape = box, fontname = \"Helvetica\"];\n";
  for (const auto& node : graph.nodes) text += fmt::format("  {} [label = {}];\n", json::quote(node.name), json::quote(node.name + "\n" + node.plugin->id));
  for (const auto& node : graph.nodes)
    for (std::size_t p = 0; p < node.inputs.size(); ++p)
      for (const auto& from : node.inputs[p]) {
        const auto& producer = graph.nodes[from.node];
        const auto& output = producer.descriptor().outputs[from.output];
        const auto edge = node.descriptor().inputs[p].edge;
        const char* style = edge == plugin::EdgeKind::kArtifact ? "dashed" : edge == plugin::EdgeKind::kModel ? "dotted" : "solid";
        text += fmt::format("  {} -> {} [label = {}, style = {}];\n", json::quote(producer.name), json::quote(node.name),
                            json::quote(producer.descriptor().outputs.size() > 1 ? output.name + ": " + output.type : output.type), style);
      }
  return text + "}\n";
}

}  // namespace

void add_graph(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<run::GraphOptions>();
  auto file = std::make_shared<std::string>();
  auto expand = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("graph", "Draw a graph (dot), or print it expanded to one flat TOML file");
  add_graph_options(*command, *options);
  command->add_option("-o,--file", *file, "Write to FILE.dot (or, with --expand, FILE.toml) instead of stdout")->type_name("FILE");
  command->add_flag("--expand", *expand, "Print the TOML with includes, parameters and subgraphs expanded");
  command->callback([options, file, expand, &invocation] {
    const auto suffix = file->substr(std::min(file->size(), file->rfind('.')));
    if (!file->empty() && !*expand && suffix != ".dot") throw run::ExitError(run::kUsage, Code::kUnsupported, fmt::format("-o '{}': only .dot can be written", *file));
    const auto checked = run::check_graph(*options);
    run::require_valid(checked);
    const std::string text = *expand ? run::resolved_toml(checked) : dot_text(checked.resolved);
    if (file->empty()) print(text);
    else io::write_file(*file, text);
    invocation.result = run::kOk;
  });
}

}  // namespace flowrun::cli
