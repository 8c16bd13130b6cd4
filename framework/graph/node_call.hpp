#pragma once

// The host's side of `flowrun_call`: what a plugin says during one call is collected here and looked at when the call has returned.

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include <flowrun/abi.h>
#include <flowrun/error.hpp>

#include "graph/stage_control.hpp"

namespace flowrun::graph {

/// One call into a plugin.
class NodeCall {
 public:
  struct Drop {
    std::int64_t row;
    std::string reason;
    double value, threshold;
  };
  struct RowError {
    std::int64_t row;
    Code status;
    std::string code, message;
  };
  using Log = std::function<void(int level, std::string_view message)>;
  using RecordError = std::function<flowrun_status(const flowrun_record_error&)>;

  /// `control` may be null: nothing stops. `log` and `record_error` may be null; they outlive the call.
  explicit NodeCall(const StageControl* control, const Log* log = nullptr, const RecordError* record_error = nullptr);
  NodeCall(const NodeCall&) = delete;
  NodeCall& operator=(const NodeCall&) = delete;

  const flowrun_call* table() const noexcept { return &table_; }
  /// Throws what the plugin said through `fail` if `status` is not FLOWRUN_OK.
  void check(flowrun_status status) const;
  /// Returns the explanation of a failed call.
  const std::string& failure() const noexcept { return failure_; }

  std::vector<Drop> drops;
  std::vector<RowError> row_errors;

 private:
  static NodeCall& self(const flowrun_call* call) { return *static_cast<NodeCall*>(call->host); }

  flowrun_call table_{};
  const StageControl* control_;
  const Log* log_;
  const RecordError* record_error_;
  std::mutex mutex_;  // protects drops, row_errors, failure_: a plugin may use threads of its own within a call
  std::string failure_;
};

/// Returns the code that a plugin's status stands for; kInternal for a number that means nothing.
Code code_of(flowrun_status status) noexcept;

}  // namespace flowrun::graph
