#pragma once

// A Parquet file through Arrow C++: its footer, and one row group at a time. Arrow answers damage with exceptions, statuses and memory that it
// asks for; all of that becomes flowrun::Error here.

#include <flowrun/error.hpp>
#include <flowrun/message.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "readers/common/columns.hpp"
#include "typed_column_builder.hpp"

namespace flowrun::readers {

/// The columns that a reader asks for; "" where it asks for none.
struct WantedColumns {
  std::string text, id, domain;
  std::vector<Column> kept;  ///< their types are the file's
};

/// What a footer says of a row group.
struct RowGroup {
  std::int64_t rows = 0;
  std::int64_t bytes = 0;  ///< stored, of the wanted columns
};

/// The rows of one row group, one after another.
class RowGroupRows {
 public:
  virtual ~RowGroupRows() = default;
  /// Goes to the next row and returns whether there was one. Views of the row before are gone. Throws kCorruptData for damage.
  virtual bool next() = 0;
  virtual std::optional<std::string_view> text() = 0;
  virtual std::optional<std::string_view> id() = 0;
  virtual std::optional<std::string_view> domain() = 0;
  /// Returns the name of a column whose value in this row is not UTF-8, and sets `value` to it.
  virtual std::optional<std::string> find_bad_utf8(std::string_view* value) const = 0;
  /// Adds the row to the builders of the kept columns, in their order.
  virtual void append_kept(std::vector<TypedColumnBuilder>& builders) const = 0;
};

/// One open file. Threads: one call at a time. Memory: the footer, and of a row group being read one page, the dictionary and 64 KiB of each wanted column.
///
/// Errors: kNotFound, kIo; kCorruptData for damage and for more than `max_page_bytes` of pages at once, kInvalidArgument for columns that are missing or have
/// a type that documents have not, kUnsupported for encryption and for codecs that Arrow was built without.
class ParquetFile {
 public:
  ParquetFile(const std::string& path, const WantedColumns& wanted, std::int64_t max_page_bytes);
  ~ParquetFile();

  const std::vector<RowGroup>& row_groups() const;
  /// Returns the kept columns, in their order.
  const std::vector<Field>& kept_fields() const;
  /// Opens a row group. It must not outlive the file.
  std::unique_ptr<RowGroupRows> read(std::size_t row_group);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flowrun::readers
