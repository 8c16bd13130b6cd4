#include "run/run_folder.hpp"

#include <unistd.h>

#include <filesystem>

#include <fmt/format.h>

#include "base/durable.hpp"
#include "run/exit_codes.hpp"

namespace flowrun::run {
namespace {

namespace fs = std::filesystem;

std::string host_name() {
  char name[256] = "?";
  ::gethostname(name, sizeof name - 1);
  return name;
}

/// Returns the manifest of the run in a folder; discarded JSON where it cannot be read.
nlohmann::json read_manifest(const std::string& path) { return nlohmann::json::parse(io::read_file(path + "/manifest.json"), nullptr, false); }

bool is_readable(const nlohmann::json& manifest) { return manifest.is_object() && manifest.value("graph_hash", "").size() == 64; }

bool is_of(const nlohmann::json& manifest, const RunFolder::Identity& identity) {
  return is_readable(manifest) && manifest["graph_hash"] == identity.graph_hash && manifest.value("inputs", nlohmann::json()) == identity.inputs &&
         manifest.value("plugins", nlohmann::json()) == identity.plugins;
}

bool has_finished(const nlohmann::json& manifest) { return manifest.value("status", "") == "finished"; }

}  // namespace

std::string display_path(const std::string& path) {
  std::error_code error;
  const std::string here = fs::current_path(error).string() + "/";
  return !error && path.starts_with(here) ? path.substr(here.size()) : path;
}

void RunFolder::take_lock() {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) throw ExitError(kCannotCreate, Code::kIo, fmt::format("cannot create '{}': {}", path_, error.message()));
  const std::string path = path_ + "/run.lock";
  try {
    lock_ = FileLock::try_take(path);
  } catch (const Error& failure) {
    throw ExitError(kCannotCreate, Code::kIo, failure.message());
  }
  if (!lock_) {
    std::string holder = io::read_file(path);
    while (!holder.empty() && holder.back() == '\n') holder.pop_back();
    throw ExitError(kCannotCreate, Code::kUnavailable, fmt::format("'{}' is used by another run ({}); wait for it, or give another --output", path_, holder));
  }
  lock_->write(fmt::format("pid {} on {}\n", ::getpid(), host_name()));
}

std::string RunFolder::set_aside(const std::string& hash) {
  const std::string base = fmt::format("{}-{}", path_, hash.substr(0, 8));
  std::string target = base;
  for (int i = 2; fs::exists(target); ++i) target = fmt::format("{}-{}", base, i);
  std::error_code error;
  fs::rename(path_, target, error);
  if (error) throw ExitError(kCannotCreate, Code::kIo, fmt::format("cannot rename '{}' to '{}': {}", path_, target, error.message()));
  return target;
}

bool RunFolder::is_finished(const std::string& path, const Identity& identity) {
  if (!fs::exists(path + "/manifest.json")) return false;
  const nlohmann::json manifest = read_manifest(path);
  return is_of(manifest, identity) && has_finished(manifest);
}

RunFolder::RunFolder(const std::string& path, const Identity& identity, bool fresh, Reporter& reporter) : path_(fs::absolute(path).lexically_normal().string()) {
  while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
  if (fs::exists(path_) && !fs::is_directory(path_)) throw ExitError(kCannotCreate, Code::kIo, fmt::format("'{}' is not a folder", path_));
  const bool foreign = fs::exists(path_) && !fs::is_empty(path_) && !fs::exists(path_ + "/run.lock") && !fs::exists(path_ + "/manifest.json");
  if (foreign) throw ExitError(kCannotCreate, Code::kInvalidArgument, fmt::format("'{}' is not empty and no run's folder; give another --output", path_));
  take_lock();
  if (fs::exists(path_ + "/manifest.json")) {
    manifest_ = read_manifest(path_);
    if (is_of(manifest_, identity) && !fresh) {
      state_ = has_finished(manifest_) ? FolderState::kFinished : FolderState::kUnfinished;
      return;
    }
    const std::string target = set_aside(is_readable(manifest_) ? manifest_["graph_hash"].get<std::string>() : "damaged");
    reporter.warning(fmt::format("the earlier run in '{}' {}; it is now '{}'", display_path(path_), fresh ? "is set aside (--fresh)" : "was of another graph, input or plugin", display_path(target)));
    lock_.reset();
    take_lock();
  }
  manifest_ = nlohmann::json::object();
}

void RunFolder::save_manifest() { io::write_file(path_ + "/manifest.json", manifest_.dump(1) + "\n"); }

}  // namespace flowrun::run
