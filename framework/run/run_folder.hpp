#pragma once

// A run's folder: which graph it belongs to, its lock, its manifest, and what happens when another graph asks for it.

#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "run/artifact_store.hpp"
#include "run/input_files.hpp"
#include "run/reporter.hpp"

namespace flowrun::run {

/// What a folder was found to be.
enum class FolderState { kNew, kUnfinished, kFinished };

/// Returns an absolute path as people read it: relative where it lies below the current directory.
std::string display_path(const std::string& path);

/// An opened and locked run's folder.
class RunFolder {
 public:
  /// What the folder must belong to for the run to go on in it.
  struct Identity {
    std::string graph_hash;
    nlohmann::json plugins;  ///< [{id, version, sha256}]
    const std::vector<InputDigests::Input>* inputs = nullptr;  ///< must live as long as the folder
  };

  /// Opens `path`, renaming away a folder of another graph, of other inputs or plugins, or with `fresh`; names it through `reporter`.
  /// Throws ExitError(73) if it is locked by another process, cannot be created, or is no run's folder.
  RunFolder(const std::string& path, const Identity& identity, bool fresh, Reporter& reporter);

  /// Returns whether `path` holds a finished run of that identity. Takes no lock: it may be another when it is opened.
  static bool is_finished(const std::string& path, const Identity& identity);

  const std::string& path() const noexcept { return path_; }
  FolderState state() const noexcept { return state_; }
  /// The manifest as last written, but for `inputs`: `save_manifest` adds them, file by file.
  nlohmann::json& manifest() noexcept { return manifest_; }
  void save_manifest();

 private:
  void take_lock();
  std::string set_aside(const std::string& hash);

  std::string path_;
  const std::vector<InputDigests::Input>* inputs_;
  std::unique_ptr<FileLock> lock_;
  FolderState state_ = FolderState::kNew;
  nlohmann::json manifest_;
};

}  // namespace flowrun::run
