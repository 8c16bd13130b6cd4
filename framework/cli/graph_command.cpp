#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "base/durable.hpp"
#include "cli/commands.hpp"
#include "cli/graph_drawing.hpp"
#include "run/exit_codes.hpp"

namespace flowrun::cli {
namespace {

/// Returns the picture that a file's suffix asks for; "" is dot. Throws ExitError 2 for another suffix.
std::string picture(const graph::ResolvedGraph& graph, const std::string& suffix, const std::string& file) {
  if (suffix.empty() || suffix == ".dot") return dot_text(graph);
  if (suffix == ".mmd") return mermaid_text(graph);
  if (suffix == ".svg") return svg_text(graph);
  throw run::ExitError(run::kUsage, Code::kUnsupported, fmt::format("-o '{}': found '{}', expected .dot, .svg or .mmd", file, suffix));
}

}  // namespace

void add_graph(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<run::GraphOptions>();
  auto file = std::make_shared<std::string>();
  auto expand = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("graph", "Draw a graph, or print it expanded to one flat TOML file");
  add_graph_options(*command, *options);
  command->add_option("-o,--file", *file, "Write to FILE.dot, FILE.svg (by Graphviz) or FILE.mmd (Mermaid); with --expand, to FILE.toml (default: dot on stdout)")->type_name("FILE");
  command->add_flag("--expand", *expand, "Print the TOML with includes, parameters and subgraphs expanded");
  command->callback([options, file, expand, &invocation] {
    const auto checked = run::check_graph(*options);
    run::require_valid(checked);
    const std::string text = *expand ? run::resolved_toml(checked) : picture(checked.resolved, std::filesystem::path(*file).extension().string(), *file);
    if (file->empty()) print(text);
    else io::write_file(*file, text);
    invocation.result = run::kOk;
  });
}

}  // namespace flowrun::cli
