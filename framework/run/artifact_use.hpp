#pragma once

// Who uses which artifact, and since when nobody has: what makes it safe to remove some of a cache that runs share.

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "run/artifact_store.hpp"

namespace flowrun::run {

/// Keeps artifacts from being removed as long as it lives: a file with their keys in `<root>/uses/`, locked, so that one of a process that was killed counts
/// for nothing. Marks them as used when it begins and when it ends, by the time of their manifests.
class ArtifactUse {
 public:
  /// Takes keys of artifacts that are there or will be made. Waits while another process chooses what to remove. Throws Error(kIo), kCancelled.
  ArtifactUse(const ArtifactStore& store, std::vector<std::string> keys, const graph::StageControl& control);
  ~ArtifactUse();
  ArtifactUse(const ArtifactUse&) = delete;
  ArtifactUse& operator=(const ArtifactUse&) = delete;

 private:
  void mark() const noexcept;

  const ArtifactStore& store_;
  const std::vector<std::string> keys_;
  std::string path_;
  std::unique_ptr<FileLock> lock_;
};

/// One artifact of a cache, or what a build that ended early has left.
struct StoredArtifact {
  std::string key;
  std::string folder;
  std::string type;          ///< "documents", "tokenizer", ...; "damaged" without a readable manifest, "unfinished" without any
  std::string plugin;        ///< "filters/split 0.1.0", of the node that made it; "" where that is not known
  std::string created_time;  ///< UTC; "" where that is not known
  std::int64_t documents = 0;
  std::int64_t bytes = 0;
  std::chrono::system_clock::time_point used;  ///< the last time
  bool in_use = false;                         ///< by a run of now, or being built
};

/// Returns what is in the cache, the one that was used last first. Throws Error(kIo).
std::vector<StoredArtifact> list_artifacts(const ArtifactStore& store);

/// What to keep.
struct KeepRule {
  std::optional<std::chrono::seconds> age;  ///< what was used so recently
  std::optional<std::int64_t> bytes;        ///< what was used last, up to so many bytes together
};

struct Pruned {
  std::vector<StoredArtifact> removed, kept;
};

/// Removes what the rule does not keep, and nothing that is in use. With `dry_run` it only says what it would remove. Throws Error(kIo).
Pruned prune_artifacts(const ArtifactStore& store, const KeepRule& rule, bool dry_run, const graph::StageControl& control);

}  // namespace flowrun::run
