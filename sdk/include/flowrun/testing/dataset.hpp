#pragma once

// A token dataset in memory, lent to indexed nodes.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../abi.h"
#include "../message.hpp"
#include "../node.hpp"
#include "rows.hpp"

namespace flowrun::testing {

/// Rows of tokens by position. An endless one repeats its rows. With an `endoftext_id` each row names it in a column, as encoders have it for tokenizers whose
/// own is not 0. `numbers` are further columns of float64, a value for each row, as filters add them. Counts its reads, so that a test can see how a
/// node reads.
class MemoryDataset {
 public:
  using Numbers = std::vector<std::pair<std::string, std::vector<double>>>;

  explicit MemoryDataset(std::vector<TokenRow> rows, bool endless = false, std::uint32_t endoftext_id = 0, Numbers numbers = {})
      : rows_(std::move(rows)), endless_(endless), endoftext_id_(endoftext_id), numbers_(std::move(numbers)) {
    export_schema(token_fields(), &schema_);
    Field index = index_fields();
    index.children.pop_back();
    add_fields(index);
    index.children.push_back(fields::uint32("length"));
    export_schema(index, &index_schema_);
    table_.size = sizeof table_;
    table_.self = this;
    table_.count = [](void* self) -> std::int64_t {
      const auto* data = static_cast<const MemoryDataset*>(self);
      return data->endless_ ? -1 : static_cast<std::int64_t>(data->rows_.size());
    };
    table_.index = [](void* self, const flowrun_call* call, std::int64_t first, std::int64_t n, ArrowArray* out) {
      return guarded(call, [&] { static_cast<MemoryDataset*>(self)->index(first, n).move_to(out); });
    };
    table_.read = [](void* self, const flowrun_call* call, std::int64_t first, std::int64_t n, ArrowArray* out) {
      return guarded(call, [&] { static_cast<MemoryDataset*>(self)->read(first, n).move_to(out); });
    };
    table_.index_schema = &index_schema_;
    table_.schema = &schema_;
  }
  MemoryDataset(const MemoryDataset&) = delete;
  MemoryDataset& operator=(const MemoryDataset&) = delete;
  ~MemoryDataset() {
    schema_.release(&schema_);
    index_schema_.release(&index_schema_);
  }

  const flowrun_dataset* table() const noexcept { return &table_; }
  const std::vector<TokenRow>& rows() const noexcept { return rows_; }
  std::int64_t read_calls() const noexcept { return read_calls_; }
  std::int64_t rows_read() const noexcept { return rows_read_; }

  /// Columns of the rows, with those that were given beside the tokens.
  Field token_fields() const {
    Field columns = fields::tokens();
    add_fields(columns);
    return columns;
  }
  /// Columns of a dataset's index: those of `tokens` without `input_ids`, and `length`.
  static Field index_fields() { return fields::batch({fields::utf8("id"), fields::utf8("domain"), fields::int64("bytes"), fields::uint32("length")}); }

 private:
  void add_fields(Field& columns) const {
    if (endoftext_id_ != 0) columns.children.push_back(fields::uint32("endoftext_id"));
    for (const auto& [name, values] : numbers_) columns.children.push_back(fields::float64(name));
  }
  OwnedArray values_of(const std::vector<double>& values, std::int64_t first, std::int64_t n) const {
    std::vector<double> taken;
    for (std::int64_t i = first; i < first + n; ++i) taken.push_back(values.at(static_cast<std::size_t>(i) % rows_.size()));
    return make_column(taken);
  }
  OwnedArray ends(std::int64_t n) const { return make_column(std::vector<std::uint32_t>(static_cast<std::size_t>(n), endoftext_id_)); }

  const TokenRow& row(std::int64_t position) const { return rows_[static_cast<std::size_t>(position) % rows_.size()]; }

  void check_range(std::int64_t first, std::int64_t n) const {
    if (first < 0 || n < 0 || (!endless_ && first + n > static_cast<std::int64_t>(rows_.size())) || (n > 0 && rows_.empty()))
      throw Error(Code::kInvalidArgument, "rows " + std::to_string(first) + " to " + std::to_string(first + n) + " of a dataset of " + std::to_string(rows_.size()));
  }

  OwnedArray index(std::int64_t first, std::int64_t n) const {
    check_range(first, n);
    StringBuilder ids, domains;
    std::vector<std::int64_t> bytes;
    std::vector<std::uint32_t> lengths;
    for (std::int64_t i = first; i < first + n; ++i) {
      ids.append(row(i).id);
      domains.append(row(i).domain);
      bytes.push_back(row(i).bytes);
      lengths.push_back(static_cast<std::uint32_t>(row(i).input_ids.size()));
    }
    std::vector<OwnedArray> columns;
    columns.push_back(ids.finish());
    columns.push_back(domains.finish());
    columns.push_back(make_column(bytes));
    if (endoftext_id_ != 0) columns.push_back(ends(n));
    for (const auto& [name, values] : numbers_) columns.push_back(values_of(values, first, n));
    columns.push_back(make_column(lengths));
    return make_batch(std::move(columns), n);
  }

  OwnedArray read(std::int64_t first, std::int64_t n) {
    check_range(first, n);
    ++read_calls_;
    rows_read_ += n;
    std::vector<TokenRow> rows;
    for (std::int64_t i = first; i < first + n; ++i) rows.push_back(row(i));
    Batch batch = tokens_batch(rows);
    if (endoftext_id_ != 0) batch = with_column(std::move(batch), fields::uint32("endoftext_id"), ends(n));
    for (const auto& [name, values] : numbers_) batch = with_column(std::move(batch), fields::float64(name), values_of(values, first, n));
    return std::move(batch.array);
  }

  std::vector<TokenRow> rows_;
  bool endless_;
  std::uint32_t endoftext_id_;
  Numbers numbers_;
  std::atomic<std::int64_t> read_calls_{0}, rows_read_{0};
  ArrowSchema schema_{}, index_schema_{};
  flowrun_dataset table_{};
};

}  // namespace flowrun::testing
