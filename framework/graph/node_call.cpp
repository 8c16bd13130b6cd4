#include "graph/node_call.hpp"

#include "graph/message.hpp"

namespace flowrun::graph {

Code code_of(flowrun_status status) noexcept {
  return status >= FLOWRUN_INVALID_ARGUMENT && status <= FLOWRUN_INTERNAL ? static_cast<Code>(status) : Code::kInternal;
}

NodeCall::NodeCall(const StageControl* control, const Log* log, const RecordError* record_error)
    : control_(control), log_(log), record_error_(record_error) {
  table_.size = sizeof table_;
  table_.host = this;
  table_.fail = [](const flowrun_call* call, flowrun_status, const char* message, std::size_t length) {
    const std::lock_guard lock(self(call).mutex_);
    if (self(call).failure_.empty()) self(call).failure_.assign(message, length);
  };
  table_.drop = [](const flowrun_call* call, std::int64_t row, const char* reason, double value, double threshold) {
    const std::lock_guard lock(self(call).mutex_);
    self(call).drops.push_back({row, reason, value, threshold});
  };
  table_.row_error = [](const flowrun_call* call, std::int64_t row, flowrun_status status, const char* code, const char* message, std::size_t length) {
    const std::lock_guard lock(self(call).mutex_);
    self(call).row_errors.push_back({row, code_of(status), code, std::string(message, length)});
  };
  table_.record_error = [](const flowrun_call* call, const flowrun_record_error* error) -> flowrun_status {
    return self(call).record_error_ ? (*self(call).record_error_)(*error) : FLOWRUN_CANCELLED;
  };
  table_.stop_requested = [](const flowrun_call* call) -> std::int32_t { return self(call).control_ != nullptr && self(call).control_->stopping() ? 1 : 0; };
  table_.log = [](const flowrun_call* call, std::int32_t level, const char* message, std::size_t length) {
    if (self(call).log_ && *self(call).log_) (*self(call).log_)(level, std::string_view(message, length));
  };
  table_.retain = [](const flowrun_call*, const ArrowArray* borrowed, ArrowArray* out) { Message::retain(borrowed, out); };
}

void NodeCall::check(flowrun_status status) const {
  if (status == FLOWRUN_OK) return;
  throw Error(code_of(status), failure_.empty() ? "the plugin failed with status " + std::to_string(status) + " and gave no message" : failure_);
}

}  // namespace flowrun::graph
