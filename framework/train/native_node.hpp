#pragma once

// A native node on the host's side: made from its plugin, opened, asked for its table; and the flowrun_call through which it explains failures.

#include <string>

#include <flowrun/native.hpp>

#include "train/region.hpp"

namespace flowrun::train {

/// The host as a native plugin sees it in one call. The first explanation counts: what is said after it comes from layers that only know
/// that something below them failed.
class HostCall {
 public:
  /// `host` may be null: then log lines are lost and the run never stops.
  explicit HostCall(RegionHost* host = nullptr);
  HostCall(const HostCall&) = delete;
  HostCall& operator=(const HostCall&) = delete;
  const flowrun_call* table() const noexcept { return &table_; }
  /// Throws what was explained, with `context` added, unless `status` is FLOWRUN_OK.
  void check(flowrun_status status, const std::string& context);

 private:
  flowrun_call table_;
  RegionHost* host_;
  std::string message_;
};

/// Owns a node. Move-only.
class NativeNode {
 public:
  /// Creates and opens the node. Throws what the plugin says, or kUnavailable if its fingerprint is not `fingerprint`.
  NativeNode(const NativeNodeSpec& spec, RegionHost* host, const std::string& fingerprint);
  NativeNode(NativeNode&& other) noexcept;
  NativeNode& operator=(NativeNode&&) = delete;
  ~NativeNode();

  void* self() const noexcept { return self_; }
  const native::tables::Interface& interface() const noexcept { return *interface_; }
  const std::string& name() const noexcept { return spec_->name; }
  const NativeNodeSpec& spec() const noexcept { return *spec_; }
  /// Returns "in node 'loss' (objectives/clm 0.1.0)".
  std::string describe() const;

 private:
  const NativeNodeSpec* spec_;
  void* self_ = nullptr;
  const native::tables::Interface* interface_ = nullptr;
};

}  // namespace flowrun::train
