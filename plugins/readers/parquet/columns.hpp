#pragma once

// Columns of a Parquet file as columns of documents: which leaf of the schema a name means, which type it has, and its values row by row.
// https://parquet.apache.org/docs/file-format: values stand in pages; definition levels tell nulls, repetition levels where a list goes on.

#include <flowrun/message.hpp>
#include <parquet/column_reader.h>
#include <parquet/schema.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "typed_column_builder.hpp"

namespace flowrun::readers {

/// A leaf of a file's schema, and the column that it gives. A list is a leaf with one repeated ancestor.
struct LeafColumn {
  int index = -1;  ///< of the leaf
  Field field;     ///< named as it was asked for; nullable
};

/// Finds the leaf that `name` means: a top-level column or, with dots, a field within structs ("meta.url"). Throws kInvalidArgument, with what the file has,
/// where there is none, where it is more than a value or a list of values, and where documents have no column of its type.
LeafColumn find_column(const parquet::SchemaDescriptor& schema, const std::string& name);

/// Reads one column of one row group, row by row. What is shown is valid until the next `advance`. Memory: a page and the dictionary.
class ColumnRows {
 public:
  /// `expected_rows` is what the footer says.
  static std::unique_ptr<ColumnRows> make(const LeafColumn& column, std::shared_ptr<parquet::ColumnReader> reader, std::int64_t expected_rows);
  virtual ~ColumnRows() = default;

  /// Goes to the next row. Throws kCorruptData where there is none, and whatever Arrow throws.
  virtual void advance() = 0;
  /// Throws kCorruptData unless all rows have been read.
  virtual void check_end() = 0;
  /// Returns the value of a column of text or integers, an integer by its digits; nothing where it is null.
  virtual std::optional<std::string_view> text() = 0;
  /// Returns the first value of the row that is text and not UTF-8.
  virtual std::optional<std::string_view> find_bad_utf8() const = 0;
  virtual void append_to(TypedColumnBuilder& builder) const = 0;
};

}  // namespace flowrun::readers
