#include "train/model.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "train/ops.hpp"

namespace flowrun::train {
namespace {

using Json = nlohmann::ordered_json;

/// What `set_up` lends to a block: Parameters and facts behind the functions of tables::Setup.
struct SetupHost {
  const NativeNodeSpec& node;
  Parameters& parameters;
  std::map<std::string, Fact>& facts;
};

void create(SetupHost& host, const char* full_name, const char* local_name, const std::int64_t* shape, std::size_t rank, native::Role role, native::Init init,
            std::int32_t* index) {
  Parameter parameter;
  parameter.name = full_name;
  parameter.shape.assign(shape, shape + rank);
  parameter.role = role;
  parameter.init = init;
  *index = host.parameters.create(host.node.name, local_name, std::move(parameter));
}

void publish(SetupHost& host, const char* name, std::int64_t value, bool is_flag) {
  const auto [at, fresh] = host.facts.try_emplace(name, Fact{value, is_flag, host.node.name});
  if (!fresh && at->second.value != value)
    throw Error(Code::kInvalidArgument, "'" + std::string(name) + "' is " + std::to_string(value) + ", expected " + std::to_string(at->second.value) +
                                            " as in node '" + at->second.node + "'");
}

}  // namespace

CallableModel::CallableModel(const ModelSpec& spec, const native::Context& context, Parameters& parameters, RegionHost* host, const std::string& fingerprint)
    : spec_(&spec), context_(context), host_(host) {
  std::map<std::string, std::size_t> positions;
  for (const NativeNodeSpec& block : spec.blocks) {
    blocks_.emplace_back(block, host, fingerprint);
    if (blocks_.back().interface().block == nullptr)
      throw Error(Code::kInvalidArgument, "node '" + block.name + "' (" + block.plugin_id + ") is part of model '" + spec.name + "', but is no block");
    std::vector<std::size_t> inputs;
    for (const auto& [port, producer] : block.inputs) {
      const auto found = positions.find(producer);
      if (found == positions.end()) throw Error(Code::kInternal, "block '" + block.name + "' reads '" + producer + "', which does not come before it");
      inputs.push_back(found->second);
    }
    inputs_.push_back(std::move(inputs));
    positions.emplace(block.name, blocks_.size() - 1);
    set_up(blocks_.size() - 1, parameters, host);
  }
  if (blocks_.empty()) throw Error(Code::kInvalidArgument, "model '" + spec.name + "' has no blocks");
}

void CallableModel::set_up(std::size_t index, Parameters& parameters, RegionHost* host) {
  const NativeNode& block = blocks_[index];
  SetupHost setup_host{block.spec(), parameters, facts_};
  native::tables::Setup setup{};
  setup.size = sizeof setup;
  setup.host = &setup_host;
  setup.context = &context_;
  setup.prefix = block.spec().prefix.c_str();
  setup.tie = block.spec().tie.c_str();
  setup.create = [](void* self, const flowrun_call* call, const char* full_name, const char* local_name, const std::int64_t* shape, std::size_t rank,
                    native::Role role, native::Init init, std::int32_t* out) noexcept {
    return native::detail::guarded(call, [&] { create(*static_cast<SetupHost*>(self), full_name, local_name, shape, rank, role, init, out); });
  };
  setup.share = [](void* self, const flowrun_call* call, const char* local_name, native::Role role, std::int32_t* out) noexcept {
    return native::detail::guarded(call, [&] {
      auto& lent = *static_cast<SetupHost*>(self);
      *out = lent.parameters.share(lent.node.tie, local_name, role);
    });
  };
  setup.publish = [](void* self, const flowrun_call* call, const char* name, std::int64_t value, std::int32_t is_flag) noexcept {
    return native::detail::guarded(call, [&] { publish(*static_cast<SetupHost*>(self), name, value, is_flag != 0); });
  };
  setup.fact = [](void* self, const char* name, std::int64_t* value) noexcept -> std::int32_t {
    const auto& facts = static_cast<SetupHost*>(self)->facts;
    const auto found = facts.find(name);
    if (found == facts.end()) return 0;
    *value = found->second.value;
    return 1;
  };
  HostCall call(host);
  call.check(block.interface().block->setup(block.self(), call.table(), &setup), block.describe());
}

std::optional<std::int64_t> CallableModel::fact(const std::string& name) const {
  const auto found = facts_.find(name);
  return found == facts_.end() ? std::nullopt : std::optional(found->second.value);
}

at::Tensor CallableModel::run_block(std::size_t index, const std::vector<at::Tensor>& outputs, const at::Tensor& ids, native::Attention mode) {
  const NativeNode& block = blocks_[index];
  std::vector<at::Tensor> in;
  for (const std::size_t producer : inputs_[index]) in.push_back(outputs[producer]);
  if (in.empty()) in.push_back(ids);
  HostCall call(host_);
  native::tables::Forward forward{sizeof forward, call.table(), &ops(), &context_, weights_.data(), weights_.size(), mode};
  at::Tensor out;
  call.check(block.interface().block->forward(block.self(), &forward, in, &out), block.describe());
  return out;
}

std::vector<at::Tensor> CallableModel::run_blocks(const at::Tensor& ids, native::Attention mode, std::size_t left_out) {
  std::vector<at::Tensor> outputs;
  for (std::size_t i = 0; i + left_out < blocks_.size(); ++i) outputs.push_back(run_block(i, outputs, ids, mode));
  return outputs;
}

at::Tensor CallableModel::logits(const at::Tensor& ids, native::Attention mode) { return run_blocks(ids, mode, 0).back(); }

native::Loss CallableModel::cross_entropy(const at::Tensor& ids, const at::Tensor& targets, native::Attention mode) {
  const std::size_t last = blocks_.size() - 1;
  const std::int32_t weight = blocks_[last].interface().block->linear_weight(blocks_[last].self());
  if (weight < 0 || inputs_[last].size() != 1) return logits_cross_entropy(logits(ids, mode), targets);
  const at::Tensor hidden = run_blocks(ids, mode, 1)[inputs_[last][0]];
  HostCall call(host_);
  native::Loss loss;
  call.check(ops().linear_cross_entropy(call.table(), hidden, weights_.at(static_cast<std::size_t>(weight)), targets, &loss), blocks_[last].describe());
  return loss;
}

Json CallableModel::resolved(const Json& value) const {
  if (value.is_string()) {
    const std::string text = value.get<std::string>();
    if (text.empty() || text[0] != '@') return value;
    const auto found = facts_.find(text.substr(1));
    if (found == facts_.end()) {
      std::string known;
      for (const auto& [name, fact] : facts_) known += (known.empty() ? "'@" : ", '@") + name + "'";
      throw Error(Code::kInvalidArgument, "[huggingface] of model '" + spec_->name + "' asks for '" + text + "', expected one of " + known);
    }
    // A fact below zero stands for "there is none": a token that the tokenizer does not have.
    if (found->second.is_flag) return found->second.value != 0;
    return found->second.value < 0 ? Json(nullptr) : Json(found->second.value);
  }
  if (!value.is_structured()) return value;
  Json out = value.is_array() ? Json::array() : Json::object();
  for (const auto& [key, item] : value.items()) {
    if (value.is_array()) out.push_back(resolved(item));
    else out[key] = resolved(item);
  }
  return out;
}

std::string CallableModel::config_json(native::Attention mode) const {
  if (spec_->huggingface_json.empty()) return {};
  Json config = Json::object();
  const Json table = resolved(Json::parse(spec_->huggingface_json));
  for (const auto& [key, value] : table.items()) {
    if (key == "architecture") config["architectures"] = Json::array({value});
    else config[key] = value;
  }
  config["dtype"] = "float32";
  if (mode == native::Attention::kBidirectional) config["is_causal"] = false;
  return config.dump(2) + "\n";
}

native::tables::Model CallableModel::table(const HostCall& call) {
  native::tables::Model table{};
  table.size = sizeof table;
  table.host = this;
  table.call = call.table();
  table.ops = &ops();
  table.context = &context_;
  table.logits = [](void* self, const flowrun_call* outer, const at::Tensor& ids, native::Attention mode, at::Tensor* out) noexcept {
    return native::detail::guarded(outer, [&] { *out = static_cast<CallableModel*>(self)->logits(ids, mode); });
  };
  table.cross_entropy = [](void* self, const flowrun_call* outer, const at::Tensor& ids, const at::Tensor& targets, native::Attention mode,
                           native::Loss* out) noexcept {
    return native::detail::guarded(outer, [&] { *out = static_cast<CallableModel*>(self)->cross_entropy(ids, targets, mode); });
  };
  table.fact = [](void* self, const char* name, std::int64_t* value) noexcept -> std::int32_t {
    const auto found = static_cast<CallableModel*>(self)->fact(name);
    if (found) *value = *found;
    return found ? 1 : 0;
  };
  return table;
}

ModelSize measure(const ModelSpec& spec, const std::string& fingerprint) {
  native::Context context;
  context.device = at::kMeta;
  Parameters parameters;
  const CallableModel model(spec, context, parameters, nullptr, fingerprint);
  ModelSize size;
  for (const Parameter& parameter : parameters.all()) {
    size.parameters += parameter.element_count();
    if (parameter.in_matmul) size.parameters_matmul += parameter.element_count();
  }
  return size;
}

}  // namespace flowrun::train
