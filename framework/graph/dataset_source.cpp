#include "graph/dataset_source.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "graph/node_call.hpp"

namespace flowrun::graph {
namespace {

using Get = flowrun_status (*)(void* self, const flowrun_call* call, std::int64_t first, std::int64_t n, ArrowArray* out);

OwnedArray get_rows(const flowrun_dataset& dataset, Get get, const flowrun_call* call, std::int64_t first, std::int64_t n) {
  OwnedArray rows;
  static_cast<const NodeCall*>(call->host)->check(get(dataset.self, call, first, n, rows.address()));
  return rows;
}

/// Gives rows [first, end) in batches, out of windows. The lengths of their ids are known before they are read, so that neither takes more memory than it may.
class RowsReader final : public UnitReader {
 public:
  RowsReader(const flowrun_dataset& dataset, std::int64_t first, std::int64_t end, std::int64_t batch_bytes, std::int64_t batch_documents)
      : dataset_(dataset), first_(first), end_(end), next_(first), window_end_(first), batch_bytes_(batch_bytes), batch_documents_(batch_documents) {}

  bool next(const flowrun_call* call, OwnedArray& out) override {
    if (!index_) read_index(call);
    if (next_ == window_end_) read_window(call);
    const std::int64_t end = rows_within(next_, window_end_, batch_bytes_, batch_documents_);
    out = slice(end - next_);
    next_ = end;
    return next_ == end_;
  }

 private:
  void read_index(const flowrun_call* call) {
    const Field schema = import_schema(*dataset_.index_schema);
    index_ = get_rows(dataset_, dataset_.index, call, first_, end_ - first_);
    lengths_ = BatchView(index_.get(), schema).values<std::uint32_t>("length", "I");
  }

  void read_window(const flowrun_call* call) {
    window_first_ = next_;
    window_end_ = rows_within(next_, end_, DatasetSource::kWindowBytes, end_ - next_);
    window_ = std::make_shared<OwnedArray>(get_rows(dataset_, dataset_.read, call, window_first_, window_end_ - window_first_));
  }

  /// Returns where rows from `first` on end that have `bytes` of ids or are `documents`; one at least.
  std::int64_t rows_within(std::int64_t first, std::int64_t last, std::int64_t bytes, std::int64_t documents) const {
    std::int64_t end = first, taken = 0;
    while (end < last && end - first < documents && taken < bytes) taken += std::int64_t{4} * lengths_[end++ - first_];
    return end;
  }

  /// Returns the next `rows` rows of the window, which lives as long as they.
  OwnedArray slice(std::int64_t rows) const {
    const ArrowArray& array = window_->get();
    std::vector<OwnedArray> columns;
    for (std::int64_t i = 0; i < array.n_children; ++i) columns.push_back(borrow_column(*array.children[i], array.offset + next_ - window_first_, rows));
    return make_batch(std::move(columns), rows, window_);
  }

  const flowrun_dataset& dataset_;
  const std::int64_t first_, end_;
  std::int64_t next_, window_first_ = 0, window_end_;
  const std::int64_t batch_bytes_, batch_documents_;
  OwnedArray index_;                        ///< of [first_, end_)
  const std::uint32_t* lengths_ = nullptr;  ///< in index_
  std::shared_ptr<OwnedArray> window_;      ///< rows [window_first_, window_end_)
};

std::int64_t finite_rows(const flowrun_dataset& dataset) {
  const std::int64_t rows = dataset.count(dataset.self);
  if (rows < 0) throw Error(Code::kInvalidArgument, "the rows have no end and cannot be read as a stream");
  return rows;
}

}  // namespace

DatasetSource::DatasetSource(const flowrun_dataset& dataset, std::int64_t batch_bytes, std::int64_t batch_documents)
    : dataset_(dataset), schema_(import_schema(*dataset.schema)), rows_(finite_rows(dataset)), batch_bytes_(batch_bytes), batch_documents_(batch_documents) {}

std::unique_ptr<UnitReader> DatasetSource::open_unit(const flowrun_call*, std::int64_t unit) {
  const std::int64_t first = unit * kUnitRows;
  return std::make_unique<RowsReader>(dataset_, first, std::min(first + kUnitRows, rows_), batch_bytes_, batch_documents_);
}

}  // namespace flowrun::graph
