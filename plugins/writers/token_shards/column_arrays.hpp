#pragma once

// How a column of any type is kept as arrays of numbers:
//
//   every nullable column    NAME:valid (BOOL, a byte a value: 1 valid, 0 null)
//   numbers, booleans        NAME, with safetensors' type of the same numbers; 0 where null
//   text and bytes           NAME:offsets (I64, one more than values: where each begins and ends) in NAME:bytes (U8); nothing where null
//   lists                    NAME:offsets in the list of all items, which is a column NAME:items

#include <flowrun/message.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "safetensors_output.hpp"

namespace flowrun::writers {

/// The arrays of one column, and of its items.
class ColumnArrays {
 public:
  /// Adds what the column needs to `specs`. Throws kUnsupported for a type that has no such form.
  ColumnArrays(const Field& field, const std::string& name, std::vector<ArraySpec>& specs);
  /// Writes what stands before the first value. Called once.
  void begin(SafetensorsOutput& out);
  /// Appends values [first, first + n), counted from the start of the column's buffers. Throws kInvalidArgument for a null in a column that has none by its schema.
  void append(const ArrowArray& column, std::int64_t first, std::int64_t n, SafetensorsOutput& out);

 private:
  void append_value(const ArrowArray& column, std::int64_t at, SafetensorsOutput& out);
  std::string_view bytes_at(const ArrowArray& column, std::int64_t at) const noexcept;

  Field field_;
  std::size_t valid_ = 0, offsets_ = 0, values_ = 0;  ///< places of the arrays that the type has
  std::int64_t end_ = 0;                              ///< bytes or items so far
  std::vector<ColumnArrays> items_;                   ///< of lists: one
};

}  // namespace flowrun::writers
