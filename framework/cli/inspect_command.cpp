#include <filesystem>
#include <memory>

#include <flowrun/nearest.hpp>
#include <fmt/format.h>

#include "base/sha256.hpp"
#include "cli/commands.hpp"
#include "plugin/inspect.hpp"
#include "run/exit_codes.hpp"

namespace flowrun::cli {
namespace {

struct Settings {
  std::string name;
  std::vector<std::string> folders;
  bool json = false, markdown = false;
};

/// Returns the plugin behind an id or a path. Throws Error(kNotFound) with the nearest id.
plugin::PluginFile find(const Settings& settings) {
  if (settings.name.ends_with(".so") || settings.name.starts_with("/") || settings.name.starts_with(".")) {
    if (!std::filesystem::exists(settings.name)) throw Error(Code::kNotFound, fmt::format("'{}' does not exist", settings.name));
    return plugin::Registry::read_file(std::filesystem::absolute(settings.name).string());
  }
  plugin::Registry registry(plugin::search_folders(settings.folders));
  if (const auto* file = registry.find(settings.name)) return *file;
  throw Error(Code::kNotFound, fmt::format("no plugin '{}' in the search folders{}", settings.name, did_you_mean(settings.name, registry.ids())));
}

}  // namespace

void add_inspect(CLI::App& app, Invocation& invocation) {
  auto settings = std::make_shared<Settings>();
  CLI::App* command = app.add_subcommand("inspect", "Show one plugin: ports, parameters, source");
  command->add_option("plugin", settings->name, "An id such as filters/split, or a path")->required()->type_name("ID|PATH");
  add_plugin_folders(*command, settings->folders);
  auto* json = command->add_flag("--json", settings->json, "Print it as JSON");
  command->add_flag("--markdown", settings->markdown, "Print it as the plugin's README")->excludes(json);
  command->callback([settings, &invocation] {
    const auto file = find(*settings);
    if (file.refused) throw Error(Code::kUnavailable, "plugin refused: " + file.reason);
    if (settings->markdown) print(plugin::inspect_markdown(*file.descriptor));
    else if (settings->json) print(plugin::inspect_json(file, sha256_file(file.file)).dump(1) + "\n");
    else print(plugin::inspect_text(file, sha256_file(file.file)));
    invocation.result = run::kOk;
  });
}

}  // namespace flowrun::cli
