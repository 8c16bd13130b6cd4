#include "run/runner.hpp"

#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/version.h>

#include "base/durable.hpp"
#include "base/scaling.hpp"
#include "run/artifact_use.hpp"
#include "run/data_stage.hpp"
#include "run/error_fraction.hpp"
#include "run/exit_codes.hpp"
#include "run/funnel.hpp"
#include "run/machine.hpp"
#include "run/mixes.hpp"
#include "run/node_checks.hpp"
#include "run/node_factory.hpp"
#include "run/prepared.hpp"
#include "run/run_context.hpp"
#include "run/run_folder.hpp"
#include "run/train_stage.hpp"

namespace flowrun::run {
namespace {

namespace fs = std::filesystem;

std::string absolute(const std::string& path) { return fs::absolute(path).lexically_normal().string(); }

std::string rate(double bytes, double seconds) { return seconds > 0 ? fmt::format("{:.1f} MB/s", bytes / 1e6 / seconds) : "-"; }

/// One run from its lock to its summary.
class Runner {
 public:
  Runner(const RunOptions& options, const graph::StopToken& stop, Reporter& reporter, const std::vector<std::string>& command)
      : options_(options), stop_(stop), reporter_(reporter), command_(command), checked_(check_graph(options)) {}

  nlohmann::json run() {
    require_valid(checked_);
    if (checked_.resolved.run.device != "cpu")
      throw Error(Code::kUnavailable, fmt::format("device = \"{}\" needs a flowrun built with -DFLOWRUN_CUDA=ON; this one has the CPU alone", checked_.resolved.run.device));
    const std::string output = options_.output.empty() ? "runs/" + checked_.resolved.run.name : options_.output;
    const std::string artifacts = options_.no_cache ? absolute(output) + ".no-cache" : artifacts_root(options_.artifacts);
    Prepared prepared = prepare_or_stop(artifacts);
    // Before the folder is touched: a mistake in a parameter must not move a finished run aside. One that has finished needs no plugin to be loaded.
    if (options_.fresh || !RunFolder::is_finished(output, prepared.identity))
      check_nodes({checked_.resolved, prepared.plan, prepared.files, *checked_.registry, *prepared.store, stop_, reporter_, "", 1});
    RunFolder folder(output, prepared.identity, options_.fresh, reporter_);
    // With --no-cache the artifacts are this run's own: behind its lock nobody else uses them, and an unfinished one goes on with them.
    if (options_.no_cache && folder.state() != FolderState::kUnfinished) fs::remove_all(artifacts);
    std::optional<ArtifactUse> use;
    if (!options_.no_cache) use.emplace(*prepared.store, prepared.plan.keys(), graph::StageControl(stop_));
    if (folder.state() == FolderState::kFinished) {
      reporter_.info(fmt::format("'{}' is finished; --fresh runs it again", display_path(folder.path())));
      auto summary = nlohmann::json::parse(io::read_file(folder.path() + "/summary.json"));
      summary["run"] = folder.path();  // the folder may have been moved since
      if (!summary["model"].is_null()) summary["model"] = folder.path() + "/model";
      publish_missing_outputs(prepared, folder);
      return summary;
    }
    threads_ = options_.threads ? *options_.threads : checked_.resolved.run.threads > 0 ? static_cast<int>(checked_.resolved.run.threads) : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    begin(folder, prepared);
    const oneapi::tbb::global_control limit(oneapi::tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads_));
    const RunContext context{checked_.resolved, prepared.plan, prepared.files, *checked_.registry, *prepared.store, stop_, reporter_, folder.path(), threads_};
    try {
      run_stages(context, prepared.identity.graph_hash);
      finish(context, folder, prepared.identity.graph_hash);
    } catch (const ExitError& error) {
      end(folder, error.exit_code());
      throw;
    } catch (const Error& error) {
      const int signal = stop_.signal.load();
      if (error.code() == Code::kCancelled && signal != 0) {
        end(folder, stop_code(signal));
        throw ExitError(stop_code(signal), Code::kCancelled, "stopped; the same command goes on with it");
      }
      end(folder, exit_code_of(error.code()));
      throw;
    } catch (const fs::filesystem_error&) {
      end(folder, kIoExit);
      throw;
    } catch (...) {
      end(folder, kInternalExit);
      throw;
    }
    if (options_.no_cache) fs::remove_all(artifacts);
    return summary_;
  }

 private:
  /// A finished run's outputs that somebody has removed are put there again, as long as their artifacts are in the cache.
  void publish_missing_outputs(const Prepared& prepared, const RunFolder& folder) {
    const RunContext context{checked_.resolved, prepared.plan, prepared.files, *checked_.registry, *prepared.store, stop_, reporter_, folder.path(), 1};
    for (const std::string& missing : publish_outputs(context, true))
      reporter_.warning(fmt::format("'{}' is missing, and so is its artifact; --fresh makes it again", display_path(missing)));
  }

  static int stop_code(int signal) { return signal == SIGUSR1 ? kStoppedByUsr1 : 128 + signal; }

  Prepared prepare_or_stop(const std::string& artifacts) {
    try {
      return prepare(checked_.resolved, *checked_.registry, artifacts, &stop_);
    } catch (const Error& error) {
      const int signal = stop_.signal.load();
      if (error.code() != Code::kCancelled || signal == 0) throw;
      throw ExitError(stop_code(signal), Code::kCancelled, "stopped before anything had begun");
    }
  }

  void begin(RunFolder& folder, const Prepared& prepared) {
    const bool resumed = folder.state() == FolderState::kUnfinished;
    toml_ = resolved_toml(checked_);
    io::write_file(folder.path() + "/run.toml", toml_);
    auto& manifest = folder.manifest();
    const std::string started = manifest.value("started_time", utc_now());
    manifest = {{"version", 1}, {"name", checked_.resolved.run.name}, {"graph_hash", prepared.identity.graph_hash}, {"command", command_}, {"started_time", started},
                {"finished_time", nullptr}, {"status", "running"}, {"exit_code", nullptr}, {"threads", threads_}, {"cpu", cpu_model()},
                {"libraries", libraries()}, {"plugins", prepared.identity.plugins},
                {"artifacts", nlohmann::json::array()}};
    for (const auto& artifact : prepared.plan.artifacts)
      manifest["artifacts"].push_back({{"node", checked_.resolved.nodes[artifact.node].name}, {"type", artifact.type}, {"key", artifact.key}});
    folder.save_manifest();
    reporter_.attach(folder.path());
    reporter_.info(fmt::format("{} {} in '{}', {} thread{}", resumed ? "going on with" : "running", options_.graph, display_path(folder.path()), threads_, threads_ == 1 ? "" : "s"));
  }

  /// The libraries that results depend on. LibTorch is the one that native plugins were built for: no other is accepted.
  nlohmann::json libraries() const {
    nlohmann::json list{{"onetbb", TBB_runtime_version()}};
    for (const auto& node : checked_.resolved.nodes) {
      if (!node.native()) continue;
      const auto fingerprint = nlohmann::json::parse(node.descriptor().fingerprint.value_or(""), nullptr, false);
      if (fingerprint.is_object()) list["libtorch"] = fingerprint.value("libtorch_version", "?");
    }
    return list;
  }

  void run_stages(const RunContext& context, const std::string& graph_hash) {
    const std::size_t count = context.plan.stages.size();
    for (std::size_t s = 0; s < count; ++s) {
      const std::string title = fmt::format("stage {}/{}", s + 1, count);
      const std::string names = node_names(context, s);
      const auto start = std::chrono::steady_clock::now();
      if (context.plan.stages[s].training) {
        reporter_.info(fmt::format("{} training: {}", title, names));
        take_result(run_train_stage(context, s, graph_hash, toml_));
        stages_.push_back({{"index", s}, {"cached", false}, {"seconds", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()}});
        continue;
      }
      const DataStageResult result = run_data_stage(context, s);
      stages_.push_back({{"index", s}, {"cached", result.cached}, {"seconds", result.seconds}});
      if (result.cached) reporter_.info(fmt::format("{} {}: cached", title, names));
      else if (result.read.documents == 0) reporter_.info(fmt::format("{} {}: {:.2f} s", title, names, result.seconds));
      else
        reporter_.info(fmt::format("{} {}: {} documents, {:.1f} MB in {:.2f} s ({})", title, names, result.read.documents, static_cast<double>(result.read.bytes) / 1e6, result.seconds,
                                   rate(static_cast<double>(result.read.bytes), result.seconds)));
      const NodeCounters counters = read_counters(context);
      io::write_file(context.folder + "/funnel.json", compose_funnel(context, counters).dump(1) + "\n");
      check_error_fraction(context, counters);
    }
  }

  /// Returns the names of a stage's nodes; of a model's blocks only the model's.
  static std::string node_names(const RunContext& context, std::size_t s) {
    std::vector<std::string> names;
    for (const std::size_t i : context.plan.stages[s].nodes) {
      const std::string& name = context.graph.nodes[i].name;
      const std::string top = name.substr(0, name.find('/'));
      if (names.empty() || names.back() != top) names.push_back(top);
    }
    return fmt::format("{}", fmt::join(names, ", "));
  }

  void take_result(train::RegionResult result) {
    steps_ += result.steps;
    tokens_ += result.tokens;
    if (!result.model_folder.empty()) model_ = result.model_folder;
    for (auto& line : nlohmann::json::parse(result.evaluations_json)) evaluations_.push_back(std::move(line));
    if (result.status == train::RegionStatus::kStopped || result.status == train::RegionStatus::kStoppedUsr1) throw Error(Code::kCancelled, "stopped after a checkpoint");
    if (result.status == train::RegionStatus::kNotFinite) throw ExitError(kLossNotFinite, Code::kInternal, result.message);
  }

  void finish(const RunContext& context, RunFolder& folder, const std::string& graph_hash) {
    io::set_phase("save");
    const auto funnel = compose_funnel(context, read_counters(context));
    io::write_file(context.folder + "/funnel.json", funnel.dump(1) + "\n");
    write_dropped(context, context.folder + "/dropped.jsonl.zst");
    publish_outputs(context, false);
    const auto& total = funnel["total"];
    summary_ = {{"version", 1}, {"status", "finished"}, {"exit_code", 0}, {"run", context.folder}, {"graph_hash", graph_hash},
                {"model", model_.empty() ? nlohmann::json() : nlohmann::json(context.folder + "/" + model_)}, {"steps", steps_},
                {"documents", {{"in", total["in"]["documents"]}, {"out", total["out"]["documents"]}}}, {"tokens", tokens_}, {"evaluations", evaluations_},
                {"stages", stages_}, {"dropped", total["dropped"]}, {"errors", total["errors"]}};
    io::write_file(context.folder + "/summary.json", summary_.dump(1) + "\n");
    end(folder, 0);
  }

  /// Puts what writers made where their `path` says: hard links where the file system allows them, since artifacts never change. With `only_missing` what
  /// is there stays as it is, and files whose artifact is not in the cache are returned.
  static std::vector<std::string> publish_outputs(const RunContext& context, bool only_missing) {
    std::vector<std::string> without_artifact;
    for (const auto& artifact : context.plan.artifacts) {
      if (artifact.type != "output") continue;
      const auto& node = context.graph.nodes[artifact.node];
      for (const auto& parameter : node.descriptor().parameters) {
        if (parameter.type != "output_path" || !node.parameters.contains(parameter.name)) continue;
        const fs::path target = fs::path(context.folder) / node.parameters[parameter.name].get<std::string>();
        if (!only_missing || context.store.has(artifact.key))
          publish(fs::path(context.store.folder(artifact.key)) / staged_name(parameter.name, target.string()), target, only_missing);
        else if (!fs::exists(target)) without_artifact.push_back(target.string());
      }
    }
    return without_artifact;
  }

  /// Puts a file, or each file of a folder, where it belongs.
  static void publish(const fs::path& source, const fs::path& target, bool only_missing) {
    if (fs::is_directory(source)) {
      for (const auto& entry : fs::directory_iterator(source)) publish(entry.path(), target / entry.path().filename(), only_missing);
      return;
    }
    if (only_missing && fs::exists(target)) return;
    fs::create_directories(target.parent_path());
    const std::string temporary = target.string() + ".tmp";
    std::error_code error;
    fs::remove(temporary, error);
    fs::create_hard_link(source, temporary, error);
    if (error) fs::copy_file(source, temporary);
    io::sync_path(temporary);
    fs::rename(temporary, target);
    fs::remove(temporary, error);  // still there if both names are links of one file already: rename(2) then does nothing
    io::sync_path(target.parent_path().string());
  }

  void end(RunFolder& folder, int exit_code) {
    const bool stopped = exit_code == kStoppedByUsr1 || exit_code == kInterrupted || exit_code == kTerminated;
    folder.manifest()["status"] = exit_code == 0 ? "finished" : stopped ? "stopped" : "failed";
    folder.manifest()["exit_code"] = exit_code;
    folder.manifest()["finished_time"] = utc_now();
    folder.save_manifest();
  }

  const RunOptions& options_;
  const graph::StopToken& stop_;
  Reporter& reporter_;
  const std::vector<std::string>& command_;
  CheckedGraph checked_;
  std::string toml_, model_;
  int threads_ = 1;
  std::int64_t steps_ = 0, tokens_ = 0;
  nlohmann::json stages_ = nlohmann::json::array(), evaluations_ = nlohmann::json::array(), summary_;
};

}  // namespace

CheckedGraph check_graph(const GraphOptions& options) {
  CheckedGraph checked;
  checked.spec = config::load_graph(options.graph, options.overrides, checked.diagnostics);
  if (options.limit) checked.spec.run.limit = *options.limit;
  checked.registry = std::make_unique<plugin::Registry>(plugin::search_folders(options.plugin_folders));
  checked.resolved = graph::resolve_graph(checked.spec, *checked.registry, checked.diagnostics);
  check_mixes(checked.resolved, checked.spec, checked.diagnostics);
  std::map<std::string, std::string> plugins;
  for (const auto& node : checked.spec.nodes) plugins.emplace(node.name, node.plugin);
  checked.diagnostics.fill_plugins(plugins);
  return checked;
}

void require_valid(const CheckedGraph& checked) {
  for (const auto& diagnostic : checked.diagnostics.sorted()) std::fputs(config::render(diagnostic, checked.spec.sources, false).c_str(), stderr);
  if (checked.diagnostics.has_errors()) throw ExitError(kInvalidGraph, Code::kInvalidArgument, fmt::format("{} is not a valid graph", checked.spec.file));
  if (checked.resolved.refusals.empty()) return;
  const auto& refusal = checked.resolved.refusals.front();
  throw Error(Code::kUnavailable, fmt::format("plugin '{}' of node '{}' is refused: {}", refusal.plugin, refusal.node, refusal.reason));
}

std::string resolved_toml(const CheckedGraph& checked) { return config::expanded_toml(checked.spec); }

nlohmann::json run_graph(const RunOptions& options, const graph::StopToken& stop, Reporter& reporter, const std::vector<std::string>& command) {
  return Runner(options, stop, reporter, command).run();
}

nlohmann::json plan_graph(const GraphOptions& options, Reporter& reporter) {
  CheckedGraph checked = check_graph(options);
  require_valid(checked);
  const Prepared prepared = prepare(checked.resolved, *checked.registry, artifacts_root(options.artifacts), nullptr);
  const graph::StopToken stop;
  const RunContext context{checked.resolved, prepared.plan, prepared.files, *checked.registry, *prepared.store, stop, reporter, absolute("."), 1};
  check_nodes(context);
  nlohmann::json root{{"version", 1}, {"graph_hash", prepared.identity.graph_hash}, {"stages", nlohmann::json::array()}, {"spools", nlohmann::json::array()},
                      {"mixes", nullptr}, {"model", nullptr}, {"memory_bytes", nullptr}, {"disk_bytes", nullptr}, {"seconds_estimate", nullptr}};
  std::int64_t training_tokens = 0;
  for (std::size_t s = 0; s < prepared.plan.stages.size(); ++s) {
    const Stage& stage = prepared.plan.stages[s];
    nlohmann::json object{{"index", s}, {"kind", stage.training ? "train" : "data"}, {"nodes", nlohmann::json::array()}, {"artifacts", nlohmann::json::array()}};
    for (const std::size_t i : stage.nodes) object["nodes"].push_back(checked.resolved.nodes[i].name);
    bool cached = !stage.training;
    for (const std::size_t a : stage.artifacts) {
      const auto& artifact = prepared.plan.artifacts[a];
      const bool have = prepared.store->has(artifact.key);
      cached = cached && have;
      object["artifacts"].push_back({{"node", checked.resolved.nodes[artifact.node].name}, {"type", artifact.type}, {"key", artifact.key}, {"cached", have},
                                     {"bytes", have ? nlohmann::json(prepared.store->bytes(artifact.key)) : nlohmann::json()}});
      if (artifact.kind == ArtifactKind::kSpool) root["spools"].push_back({{"node", checked.resolved.nodes[artifact.node].name}, {"reason", artifact.reason}});
    }
    object["cached"] = cached;
    root["stages"].push_back(std::move(object));
    if (!stage.training || !root["model"].is_null()) continue;
    const TrainEstimate estimate = estimate_train_stage(context, s);
    const auto parameters = estimate.model.parameters;
    training_tokens = estimate.tokens;
    const auto tokens = static_cast<double>(estimate.tokens), unique_tokens = static_cast<double>(estimate.unique_tokens);
    const auto known = [](bool is_known, auto value) { return is_known ? nlohmann::json(value) : nlohmann::json(); };
    root["model"] = {{"parameters", known(parameters > 0, parameters)},
                     {"parameters_matmul", known(parameters > 0, estimate.model.parameters_matmul)},
                     {"tokens", known(estimate.tokens > 0, estimate.tokens)},
                     {"tokens_per_parameter", known(parameters > 0 && estimate.tokens > 0, tokens / static_cast<double>(parameters))},
                     {"chinchilla_tokens", known(parameters > 0, scaling::kTokensPerParameter * parameters)},
                     {"unique_tokens", known(estimate.unique_tokens > 0, estimate.unique_tokens)},
                     {"epochs", known(estimate.unique_tokens > 0 && estimate.tokens > 0, tokens / unique_tokens)},
                     {"effective_tokens", known(estimate.unique_tokens > 0 && estimate.tokens > 0, std::llround(scaling::effective_tokens(tokens, unique_tokens)))}};
  }
  root["mixes"] = describe_mixes(context, training_tokens);
  return root;
}

}  // namespace flowrun::run
