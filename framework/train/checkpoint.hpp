#pragma once

// A checkpoint's content: weights and optimizer state as safetensors, what Hugging Face needs beside them, and the state of the run.

#include <cstdint>
#include <string>
#include <vector>

#include "train/checkpoint_files.hpp"
#include "train/parameters.hpp"
#include "train/safetensors.hpp"

namespace flowrun::train {

/// Everything that goes into a checkpoint but the parameters.
struct CheckpointContent {
  CheckpointState state;
  std::vector<std::string> state_names;  ///< of the optimizer: "exp_avg", ...
  std::string config_json;               ///< "": the model has no `[huggingface]` table, and config.json is left out
  std::string tokenizer;                 ///< folder, or a tokenizer.json of any name; "": left out
  std::string graph_toml;
  std::string setup;  ///< build and CPU capability, kept to notice a resume on another
};

/// Writes a checkpoint into `folder`/checkpoints and makes it the latest; see commit_checkpoint. Returns its folder.
std::string save_checkpoint(const std::string& run_folder, const Parameters& parameters, const CheckpointContent& content, std::int64_t keep);

/// What a resume goes on from.
struct LoadedCheckpoint {
  CheckpointState state;
  std::string setup;
};

/// Loads weights and optimizer state into `parameters`, whose values and states exist. Throws kCorruptData if names or shapes are not theirs.
LoadedCheckpoint load_checkpoint(const std::string& folder, Parameters& parameters, const std::vector<std::string>& state_names);

/// Returns `tensor` as a safetensors view; it must be contiguous, on the CPU, and outlive the view.
safetensors::TensorView tensor_view(std::string name, const at::Tensor& tensor);

}  // namespace flowrun::train
