#pragma once

// The folder of a checkpoint as files: its manifest, its state, which checkpoints a run has and which of them are whole. What stands in
// the tensors is checkpoint.hpp's. Sees no LibTorch.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace flowrun::train {

/// What `state.json` holds.
struct CheckpointState {
  std::int64_t step = 0;
  std::int64_t tokens = 0;    ///< valid targets seen
  std::int64_t position = 0;  ///< the next sequence
  std::uint64_t seed = 0;
  std::string graph_hash;
  int threads = 1;
  int world_size = 1;
  std::string schedule = "null";  ///< JSON
  bool exact = true;              ///< false once a resume ran on another set-up

  std::string to_json() const;
  /// Throws Error(kCorruptData) naming the key.
  static CheckpointState from_json(const std::string& text, const std::string& file);
};

/// What `verify_checkpoint` found.
struct CheckpointReport {
  std::vector<std::string> problems;  ///< empty: every hash is right
  std::int64_t files = 0;
  std::int64_t bytes = 0;
};

/// Checks every file that `folder`/manifest.json lists by size and SHA-256, and the layout of every safetensors file. Throws Error(kNotFound)
/// where there is no folder; a missing manifest is a problem.
CheckpointReport verify_checkpoint(const std::string& folder);

/// Writes manifest.json over all files of `folder`.
void write_checkpoint_manifest(const std::string& folder);

/// Returns "step-00000400".
std::string checkpoint_name(std::int64_t step);

/// Returns the steps of which `folder` has a checkpoint, in rising order. A missing folder has none.
std::vector<std::int64_t> list_checkpoints(const std::string& folder);

/// Returns the step of the newest whole checkpoint: `latest`'s if its hashes are right, else the next older one. Adds a line to `warnings` for
/// each damaged one.
std::optional<std::int64_t> find_checkpoint(const std::string& folder, std::vector<std::string>& warnings);

/// Makes the finished folder `staged` the checkpoint of `step`: committed, `latest` moved, read back and checked, then all but the last `keep`
/// deleted. Returns its folder. Throws Error(kIo) if what was read back is not what was written; older ones then stay.
std::string commit_checkpoint(const std::string& staged, const std::string& folder, std::int64_t step, std::int64_t keep);

/// Makes `model_folder` hold the checkpoint's files but for the optimizer and the state. Does nothing if it already does.
void publish_model(const std::string& checkpoint_folder, const std::string& model_folder);

}  // namespace flowrun::train
