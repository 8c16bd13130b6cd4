#pragma once

// Streams and datasets of different columns read as one: the columns of all, null where a part lacks one. A reader of books gives titles, one of
// questions gives scores, and both go into one deduper.

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <flowrun/abi.h>
#include <flowrun/message.hpp>

namespace flowrun::graph {

/// Returns the columns of all schemas, each where it first stands; one that is missing somewhere may be null. `givers`: who gives each schema, for
/// errors. Throws Error(kInvalidArgument) where two give a column with different types.
Field join_schemas(std::span<const Field> schemas, std::span<const std::string> givers);

/// Gives batches of one schema as batches of another that has all its columns.
class Widening {
 public:
  /// Columns may be null in `to` that are not in `from`; those that `from` lacks must.
  Widening(const Field& from, Field to);
  const Field& schema() const noexcept { return to_; }
  /// Returns the batch with all columns; those that it has are not copied. [any thread]
  OwnedArray apply(OwnedArray batch) const;
  /// A map's function over a Widening as `self`.
  static const flowrun_map kMap;

 private:
  Field to_;
  std::vector<int> sources_;  ///< by column of `to_`; -1: null
};

/// A dataset with more columns than it has. Both schemas are widened; `base` must outlive it.
class WidenedDataset {
 public:
  WidenedDataset(const flowrun_dataset& base, const Field& schema);
  ~WidenedDataset();
  WidenedDataset(const WidenedDataset&) = delete;
  WidenedDataset& operator=(const WidenedDataset&) = delete;
  const flowrun_dataset* table() const noexcept { return &table_; }

 private:
  flowrun_status get(decltype(flowrun_dataset::read) base_get, const Widening& widening, const flowrun_call* call, std::int64_t first, std::int64_t n, ArrowArray* out) const;

  const flowrun_dataset& base_;
  Widening rows_, index_;
  ArrowSchema schema_{}, index_schema_{};
  flowrun_dataset table_{};
};

}  // namespace flowrun::graph
