#include <memory>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "run/exit_codes.hpp"
#include "run/run_folder.hpp"

namespace flowrun::cli {
namespace {

struct Settings {
  run::RunOptions options;
  run::Verbosity verbosity = run::Verbosity::kNormal;
  bool json = false, dry_run = false;
};

std::string tallies(const nlohmann::json& object) {
  std::string text;
  for (const auto& [name, tally] : object.items()) {
    const auto documents = tally["documents"].get<std::int64_t>(), file_bytes = tally.value("files", std::int64_t{0});
    text += fmt::format("\n  {:<32} {:>10}", name, documents);
    // Not a document, but the rest of a file that could not be read.
    if (documents == 0) text += file_bytes > 0 ? fmt::format("  (rests of files, {} bytes unread)", file_bytes) : "  (at the ends of files; see log.jsonl)";
  }
  return text;
}

/// Returns the summary as people read it.
std::string summary_text(const nlohmann::json& summary) {
  const auto& documents = summary["documents"];
  std::string text = fmt::format("run        {}\ndocuments  {} in, {} kept", run::display_path(summary["run"].get<std::string>()), documents["in"].get<std::int64_t>(), documents["out"].get<std::int64_t>());
  if (!summary["dropped"].empty()) text += "\ndropped" + tallies(summary["dropped"]);
  if (!summary["errors"].empty()) text += "\nrefused" + tallies(summary["errors"]);
  if (summary["steps"].get<std::int64_t>() > 0) text += fmt::format("\ntrained    {} steps, {} tokens", summary["steps"].get<std::int64_t>(), summary["tokens"].get<std::int64_t>());
  for (const auto& line : summary["evaluations"]) {
    if (line["loss"].is_null()) continue;
    text += fmt::format("\n{:<10} {:<12} loss {:.4f}  perplexity {:.2f}  {:.3f} bits/byte{}", line["evaluator"].get<std::string>(), line["domain"].get<std::string>(), line["loss"].get<double>(),
                        line["perplexity"].get<double>(), line.value("bits_per_byte", nlohmann::json()).is_number() ? line["bits_per_byte"].get<double>() : 0.0, line.value("masked", false) ? "  (masked)" : "");
  }
  if (!summary["model"].is_null()) text += "\nmodel      " + run::display_path(summary["model"].get<std::string>());
  return text + "\n";
}

/// Returns the summary of a run that has not finished; what it left is in its folder.
nlohmann::json failure_json(const Error& error) {
  const int code = run::exit_code_of(error);
  const bool stopped = code == run::kStoppedByUsr1 || code == run::kInterrupted || code == run::kTerminated;
  return {{"version", 1}, {"status", stopped ? "stopped" : "failed"}, {"exit_code", code}, {"error", error.what()}, {"run", nullptr}, {"model", nullptr}, {"steps", 0},
          {"documents", {{"in", 0}, {"out", 0}}}, {"tokens", 0}, {"evaluations", nlohmann::json::array()}, {"stages", nlohmann::json::array()}};
}

}  // namespace

void add_run(CLI::App& app, Invocation& invocation) {
  auto settings = std::make_shared<Settings>();
  CLI::App* command = app.add_subcommand("run", "Run a graph; goes on with an unfinished run");
  add_graph_options(*command, settings->options);
  command->add_option("--threads", settings->options.threads, "Threads (default: [run] threads, else all cores)")->type_name("N")->check(CLI::Range(std::int64_t{1}, config::kThreadsMax))->take_last();
  command->add_flag("--fresh", settings->options.fresh, "Begin anew; an earlier run's folder is renamed");
  command->add_flag("--no-cache", settings->options.no_cache, "Use and keep no artifacts of other runs");
  command->add_flag("--dry-run", settings->dry_run, "Only print the plan");
  command->add_flag("--json", settings->json, "Print the summary as JSON");
  add_verbosity(*command, settings->verbosity);
  command->callback([settings, &invocation] {
    if (settings->dry_run) {
      invocation.result = print_plan(settings->options, settings->json);
      return;
    }
    run::Reporter reporter(settings->verbosity);
    try {
      const auto summary = run::run_graph(settings->options, *invocation.stop, reporter, invocation.command);
      print(settings->json ? summary.dump(1) + "\n" : summary_text(summary));
    } catch (const Error& error) {
      if (settings->json) print(failure_json(error).dump(1) + "\n");
      throw;
    }
  });
}

}  // namespace flowrun::cli
