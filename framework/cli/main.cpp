// flowrun's main(): parses the command line, runs one command, prints an error once and returns its exit code.

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <unistd.h>

#include <flowrun/nearest.hpp>

#include "cli/commands.hpp"
#include "run/exit_codes.hpp"

namespace {

flowrun::graph::StopToken stop_token;

/// The first INT, TERM or USR1 asks the run to stop; a second one ends the process at once.
extern "C" void on_signal(int signal) {
  int none = 0;
  if (!stop_token.signal.compare_exchange_strong(none, signal) && signal != SIGUSR1) ::_exit(128 + signal);
}

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) ::sigaction(signal, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

/// `flowrun GRAPH` is `flowrun run GRAPH`: a first word with '/' or '.toml' is a graph. Throws CLI::ParseError for a word that is neither that nor
/// a command.
std::vector<std::string> with_command(const CLI::App& app, std::vector<std::string> arguments) {
  // The values of options that stand before it are no commands.
  const CLI::App* const run = app.get_subcommand("run");
  auto word = arguments.begin();
  for (; word != arguments.end() && word->starts_with("-"); ++word) {
    const CLI::Option* const option = run->get_option_no_throw(*word);
    if (option != nullptr && option->get_items_expected_max() > 0 && word + 1 != arguments.end()) ++word;
  }
  if (word == arguments.end()) return arguments;
  if (word->find('/') != std::string::npos || word->find(".toml") != std::string::npos) {
    arguments.insert(arguments.begin(), "run");
    return arguments;
  }
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(command->get_name());
  if (std::find(names.begin(), names.end(), *word) != names.end()) return arguments;
  throw CLI::ArgumentMismatch("'" + *word + "' is no command, and no graph: that has a '/' or ends in .toml" + flowrun::did_you_mean(*word, names));
}

int print_error(const char* text, int code) {
  const bool stopped = code == flowrun::run::kStoppedByUsr1 || code >= flowrun::run::kInterrupted;
  std::fprintf(stderr, stopped ? "%s\n" : flowrun::cli::wants_colour() ? "\x1b[31merror:\x1b[0m %s\n" : "error: %s\n", text);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs pre-training pipelines: graphs of plugins, from raw text to a trained checkpoint.", "flowrun");
  app.set_version_flag("--version", std::string("flowrun ") + FLOWRUN_VERSION);
  app.require_subcommand(1);
  app.footer("`flowrun GRAPH` is `flowrun run GRAPH`. Exit codes, the graph format and the run's folder are described in docs/.");
  flowrun::cli::Invocation invocation;
  invocation.command.assign(argv, argv + argc);
  invocation.stop = &stop_token;
  flowrun::cli::add_run(app, invocation);
  flowrun::cli::add_validate(app, invocation);
  flowrun::cli::add_plan(app, invocation);
  flowrun::cli::add_graph(app, invocation);
  flowrun::cli::add_list(app, invocation);
  flowrun::cli::add_inspect(app, invocation);
  flowrun::cli::add_cache(app, invocation);
  flowrun::cli::add_checkpoint(app, invocation);
  flowrun::cli::add_doctor(app, invocation);
  flowrun::cli::add_scaling(app, invocation);
  flowrun::cli::add_tap(app, invocation);
  flowrun::cli::add_tokenize(app, invocation);
  catch_signals();
  try {
    std::vector<std::string> arguments = with_command(app, {argv + 1, argv + argc});
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    app.parse(arguments);
    return invocation.result;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : flowrun::run::kUsage;
  } catch (const flowrun::Error& error) {
    return print_error(error.what(), flowrun::run::exit_code_of(error));
  } catch (const std::filesystem::filesystem_error& error) {
    return print_error(error.what(), flowrun::run::kIoExit);
  } catch (const std::exception& error) {
    return print_error(error.what(), flowrun::run::kInternalExit);
  }
}
