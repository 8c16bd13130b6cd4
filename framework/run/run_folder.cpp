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

RunFolder::RunFolder(const std::string& path, const Identity& identity, bool fresh, Reporter& reporter) : path_(fs::absolute(path).lexically_normal().string()) {
  while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
  if (fs::exists(path_) && !fs::is_directory(path_)) throw ExitError(kCannotCreate, Code::kIo, fmt::format("'{}' is not a folder", path_));
  const bool foreign = fs::exists(path_) && !fs::is_empty(path_) && !fs::exists(path_ + "/run.lock") && !fs::exists(path_ + "/manifest.json");
  if (foreign) throw ExitError(kCannotCreate, Code::kInvalidArgument, fmt::format("'{}' is not empty and no run's folder; give another --output", path_));
  take_lock();
  if (fs::exists(path_ + "/manifest.json")) {
    manifest_ = nlohmann::json::parse(io::read_file(path_ + "/manifest.json"), nullptr, false);
    const bool readable = manifest_.is_object() && manifest_.value("graph_hash", "").size() == 64;
    const bool same = readable && manifest_["graph_hash"] == identity.graph_hash && manifest_.value("inputs", nlohmann::json()) == identity.inputs &&
                      manifest_.value("plugins", nlohmann::json()) == identity.plugins;
    if (same && !fresh) {
      state_ = manifest_.value("status", "") == "finished" ? FolderState::kFinished : FolderState::kUnfinished;
      return;
    }
    const std::string target = set_aside(readable ? manifest_["graph_hash"].get<std::string>() : "damaged");
    reporter.warning(fmt::format("the earlier run in '{}' {}; it is now '{}'", display_path(path_), fresh ? "is set aside (--fresh)" : "was of another graph, input or plugin", display_path(target)));
    lock_.reset();
    take_lock();
  }
  manifest_ = nlohmann::json::object();
}

void RunFolder::save_manifest() { io::write_file(path_ + "/manifest.json", manifest_.dump(1) + "\n"); }

}  // namespace flowrun::run
