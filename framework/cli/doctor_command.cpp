#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <oneapi/tbb/version.h>

#include "cli/commands.hpp"
#include "plugin/registry.hpp"
#include "run/artifact_store.hpp"
#include "run/exit_codes.hpp"
#include "run/machine.hpp"
#include "run/native_library.hpp"

namespace flowrun::cli {
namespace {

/// Less than this on a disk is reported: one part of a data stage and a checkpoint of a small model.
constexpr std::int64_t kFreeBytesMin = std::int64_t{2} << 30;

/// Collects what is found, and what of it is in the way of a run.
class Examination {
 public:
  explicit Examination(const std::vector<std::string>& plugin_folders) {
    examine_machine();
    examine_libraries();
    examine_plugins(plugin_folders);
    found_["problems"] = problems_;
    found_["ok"] = problems_.empty();
  }
  const nlohmann::json& found() const noexcept { return found_; }

 private:
  void examine_machine() {
    const auto memory = run::memory();
    found_["version"] = 1;
    found_["flowrun"] = FLOWRUN_VERSION;
    found_["cpu"] = {{"model", run::cpu_model()}, {"features", run::cpu_features()}};
    found_["threads"] = run::usable_threads();
    found_["memory"] = {{"total_bytes", memory.total_bytes}, {"available_bytes", memory.available_bytes}, {"limit_bytes", memory.limit_bytes ? nlohmann::json(*memory.limit_bytes) : nlohmann::json()}};
    found_["disks"] = nlohmann::json::array();
    examine_disk("runs", "runs");
    examine_disk("artifacts", run::artifacts_root(""));
  }

  void examine_disk(const char* use, const std::string& path) {
    try {
      const auto disk = run::disk_of(path);
      found_["disks"].push_back({{"use", use}, {"folder", disk.folder}, {"total_bytes", disk.total_bytes}, {"free_bytes", disk.free_bytes}});
      if (disk.free_bytes < kFreeBytesMin) problems_.push_back(fmt::format("{} bytes are free for {} in '{}', expected at least {}", disk.free_bytes, use, disk.folder, kFreeBytesMin));
    } catch (const Error& error) {
      problems_.push_back(error.message());
    }
  }

  /// LibTorch is loaded: whether it can be is what people want to know. That it was not built is no problem by itself.
  void examine_libraries() {
    found_["libraries"] = {{"onetbb", TBB_runtime_version()}, {"libtorch", nullptr}};
    found_["native"] = {{"built", run::native_library_is_built()}, {"loads", false}, {"cuda", nullptr}};
    if (!run::native_library_is_built()) return;
    try {
      const auto fingerprint = nlohmann::json::parse(run::native_runtime().fingerprint());
      found_["native"] = {{"built", true}, {"loads", true}, {"cuda", fingerprint.value("cuda", nlohmann::json())}};
      found_["libraries"]["libtorch"] = fingerprint.value("libtorch_version", nlohmann::json());
    } catch (const std::exception& error) {
      problems_.push_back(error.what());
    }
  }

  void examine_plugins(const std::vector<std::string>& command_line) {
    found_["plugin_folders"] = nlohmann::json::array();
    std::size_t usable = 0;
    try {
      const auto folders = plugin::search_folders(command_line);
      for (const auto& folder : folders) usable += examine_folder(folder.path);
      if (folders.size() < 2) {
        if (usable == 0) problems_.push_back("no plugin was found; install them beside the program, or name their folder with --plugins or FLOWRUN_PLUGIN_PATH");
        return;
      }
      // Twice in one folder nothing can be, but in two.
      plugin::Registry all(folders);
      for (const auto* file : all.list())
        if (file->file.empty()) problems_.push_back(file->reason);
    } catch (const Error& error) {
      problems_.push_back(error.message());
    }
  }

  std::size_t examine_folder(const std::string& folder) {
    nlohmann::json refused = nlohmann::json::array();
    std::size_t usable = 0;
    try {
      plugin::Registry registry({{folder, false}});
      for (const auto* file : registry.list()) {
        if (!file->refused) {
          ++usable;
          continue;
        }
        refused.push_back({{"id", file->id}, {"reason", file->reason}});
        problems_.push_back(fmt::format("plugin '{}' is refused: {}", file->id, file->reason));
      }
    } catch (const Error& error) {
      problems_.push_back(error.message());
    }
    found_["plugin_folders"].push_back({{"folder", folder}, {"plugins", usable}, {"refused", std::move(refused)}});
    return usable;
  }

  nlohmann::json found_;
  std::vector<std::string> problems_;
};

std::string gibibytes(const nlohmann::json& bytes) { return fmt::format("{:.1f} GiB", static_cast<double>(bytes.get<std::int64_t>()) / (1 << 30)); }

std::string report(const nlohmann::json& found) {
  const auto& memory = found["memory"];
  std::string text = fmt::format("flowrun    {}\ncpu        {}, {} threads\n           {}\n", found["flowrun"].get<std::string>(), found["cpu"]["model"].get<std::string>(), found["threads"].get<int>(),
                                 fmt::join(found["cpu"]["features"].get<std::vector<std::string>>(), " "));
  text += fmt::format("memory     {} of {} available{}\n", gibibytes(memory["available_bytes"]), gibibytes(memory["total_bytes"]),
                      memory["limit_bytes"].is_null() ? "" : fmt::format(", limited to {}", gibibytes(memory["limit_bytes"])));
  for (const auto& disk : found["disks"])
    text += fmt::format("disk       {} of {} free for {} in '{}'\n", gibibytes(disk["free_bytes"]), gibibytes(disk["total_bytes"]), disk["use"].get<std::string>(), disk["folder"].get<std::string>());
  const auto& native = found["native"];
  text += fmt::format("oneTBB     {}\nLibTorch   {}\n", found["libraries"]["onetbb"].get<std::string>(),
                      !native["built"].get<bool>()   ? "not built: graphs can prepare data, not train"
                      : !native["loads"].get<bool>() ? "cannot be loaded"
                                                     : fmt::format("{} (CPU; CUDA and NCCL: not built)", found["libraries"]["libtorch"].get<std::string>()));
  for (const auto& folder : found["plugin_folders"])
    text += fmt::format("plugins    {} in '{}'{}\n", folder["plugins"].get<std::size_t>(), folder["folder"].get<std::string>(),
                        folder["refused"].empty() ? "" : fmt::format(", {} refused", folder["refused"].size()));
  for (const auto& problem : found["problems"]) text += fmt::format("problem    {}\n", problem.get<std::string>());
  return text + (found["problems"].empty() ? "no problem found\n" : "");
}

}  // namespace

void add_doctor(CLI::App& app, Invocation& invocation) {
  auto folders = std::make_shared<std::vector<std::string>>();
  auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("doctor", "Look at the machine: CPU, memory, disks, libraries, plugins; exits 1 if something is in the way");
  add_plugin_folders(*command, *folders);
  command->add_flag("--json", *json, "Print it as JSON");
  command->callback([folders, json, &invocation] {
    const Examination examination(*folders);
    print(*json ? examination.found().dump(1) + "\n" : report(examination.found()));
    invocation.result = examination.found()["ok"].get<bool>() ? run::kOk : run::kCheckFailed;
  });
}

}  // namespace flowrun::cli
