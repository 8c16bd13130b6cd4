#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "run/artifact_use.hpp"

namespace flowrun::cli {
namespace {

struct Settings {
  std::string artifacts;
  std::optional<double> keep_days;
  std::optional<std::uint64_t> max_bytes;
  bool dry_run = false, json = false;
};

run::ArtifactStore open_store(const Settings& settings) {
  if (!settings.artifacts.empty() && !std::filesystem::is_directory(settings.artifacts))
    throw Error(Code::kNotFound, fmt::format("the folder of artifacts '{}' does not exist", settings.artifacts));
  return run::ArtifactStore(run::artifacts_root(settings.artifacts));
}

std::string time_text(std::chrono::system_clock::time_point time) { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(time)); }

nlohmann::json to_json(const std::vector<run::StoredArtifact>& artifacts) {
  nlohmann::json list = nlohmann::json::array();
  const auto known = [](const std::string& text) { return text.empty() ? nlohmann::json() : nlohmann::json(text); };
  for (const auto& artifact : artifacts)
    list.push_back({{"key", artifact.key}, {"type", artifact.type}, {"plugin", known(artifact.plugin)}, {"documents", artifact.documents}, {"bytes", artifact.bytes},
                    {"created_time", known(artifact.created_time)}, {"used_time", time_text(artifact.used)}, {"in_use", artifact.in_use}});
  return list;
}

std::int64_t total_bytes(const std::vector<run::StoredArtifact>& artifacts) {
  std::int64_t bytes = 0;
  for (const auto& artifact : artifacts) bytes += artifact.bytes;
  return bytes;
}

std::string table(const std::vector<run::StoredArtifact>& artifacts) {
  if (artifacts.empty()) return "";
  std::string text = fmt::format("{:<12}  {:<10}  {:<34}  {:>14}  {}\n", "key", "type", "made by", "bytes", "last used");
  for (const auto& artifact : artifacts)
    text += fmt::format("{:<12}  {:<10}  {:<34}  {:>14}  {}{}\n", artifact.key.substr(0, 12), artifact.type, artifact.plugin, artifact.bytes, time_text(artifact.used), artifact.in_use ? "  in use" : "");
  return text;
}

void list(const Settings& settings) {
  const auto store = open_store(settings);
  const auto artifacts = run::list_artifacts(store);
  if (settings.json) print(nlohmann::json{{"version", 1}, {"folder", store.root()}, {"bytes", total_bytes(artifacts)}, {"artifacts", to_json(artifacts)}}.dump(1) + "\n");
  else print(fmt::format("{}{} artifacts, {} bytes in '{}'\n", table(artifacts), artifacts.size(), total_bytes(artifacts), store.root()));
}

void prune(const Settings& settings, const graph::StopToken& stop) {
  const auto store = open_store(settings);
  run::KeepRule rule;
  if (settings.keep_days) rule.age = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::duration<double, std::ratio<86400>>(*settings.keep_days));
  if (settings.max_bytes) rule.bytes = static_cast<std::int64_t>(*settings.max_bytes);
  const auto pruned = run::prune_artifacts(store, rule, settings.dry_run, graph::StageControl(stop));
  const auto removed = total_bytes(pruned.removed), kept = total_bytes(pruned.kept);
  if (settings.json)
    print(nlohmann::json{{"version", 1}, {"folder", store.root()}, {"dry_run", settings.dry_run}, {"removed", to_json(pruned.removed)}, {"removed_bytes", removed},
                         {"kept", to_json(pruned.kept)}, {"kept_bytes", kept}}.dump(1) + "\n");
  else
    print(fmt::format("{}{} {} artifacts, {} bytes; {}, {} bytes, stay in '{}'\n", table(pruned.removed), settings.dry_run ? "would remove" : "removed", pruned.removed.size(), removed,
                      pruned.kept.size(), kept, store.root()));
}

void add_common(CLI::App& command, Settings& settings) {
  command.add_option("--artifacts", settings.artifacts, "The cache's folder (default: $FLOWRUN_ARTIFACTS, else runs/.artifacts)")->type_name("DIR")->take_last();
  command.add_flag("--json", settings.json, "Print it as JSON");
}

}  // namespace

void add_cache(CLI::App& app, Invocation& invocation) {
  constexpr double kDaysMax = 1e6;
  auto settings = std::make_shared<Settings>();
  CLI::App* command = app.add_subcommand("cache", "Look after the artifacts that runs share");
  command->require_subcommand(1);
  CLI::App* listing = command->add_subcommand("list", "List the artifacts, the one that was used last first");
  add_common(*listing, *settings);
  listing->callback([settings] { list(*settings); });
  CLI::App* pruning = command->add_subcommand("prune", "Remove artifacts that no run uses now; a run that needs them makes them again");
  add_common(*pruning, *settings);
  CLI::Option_group* rule = pruning->add_option_group("what to keep");
  rule->add_option("--keep-days", settings->keep_days, "Keep what a run has used within the last N days")->type_name("N")->check(CLI::Range(0.0, kDaysMax));
  rule->add_option("--max-bytes", settings->max_bytes, "Keep what was used last, up to N bytes together (also 10GB, 10GiB)")->type_name("N")->transform(CLI::AsSizeValue(true));
  rule->require_option(1);
  pruning->add_flag("--dry-run", settings->dry_run, "Only say what would be removed");
  pruning->callback([settings, &invocation] { prune(*settings, *invocation.stop); });
}

}  // namespace flowrun::cli
