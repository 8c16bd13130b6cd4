#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "plugin/inspect.hpp"

namespace flowrun::cli {

void add_list(CLI::App& app, Invocation& invocation) {
  auto folders = std::make_shared<std::vector<std::string>>();
  auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("list", "List the plugins that graphs can name");
  add_plugin_folders(*command, *folders);
  command->add_flag("--json", *json, "Print them as JSON");
  command->callback([folders, json, &invocation] {
    plugin::Registry registry(plugin::search_folders(*folders));
    if (*json) {
      print(plugin::list_json(registry).dump(1) + "\n");
    } else {
      std::string text;
      for (const auto* file : registry.list())
        text += file->refused ? fmt::format("{:<28} refused: {}\n", file->id, file->reason)
                              : fmt::format("{:<28} {:<8} {:<9} {}\n", file->id, file->descriptor->version, file->descriptor->kind, file->descriptor->summary);
      print(text);
    }
    invocation.result = 0;
  });
}

}  // namespace flowrun::cli
