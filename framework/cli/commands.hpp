#pragma once

// The commands of `flowrun`, one file each. A command adds itself to the parser; its callback returns the exit code through `result`.

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "graph/stage_control.hpp"
#include "run/runner.hpp"

namespace flowrun::cli {

/// What the commands share.
struct Invocation {
  std::vector<std::string> command;  ///< the whole command line
  graph::StopToken* stop = nullptr;
  int result = 0;  ///< exit code of the command that ran
};

void add_run(CLI::App& app, Invocation& invocation);
void add_validate(CLI::App& app, Invocation& invocation);
void add_plan(CLI::App& app, Invocation& invocation);
void add_graph(CLI::App& app, Invocation& invocation);
void add_list(CLI::App& app, Invocation& invocation);
void add_inspect(CLI::App& app, Invocation& invocation);
void add_cache(CLI::App& app, Invocation& invocation);
void add_checkpoint(CLI::App& app, Invocation& invocation);
void add_doctor(CLI::App& app, Invocation& invocation);
void add_scaling(CLI::App& app, Invocation& invocation);
void add_tap(CLI::App& app, Invocation& invocation);
void add_tokenize(CLI::App& app, Invocation& invocation);

/// Adds GRAPH and the options that every command with a graph takes. `options` must outlive the parser.
void add_graph_options(CLI::App& command, run::GraphOptions& options);

/// Adds -q and -v.
void add_verbosity(CLI::App& command, run::Verbosity& verbosity);

/// Adds `--plugins DIR`, repeatable.
void add_plugin_folders(CLI::App& command, std::vector<std::string>& folders);

/// Writes text to stdout. Returns false where nobody reads it any more, which is not an error. Throws Error(kIo) for any other loss.
bool print(const std::string& text);

/// Returns whether stderr wants colours: a terminal, and NO_COLOR not set.
bool wants_colour();

/// Prints the text of `plan`; `run --dry-run` is the same.
int print_plan(const run::GraphOptions& options, bool json);

}  // namespace flowrun::cli
