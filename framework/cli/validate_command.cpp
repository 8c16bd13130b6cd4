#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "config/diagnostics_json.hpp"
#include "run/exit_codes.hpp"

namespace flowrun::cli {

void add_validate(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<run::GraphOptions>();
  auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("validate", "Check a graph: every error, with its place; looks at no data");
  add_graph_options(*command, *options);
  command->add_flag("--json", *json, "Print the findings as JSON");
  command->callback([options, json, &invocation] {
    const auto checked = run::check_graph(*options);
    const auto findings = checked.diagnostics.sorted();
    if (*json) print(config::validation_report(options->graph, findings).dump(1) + "\n");
    else
      for (const auto& finding : findings) std::fputs(config::render(finding, checked.spec.sources, wants_colour()).c_str(), stderr);
    if (checked.diagnostics.has_errors()) {
      invocation.result = run::kInvalidGraph;
      return;
    }
    for (const auto& refusal : checked.resolved.refusals)
      std::fprintf(stderr, "error: plugin '%s' of node '%s' is refused: %s\n", refusal.plugin.c_str(), refusal.node.c_str(), refusal.reason.c_str());
    invocation.result = checked.resolved.refusals.empty() ? run::kOk : run::kUnavailableExit;
    if (!*json && invocation.result == run::kOk) print(fmt::format("{}: valid, {} nodes\n", options->graph, checked.resolved.nodes.size()));
  });
}

}  // namespace flowrun::cli
