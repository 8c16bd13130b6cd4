#include "train/native_node.hpp"

#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace flowrun::train {
namespace {

/// Says which fields of two fingerprints differ, and with what.
std::string differences(const std::string& plugin, const std::string& host) {
  const auto theirs = nlohmann::ordered_json::parse(plugin, nullptr, false), ours = nlohmann::ordered_json::parse(host, nullptr, false);
  std::string text;
  for (const auto& [key, value] : ours.items()) {
    const std::string found = theirs.is_object() && theirs.contains(key) ? theirs[key].dump() : "nothing";
    if (found != value.dump()) text += "\n  " + key + ": " + found + ", expected " + value.dump();
  }
  return text;
}

}  // namespace

HostCall::HostCall(RegionHost* host) : table_{}, host_(host) {
  table_.size = sizeof table_;
  table_.host = this;
  table_.fail = [](const flowrun_call* call, flowrun_status, const char* message, std::size_t length) {
    std::string& text = static_cast<HostCall*>(call->host)->message_;
    if (text.empty()) text.assign(message, length);
  };
  table_.drop = [](const flowrun_call*, std::int64_t, const char*, double, double) {};
  table_.row_error = [](const flowrun_call*, std::int64_t, flowrun_status, const char*, const char*, std::size_t) {};
  table_.record_error = [](const flowrun_call*, const flowrun_record_error*) -> flowrun_status { return FLOWRUN_OK; };
  // A step and its evaluations are finished before a run stops, so that what it leaves is what an undisturbed run had there.
  table_.stop_requested = [](const flowrun_call*) -> std::int32_t { return 0; };
  table_.log = [](const flowrun_call* call, std::int32_t level, const char* message, std::size_t length) {
    RegionHost* run = static_cast<HostCall*>(call->host)->host_;
    if (run == nullptr || level == FLOWRUN_LOG_DEBUG) return;
    if (level == FLOWRUN_LOG_WARNING) run->warning(std::string(message, length));
    else run->message(std::string(message, length));
  };
  table_.retain = [](const flowrun_call*, const ArrowArray*, ArrowArray* out) { *out = ArrowArray{}; };
}

void HostCall::check(flowrun_status status, const std::string& context) {
  if (status == FLOWRUN_OK) return;
  Error error(static_cast<Code>(status), message_.empty() ? "the plugin failed without saying why" : std::exchange(message_, {}));
  if (!context.empty()) error.add_context(context);
  throw error;
}

NativeNode::NativeNode(const NativeNodeSpec& spec, RegionHost* host, const std::string& fingerprint) : spec_(&spec) {
  interface_ = static_cast<const native::tables::Interface*>(spec.plugin->get_interface(FLOWRUN_NATIVE_V1));
  if (interface_ == nullptr) throw Error(Code::kUnavailable, "plugin '" + spec.plugin_id + "' has no interface " FLOWRUN_NATIVE_V1);
  if (const std::string found = interface_->fingerprint(); found != fingerprint)
    throw Error(Code::kUnavailable, "plugin '" + spec.plugin_id + "' was built for another host:" + differences(found, fingerprint));

  HostCall call(host);
  call.check(spec.plugin->create(call.table(), spec.params, &self_), describe());
  std::vector<flowrun_artifact> artifacts;
  for (const auto& [port, path] : spec.artifacts) artifacts.push_back({sizeof(flowrun_artifact), port.c_str(), "", path.c_str()});
  flowrun_open open{};
  open.size = sizeof open;
  open.artifact_count = static_cast<std::uint32_t>(artifacts.size());
  open.artifacts = artifacts.data();
  open.seed = spec.seed;
  const flowrun_status status = spec.plugin->open(self_, call.table(), &open);
  if (status != FLOWRUN_OK) spec.plugin->destroy(std::exchange(self_, nullptr));
  call.check(status, describe());
}

NativeNode::NativeNode(NativeNode&& other) noexcept : spec_(other.spec_), self_(std::exchange(other.self_, nullptr)), interface_(other.interface_) {}

NativeNode::~NativeNode() {
  if (self_ == nullptr) return;
  spec_->plugin->close(self_);
  spec_->plugin->destroy(self_);
}

std::string NativeNode::describe() const { return "in node '" + spec_->name + "' (" + spec_->plugin_id + " " + spec_->plugin_version + ")"; }

}  // namespace flowrun::train
