#include "graph/dataset_source.hpp"

#include <algorithm>
#include <span>

#include "graph/node_call.hpp"

namespace flowrun::graph {
namespace {

using Get = flowrun_status (*)(void* self, const flowrun_call* call, std::int64_t first, std::int64_t n, ArrowArray* out);

OwnedArray get_rows(const flowrun_dataset& dataset, Get get, const flowrun_call* call, std::int64_t first, std::int64_t n) {
  OwnedArray rows;
  static_cast<const NodeCall*>(call->host)->check(get(dataset.self, call, first, n, rows.address()));
  return rows;
}

/// Gives rows [first, end) in batches that the lengths of their ids limit, so that no more is in memory than what is given.
class RowsReader final : public UnitReader {
 public:
  RowsReader(const flowrun_dataset& dataset, std::int64_t first, std::int64_t end, std::int64_t batch_bytes, std::int64_t batch_documents)
      : dataset_(dataset), next_(first), end_(end), batch_bytes_(batch_bytes), batch_documents_(batch_documents) {}

  bool next(const flowrun_call* call, OwnedArray& out) override {
    if (!index_) read_index(call);
    const std::int64_t first = next_;
    std::int64_t bytes = 0;
    while (next_ < end_ && next_ - first < batch_documents_ && bytes < batch_bytes_) bytes += std::int64_t{4} * lengths_[static_cast<std::size_t>(next_++ - index_first_)];
    out = get_rows(dataset_, dataset_.read, call, first, next_ - first);
    return next_ == end_;
  }

 private:
  void read_index(const flowrun_call* call) {
    const Field schema = import_schema(*dataset_.index_schema);
    index_first_ = next_;
    index_ = get_rows(dataset_, dataset_.index, call, next_, end_ - next_);
    lengths_ = BatchView(index_.get(), schema).values<std::uint32_t>("length", "I");
  }

  const flowrun_dataset& dataset_;
  std::int64_t next_;
  const std::int64_t end_, batch_bytes_, batch_documents_;
  OwnedArray index_;                          ///< of [index_first_, end_)
  std::int64_t index_first_ = 0;
  const std::uint32_t* lengths_ = nullptr;    ///< in index_
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
