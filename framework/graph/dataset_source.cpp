#include "graph/dataset_source.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "graph/node_call.hpp"

namespace flowrun::graph {
namespace {

OwnedArray get_rows(const flowrun_dataset& dataset, decltype(flowrun_dataset::read) get, const flowrun_call* call, std::int64_t first, std::int64_t n) {
  OwnedArray rows;
  static_cast<const NodeCall*>(call->host)->check(get(dataset.self, call, first, n, rows.address()));
  return rows;
}

/// Returns the lengths of rows of the index, which lives longer.
const std::uint32_t* lengths_in(const flowrun_dataset& dataset, const OwnedArray& index) {
  const Field schema = import_schema(*dataset.index_schema);
  return BatchView(index.get(), schema).values<std::uint32_t>("length", "I");
}

/// Returns how many rows make a window, by the lengths of the first ones.
std::int64_t rows_of_a_unit(const flowrun_dataset& dataset, std::int64_t rows, std::int64_t window_bytes) {
  const std::int64_t sample = std::min(rows, DatasetSource::kUnitRowsMin);
  if (sample == 0) return 1;
  const NodeCall call(nullptr);
  const OwnedArray index = get_rows(dataset, dataset.index, call.table(), 0, sample);
  const std::uint32_t* lengths = lengths_in(dataset, index);
  const double mean_bytes = 4 * std::accumulate(lengths, lengths + sample, 0.0) / static_cast<double>(sample);
  const double in_window = static_cast<double>(window_bytes) / std::max(mean_bytes, 1.0);
  return std::max(sample, static_cast<std::int64_t>(std::min(in_window, static_cast<double>(rows))));
}

/// Gives rows [first, end) in batches, out of windows. The lengths of their ids are known before they are read, so that neither takes more memory than it may.
class RowsReader final : public UnitReader {
 public:
  RowsReader(const flowrun_dataset& dataset, const DatasetSource::Sizes& sizes, std::int64_t first, std::int64_t end)
      : dataset_(dataset), sizes_(sizes), first_(first), end_(end), next_(first), window_end_(first) {}

  bool next(const flowrun_call* call, OwnedArray& out) override {
    if (!index_) read_index(call);
    if (next_ == window_end_) read_window(call);
    const std::int64_t end = rows_within(next_, window_end_, sizes_.batch_bytes, sizes_.batch_documents);
    out = slice(end - next_);
    next_ = end;
    return next_ == end_;
  }

 private:
  void read_index(const flowrun_call* call) {
    index_ = get_rows(dataset_, dataset_.index, call, first_, end_ - first_);
    lengths_ = lengths_in(dataset_, index_);
  }

  void read_window(const flowrun_call* call) {
    window_first_ = next_;
    window_end_ = rows_within(next_, end_, sizes_.window_bytes, end_ - next_);
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
  const DatasetSource::Sizes sizes_;
  const std::int64_t first_, end_;
  std::int64_t next_, window_first_ = 0, window_end_;
  OwnedArray index_;                        ///< of [first_, end_)
  const std::uint32_t* lengths_ = nullptr;  ///< in index_
  std::shared_ptr<OwnedArray> window_;      ///< rows [window_first_, window_end_)
};

}  // namespace

DatasetSource::DatasetSource(const flowrun_dataset& dataset, const Sizes& sizes)
    : dataset_(dataset), schema_(import_schema(*dataset.schema)), sizes_(sizes), rows_(dataset.count(dataset.self)), unit_rows_(rows_of_a_unit(dataset, rows_, sizes.window_bytes)) {}

std::unique_ptr<UnitReader> DatasetSource::open_unit(const flowrun_call*, std::int64_t unit) {
  const std::int64_t first = unit * unit_rows_;
  return std::make_unique<RowsReader>(dataset_, sizes_, first, std::min(first + unit_rows_, rows_));
}

}  // namespace flowrun::graph
