#pragma once

// The cache of artifacts, shared by all runs: `<2 hex>/<key>/` with `manifest.json`, committed by rename, locked per key.

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "graph/stage_control.hpp"

namespace flowrun::run {

/// Holds flock on a file; released by the destructor.
class FileLock {
 public:
  /// Takes the lock, or returns null if another process holds it. Throws Error(kIo).
  static std::unique_ptr<FileLock> try_take(const std::string& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  /// Replaces the file's content.
  void write(const std::string& text);

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

/// Returns the absolute folder of the cache: `option`, else FLOWRUN_ARTIFACTS, else runs/.artifacts.
std::string artifacts_root(const std::string& option);

class ArtifactStore {
 public:
  /// Nothing is created before it is needed.
  explicit ArtifactStore(std::string root);
  const std::string& root() const noexcept { return root_; }
  /// Returns the folder of an artifact, whether it exists or not.
  std::string folder(const std::string& key) const;
  /// Returns whether it is there with every file in its full size; one that is not is made again.
  bool has(const std::string& key) const;
  /// Returns a committed artifact's manifest. Throws Error(kCorruptData) naming the folder.
  nlohmann::json manifest(const std::string& key) const;
  /// Returns the bytes that an artifact takes, from its manifest.
  std::int64_t bytes(const std::string& key) const;
  /// Takes the lock of that name (an artifact's is its key), waiting for another process that holds it. Throws Error(kCancelled) when the stage is stopping.
  std::unique_ptr<FileLock> lock(const std::string& name, const graph::StageControl& control) const;
  /// Makes an empty folder beside, in which an artifact is built; what an earlier try left is removed. The key must be locked.
  std::string make_staging(const std::string& key) const;
  /// Adds every file's size and SHA-256 to `manifest`, writes it, and renames the staging folder into place.
  void commit(const std::string& key, const std::string& staging, nlohmann::json manifest) const;

 private:
  std::string root_;
};

/// Returns {name: {"bytes", "sha256"}} for all files below a folder, but for `manifest.json`.
nlohmann::json describe_files(const std::string& folder);

}  // namespace flowrun::run
