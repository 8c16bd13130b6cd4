#pragma once

// A column of a batch, built value by value, with nulls: what a Parquet file can hold and the SDK's builders for columns of their own cannot.

#include <flowrun/message.hpp>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace flowrun::readers {

/// Builds a column of text ("u"), booleans ("b"), numbers (c C s S i I l L f g) or lists ("+l") of those.
class TypedColumnBuilder {
 public:
  explicit TypedColumnBuilder(const Field& field);

  void append_null();
  /// For "u". Throws kUnsupported above 2 GiB in one batch.
  void append_text(std::string_view value);
  /// For "b".
  void append_boolean(bool value);
  /// For numbers; `value` is the column's own type.
  template <class T>
  void append_number(T value) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&value);
    values_.insert(values_.end(), bytes, bytes + sizeof value);
    end_value(true);
  }
  /// For "+l": the builder of the items; append those of a row, then call `end_list`.
  TypedColumnBuilder& items() noexcept { return *items_; }
  void end_list();

  /// Returns the memory of the values so far.
  std::int64_t byte_count() const noexcept;
  /// Gives the column and starts anew.
  OwnedArray finish();

 private:
  void end_value(bool valid);
  void end_run(std::size_t end);

  char kind_;  ///< of the format: '+' for lists
  std::int64_t length_ = 0, null_count_ = 0;
  std::vector<std::uint8_t> validity_, values_;
  std::vector<std::int32_t> offsets_;  ///< of text and lists
  std::unique_ptr<TypedColumnBuilder> items_;
};

}  // namespace flowrun::readers
