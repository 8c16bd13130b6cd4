#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <flowrun/error.hpp>

#include "cli/commands.hpp"

namespace flowrun::cli {

void add_graph_options(CLI::App& command, run::GraphOptions& options) {
  command.add_option("graph", options.graph, "The graph file")->required()->type_name("GRAPH");
  command.add_option_function<std::vector<std::string>>(
      "--set",
      [&options](const std::vector<std::string>& texts) {
        for (const auto& text : texts) {
          const auto equals = text.find('=');
          if (equals == std::string::npos || equals == 0) throw CLI::ValidationError("--set", "'" + text + "' is not KEY=VALUE");
          options.overrides.push_back({text.substr(0, equals), text.substr(equals + 1)});
        }
      },
      "Override a key: node.X.key=V, params.p=V or run.k=V; V is TOML, else a string (repeatable)")
      ->type_name("K=V")
      ->allow_extra_args(false);
  add_plugin_folders(command, options.plugin_folders);
  command.add_option("--artifacts", options.artifacts, "Folder of the artifacts' cache (default: $FLOWRUN_ARTIFACTS, else runs/.artifacts)")->type_name("DIR")->take_last();
  command.add_option("--output", options.output, "The run's folder (default: runs/<name>)")->type_name("DIR")->take_last();
  command.add_option("--limit", options.limit, "Only the first N documents of each reader")->type_name("N")->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 60))->take_last();
}

void add_plugin_folders(CLI::App& command, std::vector<std::string>& folders) {
  command.add_option("--plugins", folders, "Folder of plugins, searched first (repeatable)")->type_name("DIR")->allow_extra_args(false);
}

void add_verbosity(CLI::App& command, run::Verbosity& verbosity) {
  command.add_flag_callback("-q,--quiet", [&verbosity] { verbosity = run::Verbosity::kQuiet; }, "Only warnings and errors");
  command.add_flag_callback("-v,--verbose", [&verbosity] { verbosity = run::Verbosity::kVerbose; }, "More");
}

bool print(const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (written) return true;
  // Whoever has closed the pipe wants no more; anything else is a loss.
  if (errno == EPIPE) return false;
  throw Error(Code::kIo, fmt::format("standard output cannot be written: {}", std::strerror(errno)));
}

bool wants_colour() { return ::isatty(STDERR_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr; }

}  // namespace flowrun::cli
