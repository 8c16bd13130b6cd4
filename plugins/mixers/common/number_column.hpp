#pragma once

// A column of numbers of any Arrow width, read as doubles: scores that filters add, lengths, yes or no.

#include <flowrun/message.hpp>
#include <flowrun/nearest.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::mixers {

/// Reads a column of a borrowed batch: float32, float64, integers of 8 to 64 bits (exact up to 2^53) or booleans (0 and 1).
class NumberColumn {
 public:
  /// Throws as `check` does.
  NumberColumn(const ArrowArray& batch, const Field& schema, std::string_view name, std::string_view parameter)
      : batch_(&batch), column_(batch.children[check(schema, name, parameter)]), name_(name), format_(schema.children[static_cast<std::size_t>(schema.find(name))].format[0]) {}

  /// Returns where the column stands. Throws kInvalidArgument where there is no such column or one that does not hold numbers; `parameter` is what names it.
  static int check(const Field& schema, std::string_view name, std::string_view parameter) {
    const int index = schema.find(name);
    if (index < 0) {
      std::vector<std::string> names;
      for (const Field& column : schema.children) names.push_back(column.name);
      throw Error(Code::kInvalidArgument, "the input has no column '" + std::string(name) + "', which '" + std::string(parameter) + "' names; it has " + list(names) + did_you_mean(name, names));
    }
    const std::string& format = schema.children[static_cast<std::size_t>(index)].format;
    if (format.size() != 1 || std::string_view("bcCsSiIlLfg").find(format[0]) == std::string_view::npos)
      throw Error(Code::kInvalidArgument, "column '" + std::string(name) + "', which '" + std::string(parameter) + "' names, has Arrow format '" + format + "', expected numbers");
    return index;
  }

  /// Returns the number in a row of the batch. Throws kInvalidArgument for null and what is not finite.
  double operator[](std::int64_t row) const {
    const std::int64_t at = batch_->offset + column_->offset + row;
    const bool is_null = detail::may_be_null(*column_) && !detail::bit(column_->buffers[0], at);
    const double number = is_null ? NAN : value(at);
    if (!std::isfinite(number)) throw Error(Code::kInvalidArgument, "column '" + name_ + "' is " + (is_null ? "null" : "not finite") + " for a document, expected a finite number");
    return number;
  }

 private:
  double value(std::int64_t at) const noexcept {
    const void* values = column_->buffers[1];
    const auto as = [&]<class T>(T) { return static_cast<double>(static_cast<const T*>(values)[at]); };
    switch (format_) {
      case 'b': return detail::bit(values, at) ? 1 : 0;
      case 'c': return as(std::int8_t{});
      case 'C': return as(std::uint8_t{});
      case 's': return as(std::int16_t{});
      case 'S': return as(std::uint16_t{});
      case 'i': return as(std::int32_t{});
      case 'I': return as(std::uint32_t{});
      case 'l': return as(std::int64_t{});
      case 'L': return as(std::uint64_t{});
      case 'f': return as(float{});
      default: return as(double{});
    }
  }

  static std::string list(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
    return text;
  }

  const ArrowArray* batch_;
  const ArrowArray* column_;
  std::string name_;
  char format_;
};

}  // namespace flowrun::mixers
