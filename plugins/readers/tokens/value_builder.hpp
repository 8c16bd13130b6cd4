#pragma once

// Builds columns of any type that tokens may have, value by value.

#include <flowrun/message.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

namespace flowrun::readers {

/// One growing column. Formats: numbers of fixed width, booleans, utf8, binary, lists of those.
class ValueBuilder {
 public:
  /// Throws kUnsupported for another format.
  explicit ValueBuilder(const Field& field);

  /// Appends a value: the bytes of a number, a byte for a boolean, or text. Throws kUnsupported above 2 GiB in one batch.
  void append(std::string_view value);
  void append_null();
  /// Of a list: returns where its items go; `end_list` then ends the value.
  ValueBuilder& items() { return items_.front(); }
  void end_list();

  const Field& field() const noexcept { return field_; }
  /// Gives the column and starts anew.
  OwnedArray finish();

 private:
  void add_row(bool is_valid);
  void end_run(std::size_t end);

  Field field_;
  std::int64_t rows_ = 0, null_count_ = 0;
  std::vector<std::uint8_t> valid_, data_;
  std::vector<std::int32_t> offsets_{0};
  std::vector<ValueBuilder> items_;  ///< of lists: one
};

}  // namespace flowrun::readers
