#include "run/run_folder.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "base/durable.hpp"
#include "run/buffered_writer.hpp"
#include "run/exit_codes.hpp"

namespace flowrun::run {
namespace {

namespace fs = std::filesystem;

std::string host_name() {
  char name[256] = "?";
  ::gethostname(name, sizeof name - 1);
  return name;
}

using Inputs = std::vector<InputDigests::Input>;

/// The manifest of the run in a folder without its inputs; discarded JSON where it cannot be read.
struct StoredManifest {
  nlohmann::json manifest;
  bool same_inputs = false;
};

/// Reads a manifest and compares its inputs with `inputs` one by one, so that it never holds them all.
StoredManifest read_manifest(const std::string& path, const Inputs& inputs) {
  std::ifstream file(path + "/manifest.json");
  if (!file) throw Error(Code::kIo, fmt::format("cannot read '{}/manifest.json'", path));
  using Event = nlohmann::json::parse_event_t;
  std::string key;  // of the manifest itself
  std::size_t count = 0;
  bool same = true;
  const auto keep = [&](int depth, Event event, nlohmann::json& parsed) {
    if (event == Event::key && depth == 1) key = parsed.get<std::string>();
    if (event != Event::object_end || depth != 2 || key != "inputs") return true;
    same = same && count < inputs.size() && parsed == inputs[count].to_json();
    ++count;
    return false;
  };
  StoredManifest stored;
  stored.manifest = nlohmann::json::parse(file, keep, false);
  stored.same_inputs = same && count == inputs.size();
  return stored;
}

bool is_readable(const nlohmann::json& manifest) { return manifest.is_object() && manifest.value("graph_hash", "").size() == 64; }

bool is_of(const StoredManifest& stored, const RunFolder::Identity& identity) {
  return is_readable(stored.manifest) && stored.same_inputs && stored.manifest["graph_hash"] == identity.graph_hash &&
         stored.manifest.value("plugins", nlohmann::json()) == identity.plugins;
}

/// Returns a JSON text as it stands within a list of the manifest: each line two blanks further.
std::string indented(const std::string& text) {
  std::string moved;
  for (const char c : text) {
    moved += c;
    if (c == '\n') moved += "  ";
  }
  return moved;
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
  const StoredManifest stored = read_manifest(path, *identity.inputs);
  return is_of(stored, identity) && has_finished(stored.manifest);
}

RunFolder::RunFolder(const std::string& path, const Identity& identity, bool fresh, Reporter& reporter)
    : path_(fs::absolute(path).lexically_normal().string()), inputs_(identity.inputs) {
  while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
  if (fs::exists(path_) && !fs::is_directory(path_)) throw ExitError(kCannotCreate, Code::kIo, fmt::format("'{}' is not a folder", path_));
  const bool foreign = fs::exists(path_) && !fs::is_empty(path_) && !fs::exists(path_ + "/run.lock") && !fs::exists(path_ + "/manifest.json");
  if (foreign) throw ExitError(kCannotCreate, Code::kInvalidArgument, fmt::format("'{}' is not empty and no run's folder; give another --output", path_));
  take_lock();
  if (fs::exists(path_ + "/manifest.json")) {
    const StoredManifest stored = read_manifest(path_, *inputs_);
    manifest_ = stored.manifest;
    if (is_of(stored, identity) && !fresh) {
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

void RunFolder::save_manifest() {
  manifest_["inputs"] = nlohmann::json::array();
  const std::string text = manifest_.dump(1) + "\n";
  // A line break stands for itself nowhere within a JSON string, so this is the manifest's own key.
  constexpr std::string_view kEmpty = "\n \"inputs\": [";
  const std::size_t place = text.find(kEmpty) + kEmpty.size();
  io::StagedFile file(path_ + "/manifest.json");
  BufferedWriter writer(file);
  writer.write(std::string_view(text).substr(0, place));
  for (const auto& input : *inputs_) {
    if (&input != &inputs_->front()) writer.write(",");
    writer.write(indented("\n" + input.to_json().dump(1)));
  }
  if (!inputs_->empty()) writer.write("\n ");
  writer.write(std::string_view(text).substr(place));
  writer.flush();
  file.commit();
}

}  // namespace flowrun::run
