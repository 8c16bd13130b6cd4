#pragma once

// For tests of packers: rows as a mixer with stages gives them.

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <flowrun/testing.hpp>

namespace flowrun::packers {

/// A number of documents that belong to one stage.
struct StagePart {
  std::int64_t documents;
  std::uint32_t stage, sequence_length;
};

/// The rows of a MemoryDataset with the columns `stage` and `sequence_length`. In a dataset without end the last part has none either.
class StagedDataset {
 public:
  StagedDataset(std::vector<testing::TokenRow> rows, std::vector<StagePart> parts, bool endless = false) : rows_(std::move(rows), endless), parts_(std::move(parts)) {
    export_schema(with_stages(fields::tokens()), &schema_);
    Field index = testing::MemoryDataset::index_fields();
    index.children.pop_back();
    index = with_stages(index);
    index.children.push_back(fields::uint32("length"));
    export_schema(index, &index_schema_);
    table_ = *rows_.table();
    table_.self = this;
    table_.count = [](void* self) { return inner(self)->count(inner(self)->self); };
    table_.index = [](void* self, const flowrun_call* call, std::int64_t first, std::int64_t n, ArrowArray* out) { return static_cast<StagedDataset*>(self)->get(&flowrun_dataset::index, 1, call, first, n, out); };
    table_.read = [](void* self, const flowrun_call* call, std::int64_t first, std::int64_t n, ArrowArray* out) { return static_cast<StagedDataset*>(self)->get(&flowrun_dataset::read, 0, call, first, n, out); };
    table_.schema = &schema_;
    table_.index_schema = &index_schema_;
  }
  StagedDataset(const StagedDataset&) = delete;
  StagedDataset& operator=(const StagedDataset&) = delete;
  ~StagedDataset() {
    schema_.release(&schema_);
    index_schema_.release(&index_schema_);
  }

  const flowrun_dataset* table() const noexcept { return &table_; }
  const testing::MemoryDataset& rows() const noexcept { return rows_; }
  static Field with_stages(Field columns) {
    columns.children.push_back(fields::uint32("stage"));
    columns.children.push_back(fields::uint32("sequence_length"));
    return columns;
  }

 private:
  using Get = flowrun_status (*flowrun_dataset::*)(void*, const flowrun_call*, std::int64_t, std::int64_t, ArrowArray*);

  static const flowrun_dataset* inner(void* self) { return static_cast<StagedDataset*>(self)->rows_.table(); }

  const StagePart& part_of(std::int64_t row) const {
    std::size_t part = 0;
    for (; part + 1 < parts_.size() && row >= parts_[part].documents; ++part) row -= parts_[part].documents;
    return parts_[part];
  }

  /// Gives what the inner dataset does, with the stages before its last `behind` columns.
  flowrun_status get(Get function, std::int64_t behind, const flowrun_call* call, std::int64_t first, std::int64_t n, ArrowArray* out) const {
    OwnedArray inner_rows;
    if (const flowrun_status status = (rows_.table()->*function)(rows_.table()->self, call, first, n, inner_rows.address()); status != FLOWRUN_OK) return status;
    auto kept = std::make_shared<OwnedArray>(std::move(inner_rows));
    std::vector<std::uint32_t> stages, lengths;
    for (std::int64_t row = first; row < first + n; ++row) {
      stages.push_back(part_of(row).stage);
      lengths.push_back(part_of(row).sequence_length);
    }
    std::vector<OwnedArray> columns;
    const ArrowArray& array = kept->get();
    for (std::int64_t i = 0; i < array.n_children; ++i) {
      if (i == array.n_children - behind) add_stages(columns, stages, lengths);
      columns.push_back(borrow_column(*array.children[i], array.offset, array.length));
    }
    if (behind == 0) add_stages(columns, stages, lengths);
    make_batch(std::move(columns), n, kept).move_to(out);
    return FLOWRUN_OK;
  }

  static void add_stages(std::vector<OwnedArray>& columns, const std::vector<std::uint32_t>& stages, const std::vector<std::uint32_t>& lengths) {
    columns.push_back(make_column(stages));
    columns.push_back(make_column(lengths));
  }

  testing::MemoryDataset rows_;
  std::vector<StagePart> parts_;
  ArrowSchema schema_{}, index_schema_{};
  flowrun_dataset table_{};
};

}  // namespace flowrun::packers
