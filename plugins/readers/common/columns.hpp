#pragma once

// Columns that a reader adds to its documents, as the parameter `columns` names them.

#include <flowrun/message.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace flowrun::readers {

enum class ColumnType { kString, kInteger, kNumber };

/// A column of documents, and where in a record its values are.
struct Column {
  std::string name;
  std::string from;
  ColumnType type = ColumnType::kString;
  bool operator==(const Column&) const = default;
};

/// A value of a column; nothing: null. The text is lent.
using ColumnValue = std::variant<std::monostate, std::string_view, std::int64_t, double>;

/// Reads the texts of a parameter: "NAME", "NAME = FROM", "NAME: TYPE", "NAME: TYPE = FROM", with the types string (the default), integer and number.
/// Throws kInvalidArgument for another form, and for a name that is given twice or is a document's own.
std::vector<Column> read_columns(const std::vector<std::string>& texts);

/// Returns `text` as a value of `type`; nothing where it is none: an integer of 64 bits, or a finite number.
std::optional<ColumnValue> read_value(ColumnType type, std::string_view text) noexcept;

/// Returns what a value of `type` is called in a message: "an integer of 64 bits".
const char* describe_type(ColumnType type) noexcept;

/// Returns the schema of a column: utf8, int64 or float64, nullable.
Field column_field(const Column& column);

/// Builds a column value by value. Throws kUnsupported above 2 GiB in one batch.
class ColumnBuilder {
 public:
  explicit ColumnBuilder(ColumnType type) : type_(type) {}
  /// Appends a null, or a value of the column's type.
  void append(const ColumnValue& value);
  std::int64_t byte_count() const noexcept { return static_cast<std::int64_t>(data_.size()); }
  /// Gives the column and starts anew.
  OwnedArray finish();

 private:
  ColumnType type_;
  std::vector<std::uint8_t> data_, valid_;
  std::vector<std::int32_t> offsets_{0};
  std::int64_t rows_ = 0, null_count_ = 0;
};

}  // namespace flowrun::readers
