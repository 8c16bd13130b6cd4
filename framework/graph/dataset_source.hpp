#pragma once

// Rows by position, given in order as a stream: how a mixture reaches a writer or a map.

#include <algorithm>
#include <cstdint>
#include <memory>

#include "graph/flow.hpp"

namespace flowrun::graph {

/// Reads a dataset from its first row to its last. Rows are asked for in windows of up to `window_bytes` of ids, many batches at once: a mixture's rows stand
/// anywhere in spools, of which whole blocks are unpacked, and a window asks for those of one block together. So each window unpacks much of the spool, and
/// fewer windows are faster. A unit is about a window; the flow reads one for each thread at once, and a window takes twice its bytes while it is read.
class DatasetSource final : public SourceBody {
 public:
  static constexpr std::int64_t kUnitRowsMin = 8192;  ///< or all there are
  static constexpr std::int64_t kWindowBytesMin = std::int64_t{32} << 20;

  struct Sizes {
    std::int64_t window_bytes, batch_bytes, batch_documents;
  };
  /// Returns the window of each of `threads` for which all take up to half of `memory_bytes` while they are read; kWindowBytesMin at least.
  static std::int64_t window_bytes(std::int64_t memory_bytes, int threads) { return std::max(kWindowBytesMin, memory_bytes / 4 / threads); }

  /// `dataset` must have an end and outlive it. A batch ends at the row that takes it to `batch_bytes` of ids, or at `batch_documents`. Reads the lengths of the
  /// first rows, by which it sizes units; throws what the dataset says.
  DatasetSource(const flowrun_dataset& dataset, const Sizes& sizes);
  const Field& schema() const noexcept { return schema_; }
  std::int64_t unit_count() override { return (rows_ + unit_rows_ - 1) / unit_rows_; }
  std::unique_ptr<UnitReader> open_unit(const flowrun_call* call, std::int64_t unit) override;

 private:
  const flowrun_dataset& dataset_;
  const Field schema_;
  const Sizes sizes_;
  const std::int64_t rows_, unit_rows_;
};

}  // namespace flowrun::graph
