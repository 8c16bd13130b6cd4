#include "train/checkpoint.hpp"

#include <cstring>
#include <filesystem>
#include <system_error>

#include <nlohmann/json.hpp>

#include "base/durable.hpp"

namespace flowrun::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

const char* dtype_name(at::ScalarType type) {
  switch (type) {
    case at::kFloat: return "F32";
    case at::kDouble: return "F64";
    case at::kBFloat16: return "BF16";
    case at::kHalf: return "F16";
    case at::kLong: return "I64";
    case at::kInt: return "I32";
    default: throw Error(Code::kUnsupported, std::string("tensors of dtype ") + c10::toString(type) + " cannot be saved");
  }
}

void copy_into(at::Tensor& target, const safetensors::File& file, const std::string& name, const std::string& path) {
  const auto found = file.header().tensors.find(name);
  if (found == file.header().tensors.end()) throw Error(Code::kCorruptData, "'" + path + "' has no tensor '" + name + "', which the model needs");
  if (found->second.dtype != "F32" || at::IntArrayRef(found->second.shape) != target.sizes())
    throw Error(Code::kCorruptData, "'" + path + "': tensor '" + name + "' has another dtype or shape than the model's");
  const auto bytes = file.bytes(name);
  std::memcpy(target.mutable_data_ptr(), bytes.data(), bytes.size());
}

/// The special tokens of config.json, again for `generate`.
std::string generation_config(const std::string& config_json) {
  const Json config = Json::parse(config_json);
  Json generation = {{"_from_model_config", true}};
  for (const char* key : {"bos_token_id", "eos_token_id", "pad_token_id"})
    if (config.contains(key)) generation[key] = config[key];
  return generation.dump(2) + "\n";
}

/// Copies the tokenizer's files; its configuration learns the model's context length. A file that is not called tokenizer.json may lie beside another
/// tokenizer's configuration, so it gets a minimal one.
void copy_tokenizer(const std::string& from, const std::string& to, const std::string& config_json) {
  std::error_code error;
  const bool folder = fs::is_directory(from, error);
  const std::string file = folder ? from + "/tokenizer.json" : from;
  if (!fs::exists(file, error)) return;
  io::write_file(to + "/tokenizer.json", io::read_file(file));
  const fs::path beside = fs::path(file).parent_path() / "tokenizer_config.json";
  const bool own = fs::path(file).filename() == "tokenizer.json" && fs::exists(beside, error);
  Json tokenizer = own ? Json::parse(io::read_file(beside.string())) : Json{{"tokenizer_class", "PreTrainedTokenizerFast"}};
  const Json config = config_json.empty() ? Json::object() : Json::parse(config_json);
  if (config.contains("max_position_embeddings")) tokenizer["model_max_length"] = config["max_position_embeddings"];
  io::write_file(to + "/tokenizer_config.json", tokenizer.dump(2) + "\n");
}

}  // namespace

safetensors::TensorView tensor_view(std::string name, const at::Tensor& tensor) {
  return {std::move(name), dtype_name(tensor.scalar_type()), tensor.sizes().vec(), {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}};
}

std::string save_checkpoint(const std::string& run_folder, const Parameters& parameters, const CheckpointContent& content, std::int64_t keep) {
  const std::string folder = run_folder + "/checkpoints", staged = folder + "/.staged";
  std::error_code error;
  fs::remove_all(staged, error);
  fs::create_directories(staged, error);
  if (error) throw Error(Code::kIo, "cannot create '" + staged + "': " + error.message());

  std::vector<safetensors::TensorView> weights, states;
  for (const Parameter& parameter : parameters.all()) {
    weights.push_back(tensor_view(parameter.name, parameter.value));
    for (std::size_t i = 0; i < content.state_names.size(); ++i) states.push_back(tensor_view(parameter.name + "." + content.state_names[i], parameter.states.at(i)));
  }
  safetensors::write_file(staged + "/model.safetensors", std::move(weights), {{"format", "pt"}});  // transformers asks for the format
  safetensors::write_file(staged + "/optimizer.safetensors", std::move(states), {{"setup", content.setup}});
  if (!content.config_json.empty()) {
    io::write_file(staged + "/config.json", content.config_json);
    io::write_file(staged + "/generation_config.json", generation_config(content.config_json));
  }
  if (!content.tokenizer.empty()) copy_tokenizer(content.tokenizer, staged, content.config_json);
  io::write_file(staged + "/graph.toml", content.graph_toml);
  io::write_file(staged + "/state.json", content.state.to_json());
  write_checkpoint_manifest(staged);
  return commit_checkpoint(staged, folder, content.state.step, keep);
}

LoadedCheckpoint load_checkpoint(const std::string& folder, Parameters& parameters, const std::vector<std::string>& state_names) {
  const std::string weights_path = folder + "/model.safetensors", states_path = folder + "/optimizer.safetensors", state_path = folder + "/state.json";
  const safetensors::File weights(weights_path), states(states_path);
  for (Parameter& parameter : parameters.all()) {
    copy_into(parameter.value, weights, parameter.name, weights_path);
    for (std::size_t i = 0; i < state_names.size(); ++i) copy_into(parameter.states.at(i), states, parameter.name + "." + state_names[i], states_path);
  }
  if (weights.header().tensors.size() != parameters.all().size())
    throw Error(Code::kCorruptData, "'" + weights_path + "' has " + std::to_string(weights.header().tensors.size()) + " tensors, expected " +
                                        std::to_string(parameters.all().size()));
  LoadedCheckpoint loaded;
  loaded.state = CheckpointState::from_json(io::read_file(state_path), state_path);
  const auto setup = states.header().metadata.find("setup");
  if (setup != states.header().metadata.end()) loaded.setup = setup->second;
  return loaded;
}

}  // namespace flowrun::train
