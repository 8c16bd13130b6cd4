#pragma once

// A model made of blocks, and the region's view of it: setting up its parameters, calling it, and its facts.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "train/native_node.hpp"
#include "train/parameters.hpp"

namespace flowrun::train {

/// What a block stated about the model.
struct Fact {
  std::int64_t value = 0;
  bool is_flag = false;
  std::string node;
};

class CallableModel {
 public:
  /// Makes the blocks and lets them create their parameters (without values) in `parameters`. `spec` outlives the model.
  CallableModel(const ModelSpec& spec, const native::Context& context, Parameters& parameters, RegionHost* host, const std::string& fingerprint);
  CallableModel(const CallableModel&) = delete;
  CallableModel& operator=(const CallableModel&) = delete;

  const std::string& name() const noexcept { return spec_->name; }
  std::optional<std::int64_t> fact(const std::string& name) const;
  const native::Context& context() const noexcept { return context_; }

  /// Blocks see these weights, and compute in their dtype, from now on: indices are those of Parameters.
  void use_weights(std::vector<at::Tensor> weights) {
    weights_ = std::move(weights);
    if (!weights_.empty()) context_.dtype = weights_.front().scalar_type();
  }
  at::Tensor logits(const at::Tensor& ids, native::Attention mode);
  native::Loss cross_entropy(const at::Tensor& ids, const at::Tensor& targets, native::Attention mode);

  /// Returns config.json's text: the `[huggingface]` table with "@fact" replaced; "" where the model has none. Throws kInvalidArgument for a fact
  /// that no block states.
  std::string config_json(native::Attention mode) const;

  /// Returns the model as plugins see it, for calls made through `call`.
  native::tables::Model table(const HostCall& call);

 private:
  void set_up(std::size_t index, Parameters& parameters, RegionHost* host);
  at::Tensor run_block(std::size_t index, const std::vector<at::Tensor>& outputs, const at::Tensor& ids, native::Attention mode);
  /// Runs all blocks but the last `left_out`; returns their outputs.
  std::vector<at::Tensor> run_blocks(const at::Tensor& ids, native::Attention mode, std::size_t left_out);
  nlohmann::ordered_json resolved(const nlohmann::ordered_json& value) const;

  const ModelSpec* spec_;
  native::Context context_;
  RegionHost* host_;
  std::vector<NativeNode> blocks_;
  std::vector<std::vector<std::size_t>> inputs_;  ///< of each block: indices of the blocks that feed it; none: the ids
  std::map<std::string, Fact> facts_;
  std::vector<at::Tensor> weights_;
};

/// Returns a model's sizes without giving any parameter memory.
ModelSize measure(const ModelSpec& spec, const std::string& fingerprint);

}  // namespace flowrun::train
