#pragma once

// The host's side of a call: records what the node says, lends batches, and watches that every array is released exactly once.

#include <atomic>
#include <cmath>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "../abi.h"
#include "../error.hpp"
#include "../message.hpp"

namespace flowrun::testing {

/// One dropped row, or a record that a source left out. `value` and `threshold` are NaN where the node gave none.
struct Dropped {
  std::int64_t row = 0;  ///< of the input; -1: a source has none
  std::string id;        ///< of the document, where the input has ids
  std::string reason;
  double value = NAN, threshold = NAN;
  std::int64_t bytes = 0;  ///< of text, as a source says
};

/// One row of the input that a node refused.
struct RowError {
  std::int64_t row = 0;
  std::string id;
  Code status = Code::kInternal;
  std::string code, message;
};

/// One record, or rest of a file, that a source refused.
struct RecordError {
  Code status = Code::kInternal;
  std::string code, message, file;
  std::int64_t record = -1, offset = -1, documents = 0, bytes = 0, file_bytes = 0;
};

struct LogLine {
  flowrun_log_level level = FLOWRUN_LOG_INFO;
  std::string message;
};

/// Everything that a node has said, and every rule of the boundary that it has broken.
struct Journal {
  std::mutex mutex;  ///< guards all below: a map speaks from many threads
  std::vector<Dropped> drops;
  std::vector<RowError> row_errors;
  std::vector<RecordError> record_errors;
  std::vector<LogLine> logs;
  std::vector<std::string> violations;
  std::atomic<bool> stop{false};
  bool stop_on_record_error = false;

  void violation(std::string text) {
    const std::lock_guard lock(mutex);
    violations.push_back(std::move(text));
  }
};

/// Counts the owners of arrays that cross the boundary. Each owner has a lease, which lives on so that a second release is seen.
class LeaseBook {
 public:
  explicit LeaseBook(Journal& journal) : journal_(&journal) {}
  LeaseBook(const LeaseBook&) = delete;
  LeaseBook& operator=(const LeaseBook&) = delete;

  /// Makes `out` one more owner of `array`, whose storage `kept` holds.
  void lend(const ArrowArray& array, std::shared_ptr<OwnedArray> kept, const char* what, ArrowArray* out) {
    auto lease = std::make_unique<Lease>();
    lease->book = this;
    lease->kept = std::move(kept);
    lease->what = what;
    *out = array;
    out->private_data = lease.get();
    out->release = release;
    const std::lock_guard lock(mutex_);
    leases_.push_back(std::move(lease));
  }

  /// Takes an array over from the node; at the end it must have been released, and its own release must have marked it so.
  OwnedArray adopt(ArrowArray* from_node, const char* what) {
    auto kept = std::make_shared<OwnedArray>(std::move(*from_node));
    OwnedArray out;
    lend(kept->get(), kept, what, out.address());
    static_cast<Lease*>(out.get().private_data)->given_out = true;
    return out;
  }

  /// Becomes a further owner of an array that this book has lent.
  void retain(const ArrowArray& borrowed, ArrowArray* out) {
    if (borrowed.release != release) {
      journal_->violation("retain is called with an array that the host has not lent");
      *out = ArrowArray{};
      return;
    }
    lend(borrowed, static_cast<const Lease*>(borrowed.private_data)->kept, "a retained batch", out);
  }

  /// Returns whether the test still holds an output.
  bool any_given_out() {
    const std::lock_guard lock(mutex_);
    for (const auto& lease : leases_)
      if (lease->given_out && lease->released == 0) return true;
    return false;
  }

  /// Adds a violation for every owner that has not released its array, once for each.
  void check_all_released() {
    const std::lock_guard lock(mutex_);
    for (const auto& lease : leases_)
      if (lease->released == 0 && !std::exchange(lease->reported, true)) journal_->violation(std::string(lease->what) + " was never released");
  }

 private:
  struct Lease {
    LeaseBook* book = nullptr;
    std::shared_ptr<OwnedArray> kept;
    const char* what = "";
    bool given_out = false;  ///< the test owns it
    bool reported = false;
    std::atomic<int> released{0};
  };

  static void release(ArrowArray* array) {
    auto* lease = static_cast<Lease*>(array->private_data);
    array->release = nullptr;
    if (lease->released.fetch_add(1) != 0) {
      lease->book->journal_->violation(std::string(lease->what) + " was released twice");
      return;
    }
    if (lease->kept.use_count() == 1 && *lease->kept) {
      // The last owner: the array's own release must mark it as released.
      ArrowArray inner{};
      lease->kept->move_to(&inner);
      inner.release(&inner);
      if (inner.release != nullptr) lease->book->journal_->violation(std::string(lease->what) + ": its release does not set release to NULL");
    }
    lease->kept.reset();
  }

  Journal* journal_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Lease>> leases_;
};

/// One call into the node. Give `table()` to the function and its status to `check`, which throws what the node has explained.
class HostCall {
 public:
  HostCall(Journal& journal, LeaseBook& book, const ArrowArray* input = nullptr, StringColumn ids = {}, bool has_ids = false)
      : journal_(&journal), book_(&book), input_(input), ids_(ids), has_ids_(has_ids) {
    table_.size = sizeof table_;
    table_.host = this;
    table_.fail = fail;
    table_.drop = drop;
    table_.row_error = row_error;
    table_.record_error = record_error;
    table_.stop_requested = [](const flowrun_call* call) -> std::int32_t { return self(call).journal_->stop ? 1 : 0; };
    table_.log = log;
    table_.retain = [](const flowrun_call* call, const ArrowArray* borrowed, ArrowArray* out) { self(call).book_->retain(*borrowed, out); };
  }
  HostCall(const HostCall&) = delete;
  HostCall& operator=(const HostCall&) = delete;

  const flowrun_call* table() const noexcept { return &table_; }
  const std::vector<std::int64_t>& refused_rows() const noexcept { return refused_rows_; }

  /// Throws the failure that `status` stands for; checks that it was explained exactly once.
  void check(flowrun_status status, const char* function) {
    if ((status == FLOWRUN_OK) != (fail_count_ == 0) || fail_count_ > 1)
      journal_->violation(std::string(function) + " returns " + std::to_string(status) + " after " + std::to_string(fail_count_) + " calls of fail, expected 1 for a failure and 0 otherwise");
    if (status != FLOWRUN_OK && fail_count_ > 0 && fail_status_ != status)
      journal_->violation(std::string(function) + " returns " + std::to_string(status) + " but explains " + std::to_string(fail_status_));
    if (status != FLOWRUN_OK) throw Error(static_cast<Code>(status), fail_message_);
  }

 private:
  static HostCall& self(const flowrun_call* call) { return *static_cast<HostCall*>(call->host); }

  static void fail(const flowrun_call* call, flowrun_status status, const char* message, std::size_t length) {
    HostCall& host = self(call);
    ++host.fail_count_;
    host.fail_status_ = status;
    host.fail_message_.assign(message, length);
  }

  static void drop(const flowrun_call* call, std::int64_t row, const char* reason, double value, double threshold) {
    HostCall& host = self(call);
    const std::string id = host.refuse(row, "drop");
    const std::lock_guard lock(host.journal_->mutex);
    host.journal_->drops.push_back({row, id, reason, value, threshold, 0});
  }

  static void row_error(const flowrun_call* call, std::int64_t row, flowrun_status status, const char* code, const char* message, std::size_t length) {
    HostCall& host = self(call);
    const std::string id = host.refuse(row, "row_error");
    const std::lock_guard lock(host.journal_->mutex);
    host.journal_->row_errors.push_back({row, id, static_cast<Code>(status), code, std::string(message, length)});
  }

  static flowrun_status record_error(const flowrun_call* call, const flowrun_record_error* error) {
    Journal& journal = *self(call).journal_;
    const std::lock_guard lock(journal.mutex);
    journal.record_errors.push_back({static_cast<Code>(error->status), error->code, error->message ? error->message : "", error->file ? error->file : "",
                                     error->record, error->offset, error->documents, error->bytes, error->file_bytes});
    return journal.stop_on_record_error ? FLOWRUN_CANCELLED : FLOWRUN_OK;
  }

  static void log(const flowrun_call* call, std::int32_t level, const char* message, std::size_t length) {
    Journal& journal = *self(call).journal_;
    const std::lock_guard lock(journal.mutex);
    journal.logs.push_back({static_cast<flowrun_log_level>(level), std::string(message, length)});
  }

  /// Notes that a row of the input leaves the stream here; each row may do so once.
  std::string refuse(std::int64_t row, const char* function) {
    if (input_ == nullptr || row < 0 || row >= input_->length) {
      journal_->violation(std::string(function) + " names row " + std::to_string(row) + ", which the input does not have");
      return {};
    }
    for (const std::int64_t other : refused_rows_)
      if (other == row) journal_->violation(std::string(function) + " names row " + std::to_string(row) + ", which is dropped or refused already");
    refused_rows_.push_back(row);
    return has_ids_ ? std::string(ids_[row]) : std::string();
  }

  Journal* journal_;
  LeaseBook* book_;
  const ArrowArray* input_;
  StringColumn ids_;
  bool has_ids_;
  flowrun_call table_{};
  int fail_count_ = 0;
  flowrun_status fail_status_ = FLOWRUN_OK;
  std::string fail_message_;
  std::vector<std::int64_t> refused_rows_;
};

}  // namespace flowrun::testing
