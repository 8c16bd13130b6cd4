#pragma once

// Grows a batch from rows of other batches, for any column type that may travel on an edge. Spools re-block with it, and a map batch that
// had to be run row by row is put together again.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <flowrun/message.hpp>

namespace flowrun::graph {

/// One growing column (or, for format "+s", a whole batch). Formats as in `flowrun::gather`.
class ColumnBuffer {
 public:
  explicit ColumnBuffer(const Field& field);

  /// Appends rows [first, first + n) of `array`, which has this buffer's format. Throws Error(kUnsupported) above 2 GiB of one column.
  void append(const ArrowArray& array, std::int64_t first, std::int64_t n);
  /// Appends `n` nulls; the field is nullable.
  void append_nulls(std::int64_t n);
  std::int64_t rows() const noexcept { return rows_; }
  /// Returns the bytes held, without vector slack.
  std::int64_t bytes() const noexcept;
  /// Gives what was appended and starts anew.
  OwnedArray take();

  /// Appends this buffer's content to `out` in the spool's block layout, little-endian, and starts anew.
  void serialize(std::string& out);
  /// Reads what `serialize` wrote, advancing `in`. Throws Error(kCorruptData) when lengths do not fit.
  static OwnedArray deserialize(const Field& field, std::string_view& in);

 private:
  Field field_;
  std::int64_t rows_ = 0;
  std::int64_t null_count_ = 0;
  std::vector<std::uint8_t> validity_;      ///< one byte a row; only if the field is nullable
  std::vector<std::int32_t> offsets_{0};    ///< utf8, binary, list
  std::vector<std::uint8_t> data_;          ///< values; one byte a row for bool
  std::vector<ColumnBuffer> children_;
};

/// Returns a copy of rows [first, first + n) of a batch.
OwnedArray copy_rows(const ArrowArray& batch, const Field& schema, std::int64_t first, std::int64_t n);

/// Checks that an array that a plugin gave fits its schema (children, buffers, length); throws Error(kInternal) saying how it does not.
void check_array(const ArrowArray& array, const Field& schema);

}  // namespace flowrun::graph
