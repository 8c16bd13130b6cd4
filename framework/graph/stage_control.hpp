#pragma once

// How a running stage is stopped: by a signal, by the first error of a node, or not at all.

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include <flowrun/error.hpp>

namespace flowrun::graph {

/// The run's stop token, set by a signal handler: lock-free and async-signal-safe.
struct StopToken {
  std::atomic<int> signal{0};  ///< 0, SIGINT, SIGTERM or SIGUSR1
};

/// A node's error as a plain record.
struct NodeError {
  Code code = Code::kInternal;
  std::string node, plugin, message;
  std::string where;  ///< "file 'x', record 3, byte 120"; "" none
};

/// One stage's state of stopping. [any thread]
class StageControl {
 public:
  explicit StageControl(const StopToken& token) : token_(token) {}
  bool stopping() const noexcept { return failed_.load(std::memory_order_acquire) || token_.signal.load(std::memory_order_relaxed) != 0; }
  /// Keeps the first error; every node then drops what reaches it.
  void fail(NodeError error) noexcept {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    failed_.store(true, std::memory_order_release);
  }
  std::optional<NodeError> error() const {
    const std::lock_guard lock(mutex_);
    return error_;
  }

 private:
  const StopToken& token_;
  std::atomic<bool> failed_{false};
  mutable std::mutex mutex_;  // protects error_
  std::optional<NodeError> error_;
};

}  // namespace flowrun::graph
