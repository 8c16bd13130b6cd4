#include "run/artifact_use.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <sstream>

#include <fmt/format.h>

#include "base/durable.hpp"

namespace flowrun::run {
namespace {

namespace fs = std::filesystem;

/// Held while uses are noted, and while it is chosen what to remove: never both at once.
std::unique_ptr<FileLock> lock_choice(const ArtifactStore& store, const graph::StageControl& control) { return store.lock("choice", control); }

std::string uses_folder(const ArtifactStore& store) { return store.root() + "/uses"; }

/// Returns the keys that running processes have noted; forgets those of processes that are gone.
std::set<std::string> used_keys(const ArtifactStore& store) {
  std::set<std::string> keys;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(uses_folder(store), error)) {
    if (FileLock::try_take(entry.path())) {
      fs::remove(entry.path(), error);
      continue;
    }
    std::istringstream lines(io::read_file(entry.path()));
    for (std::string key; std::getline(lines, key);) keys.insert(key);
  }
  return keys;
}

std::chrono::system_clock::time_point time_of(const std::string& path) {
  struct stat status {};
  return std::chrono::system_clock::from_time_t(::stat(path.c_str(), &status) == 0 ? status.st_mtime : 0);
}

std::int64_t folder_bytes(const std::string& folder) {
  std::int64_t bytes = 0;
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(folder, error); entry != fs::end(entry); entry.increment(error))
    if (entry->is_regular_file(error)) bytes += static_cast<std::int64_t>(entry->file_size(error));
  return bytes;
}

/// Returns whether no other process builds the artifact now.
bool is_built_by_nobody(const ArtifactStore& store, const std::string& key) {
  const std::string path = fmt::format("{}/locks/{}", store.root(), key);
  return !fs::exists(path) || FileLock::try_take(path) != nullptr;
}

StoredArtifact read_artifact(const ArtifactStore& store, const fs::path& folder) {
  StoredArtifact artifact;
  artifact.key = folder.filename();
  artifact.folder = folder;
  artifact.used = time_of(folder / "manifest.json");
  try {
    const auto manifest = store.manifest(artifact.key);
    artifact.type = manifest.at("type").get<std::string>();
    artifact.plugin = manifest.value("plugin", "");
    artifact.created_time = manifest.value("created_time", "");
    artifact.documents = manifest.at("stream").at("documents").get<std::int64_t>();
    artifact.bytes = store.bytes(artifact.key);
  } catch (const std::exception&) {  // whatever is wrong with it, it can still be removed
    artifact.type = "damaged";
    artifact.bytes = folder_bytes(folder);
  }
  return artifact;
}

/// Returns the folders below `folder` that are named by a key.
std::vector<fs::path> key_folders(const fs::path& folder) {
  constexpr std::size_t kKeyDigits = 64;
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename();
    if (entry.is_directory(error) && name.size() == kKeyDigits && name.find_first_not_of("0123456789abcdef") == std::string::npos) found.push_back(entry.path());
  }
  return found;
}

bool is_kept(const StoredArtifact& artifact, const KeepRule& rule, std::chrono::system_clock::time_point now, std::int64_t bytes_so_far) {
  if (artifact.in_use) return true;
  if (rule.age) return now - artifact.used < *rule.age;
  return artifact.type != "unfinished" && artifact.type != "damaged" && bytes_so_far + artifact.bytes <= rule.bytes.value_or(0);
}

}  // namespace

ArtifactUse::ArtifactUse(const ArtifactStore& store, std::vector<std::string> keys, const graph::StageControl& control) : store_(store), keys_(std::move(keys)) {
  const auto choice = lock_choice(store, control);
  fs::create_directories(uses_folder(store));
  std::string name = uses_folder(store) + "/XXXXXX";
  const int descriptor = ::mkstemp(name.data());
  if (descriptor < 0) throw Error(Code::kIo, fmt::format("cannot create a file in '{}': {}", uses_folder(store), std::strerror(errno)));
  ::close(descriptor);
  path_ = name;
  lock_ = FileLock::try_take(path_);
  std::string text;
  for (const auto& key : keys_) text += key + "\n";
  lock_->write(text);
  mark();
}

ArtifactUse::~ArtifactUse() {
  mark();
  std::error_code error;
  fs::remove(path_, error);
}

void ArtifactUse::mark() const noexcept {
  // In a cache of another user the time stays as it is.
  for (const auto& key : keys_) ::utimensat(AT_FDCWD, (store_.folder(key) + "/manifest.json").c_str(), nullptr, 0);
}

std::vector<StoredArtifact> list_artifacts(const ArtifactStore& store) {
  std::vector<StoredArtifact> list;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(store.root(), error))
    if (entry.path().filename().string().size() == 2)
      for (const auto& folder : key_folders(entry.path())) list.push_back(read_artifact(store, folder));
  for (const auto& folder : key_folders(store.root() + "/staging")) {
    StoredArtifact rest;
    rest.key = folder.filename();
    rest.folder = folder;
    rest.type = "unfinished";
    rest.bytes = folder_bytes(folder);
    rest.used = time_of(folder);
    list.push_back(std::move(rest));
  }
  const auto used = used_keys(store);
  for (auto& artifact : list) artifact.in_use = used.contains(artifact.key) || !is_built_by_nobody(store, artifact.key);
  std::sort(list.begin(), list.end(), [](const StoredArtifact& a, const StoredArtifact& b) { return a.used != b.used ? a.used > b.used : a.key < b.key; });
  return list;
}

Pruned prune_artifacts(const ArtifactStore& store, const KeepRule& rule, bool dry_run, const graph::StageControl& control) {
  Pruned pruned;
  const auto now = std::chrono::system_clock::now();
  const std::string rubbish = store.root() + "/staging/removed";
  {
    const auto choice = lock_choice(store, control);
    std::int64_t kept_bytes = 0;
    for (auto& artifact : list_artifacts(store)) {
      const bool kept = is_kept(artifact, rule, now, kept_bytes);
      if (kept) kept_bytes += artifact.bytes;
      (kept ? pruned.kept : pruned.removed).push_back(std::move(artifact));
    }
    if (dry_run) return pruned;
    // Renamed first, so that no other process finds half an artifact, and waits no longer than that.
    fs::create_directories(rubbish);
    for (const auto& artifact : pruned.removed) fs::rename(artifact.folder, fmt::format("{}/{}-{}", rubbish, artifact.type, artifact.key));
  }
  fs::remove_all(rubbish);
  return pruned;
}

}  // namespace flowrun::run
