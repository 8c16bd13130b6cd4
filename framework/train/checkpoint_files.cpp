#include "train/checkpoint_files.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <flowrun/error.hpp>

#include "base/durable.hpp"
#include "base/sha256.hpp"
#include "train/safetensors.hpp"

namespace flowrun::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kManifest = "manifest.json";
constexpr std::string_view kStepPrefix = "step-";

/// Runs a call of std::filesystem that reports by error code.
template <class Function>
auto checked(const char* what, const fs::path& path, Function&& function) {
  std::error_code error;
  if constexpr (std::is_void_v<decltype(function(error))>) {
    function(error);
    if (error) throw Error(Code::kIo, fmt::format("cannot {} '{}': {}", what, path.string(), error.message()));
  } else {
    auto result = function(error);
    if (error) throw Error(Code::kIo, fmt::format("cannot {} '{}': {}", what, path.string(), error.message()));
    return result;
  }
}

void remove_folder(const fs::path& folder) {
  checked("remove", folder, [&](std::error_code& error) { return fs::remove_all(folder, error); });
}

std::vector<std::string> file_names(const std::string& folder) {
  std::vector<std::string> names;
  const auto entries = checked("list", folder, [&](std::error_code& error) { return fs::directory_iterator(folder, error); });
  for (const fs::directory_entry& entry : entries)
    if (entry.is_regular_file()) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// Checks one line of the manifest; returns what is wrong, or nothing.
std::optional<std::string> check_file(const std::string& folder, const std::string& name, const Json& entry, CheckpointReport& report) {
  // A name with a slash would let a manifest point outside its folder.
  if (name.empty() || name.find('/') != std::string::npos) return "manifest.json lists '" + name + "', which is not a file name";
  if (!entry.is_object() || !entry.contains("bytes") || !entry["bytes"].is_number_unsigned() || !entry.contains("sha256") || !entry["sha256"].is_string())
    return "manifest.json: '" + name + "' must have bytes and sha256";
  const std::string path = folder + "/" + name;
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  if (error) return "'" + name + "' is missing";
  ++report.files;
  report.bytes += static_cast<std::int64_t>(bytes);
  if (bytes != entry["bytes"].get<std::uint64_t>()) return fmt::format("'{}' has {} bytes, expected {}", name, bytes, entry["bytes"].get<std::uint64_t>());
  if (const std::string digest = sha256_file(path); digest != entry["sha256"].get<std::string>())
    return fmt::format("'{}' has sha256 {}, expected {}", name, digest, entry["sha256"].get<std::string>());
  if (name.ends_with(".safetensors")) safetensors::File{path};
  return std::nullopt;
}

template <class T>
T field(const Json& json, const char* key, const std::string& file) {
  try {
    return json.at(key).get<T>();
  } catch (const Json::exception&) {
    throw Error(Code::kCorruptData, fmt::format("'{}': key '{}' is missing or of another type", file, key));
  }
}

bool belongs_to_model(const std::string& name) { return name != "optimizer.safetensors" && name != "state.json" && name != kManifest; }

/// Says whether `model_folder` is whole and holds the same files as the checkpoint.
bool already_published(const std::string& checkpoint_folder, const std::string& model_folder) {
  std::error_code error;
  if (!fs::exists(model_folder + "/" + kManifest, error) || !verify_checkpoint(model_folder).problems.empty()) return false;
  const Json published = Json::parse(io::read_file(model_folder + "/" + kManifest)).at("files");
  const Json saved = Json::parse(io::read_file(checkpoint_folder + "/" + kManifest)).at("files");
  std::size_t expected = 0;
  for (const auto& [name, entry] : saved.items()) {
    if (!belongs_to_model(name)) continue;
    ++expected;
    if (!published.contains(name) || published[name] != entry) return false;
  }
  return published.size() == expected;
}

}  // namespace

std::string CheckpointState::to_json() const {
  Json json = {{"step", step},       {"tokens", tokens},         {"position", position},                   {"seed", seed}, {"graph_hash", graph_hash},
               {"threads", threads}, {"world_size", world_size}, {"schedule", Json::parse(schedule)}, {"exact", exact}};
  return json.dump(2) + "\n";
}

CheckpointState CheckpointState::from_json(const std::string& text, const std::string& file) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) throw Error(Code::kCorruptData, "'" + file + "' is not a JSON object");
  CheckpointState state;
  state.step = field<std::int64_t>(json, "step", file);
  state.tokens = field<std::int64_t>(json, "tokens", file);
  state.position = field<std::int64_t>(json, "position", file);
  state.seed = field<std::uint64_t>(json, "seed", file);
  state.graph_hash = field<std::string>(json, "graph_hash", file);
  state.threads = field<int>(json, "threads", file);
  state.world_size = field<int>(json, "world_size", file);
  state.schedule = json.contains("schedule") ? json["schedule"].dump() : "null";
  state.exact = field<bool>(json, "exact", file);
  return state;
}

CheckpointReport verify_checkpoint(const std::string& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) throw Error(Code::kNotFound, "there is no folder '" + folder + "'");
  CheckpointReport report;
  const std::string manifest = folder + "/" + kManifest;
  if (!fs::exists(manifest, error)) {
    report.problems.push_back("'manifest.json' is missing");
    return report;
  }
  const Json json = Json::parse(io::read_file(manifest), nullptr, false);
  if (!json.is_object() || !json.contains("files") || !json["files"].is_object()) {
    report.problems.push_back("'manifest.json' is not a manifest: expected {\"files\": {...}}");
    return report;
  }
  for (const auto& [name, entry] : json["files"].items()) {
    try {
      if (auto problem = check_file(folder, name, entry, report)) report.problems.push_back(std::move(*problem));
    } catch (const Error& failure) {
      report.problems.push_back(failure.message());
    }
  }
  if (report.files == 0 && report.problems.empty()) report.problems.push_back("'manifest.json' lists no files");
  return report;
}

void write_checkpoint_manifest(const std::string& folder) {
  Json files = Json::object();
  for (const std::string& name : file_names(folder)) {
    if (name == kManifest) continue;
    const std::string path = folder + "/" + name;
    const std::uint64_t bytes = checked("read", path, [&](std::error_code& error) { return fs::file_size(path, error); });
    files[name] = {{"bytes", bytes}, {"sha256", sha256_file(path)}};
  }
  io::write_file(folder + "/" + kManifest, Json{{"files", files}}.dump(2) + "\n");
}

std::string checkpoint_name(std::int64_t step) { return fmt::format("{}{:08}", kStepPrefix, step); }

std::vector<std::int64_t> list_checkpoints(const std::string& folder) {
  std::vector<std::int64_t> steps;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kStepPrefix) || !entry.is_directory()) continue;
    std::int64_t step = 0;
    const char* end = name.data() + name.size();
    const auto [stop, failure] = std::from_chars(name.data() + kStepPrefix.size(), end, step);
    if (failure == std::errc{} && stop == end && checkpoint_name(step) == name) steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

std::optional<std::int64_t> find_checkpoint(const std::string& folder, std::vector<std::string>& warnings) {
  std::vector<std::int64_t> steps = list_checkpoints(folder);
  // A kill between a checkpoint's commit and the move of `latest` leaves a newer one than `latest` names: it is whole, and is used.
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    const std::string path = folder + "/" + checkpoint_name(*step);
    const CheckpointReport report = verify_checkpoint(path);
    if (report.problems.empty()) return *step;
    warnings.push_back("checkpoint '" + path + "' is damaged and not used: " + report.problems.front());
  }
  return std::nullopt;
}

std::string commit_checkpoint(const std::string& staged, const std::string& folder, std::int64_t step, std::int64_t keep) {
  const std::string name = checkpoint_name(step), target = folder + "/" + name;
  std::error_code error;
  if (fs::exists(target, error)) remove_folder(target);  // a damaged one, else the run would have gone on from it
  io::commit_folder(staged, target);
  io::replace_symlink(name, folder + "/latest");
  if (const CheckpointReport report = verify_checkpoint(target); !report.problems.empty())
    throw Error(Code::kIo, "the checkpoint '" + target + "' does not read back as it was written: " + report.problems.front());
  std::vector<std::int64_t> steps = list_checkpoints(folder);
  std::erase_if(steps, [&](std::int64_t other) { return other >= step; });
  const auto kept_before = static_cast<std::size_t>(std::max<std::int64_t>(keep, 1) - 1);
  for (std::size_t i = 0; i + kept_before < steps.size(); ++i) remove_folder(folder + "/" + checkpoint_name(steps[i]));
  return target;
}

void publish_model(const std::string& checkpoint_folder, const std::string& model_folder) {
  if (already_published(checkpoint_folder, model_folder)) return;
  const std::string staged = model_folder + ".tmp", old = model_folder + ".old";
  remove_folder(staged);
  remove_folder(old);
  checked("create", staged, [&](std::error_code& error) { return fs::create_directories(staged, error); });
  for (const std::string& name : file_names(checkpoint_folder)) {
    if (!belongs_to_model(name)) continue;
    checked("copy", staged + "/" + name, [&](std::error_code& error) { return fs::copy_file(checkpoint_folder + "/" + name, staged + "/" + name, error); });
  }
  write_checkpoint_manifest(staged);
  std::error_code error;
  if (fs::exists(model_folder, error)) checked("rename", model_folder, [&](std::error_code& failure) { fs::rename(model_folder, old, failure); });
  io::commit_folder(staged, model_folder);
  remove_folder(old);
}

}  // namespace flowrun::train
