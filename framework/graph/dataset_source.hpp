#pragma once

// Rows by position, given in order as a stream: how a mixture reaches a writer or a map.

#include <cstdint>
#include <memory>

#include "graph/flow.hpp"

namespace flowrun::graph {

/// Reads a dataset from its first row to its last; a unit is `kUnitRows` rows. They are asked for in windows of up to `kWindowBytes` of ids, many batches
/// at once: a mixture's rows stand anywhere in spools, of which whole blocks are unpacked, and a window asks for those of one block together.
class DatasetSource final : public SourceBody {
 public:
  static constexpr std::int64_t kUnitRows = 8192;
  static constexpr std::int64_t kWindowBytes = std::int64_t{32} << 20;

  /// `dataset` must outlive it. A batch ends at the row that takes it to `batch_bytes` of ids, or at `batch_documents`. Throws
  /// Error(kInvalidArgument) for a dataset without end.
  DatasetSource(const flowrun_dataset& dataset, std::int64_t batch_bytes, std::int64_t batch_documents);
  const Field& schema() const noexcept { return schema_; }
  std::int64_t unit_count() override { return (rows_ + kUnitRows - 1) / kUnitRows; }
  std::unique_ptr<UnitReader> open_unit(const flowrun_call* call, std::int64_t unit) override;

 private:
  const flowrun_dataset& dataset_;
  const Field schema_;
  const std::int64_t rows_, batch_bytes_, batch_documents_;
};

}  // namespace flowrun::graph
