#pragma once

// A column of numbers of any Arrow width, read as doubles: scores that filters add, lengths, yes or no.

#include <flowrun/descriptor.hpp>
#include <flowrun/message.hpp>
#include <flowrun/nearest.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::mixers {

/// What stands in for null, by column: where streams join, documents of one source may lack another's scores.
using MissingScores = std::map<std::string, double>;

/// Reads a column of a borrowed batch: float32, float64, integers of 8 to 64 bits (exact up to 2^53) or booleans (0 and 1).
class NumberColumn {
 public:
  /// `schema` outlives it. Throws as `check` does.
  NumberColumn(const ArrowArray& batch, const Field& schema, std::string_view name, std::string_view parameter, const MissingScores& missing = {})
      : batch_(&batch), schema_(&schema), column_(batch.children[check(schema, name, parameter)]), name_(name), format_(schema.children[static_cast<std::size_t>(schema.find(name))].format[0]) {
    if (const auto it = missing.find(name_); it != missing.end()) missing_ = it->second;
  }

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

  /// Returns the number in a row of the batch. Throws kInvalidArgument, with the document named, for what is not finite, and for null where nothing stands in.
  double operator[](std::int64_t row) const {
    const std::int64_t at = batch_->offset + column_->offset + row;
    const bool is_null = detail::may_be_null(*column_) && !detail::bit(column_->buffers[0], at);
    if (is_null && missing_) return *missing_;
    const double number = is_null ? NAN : value(at);
    if (!std::isfinite(number))
      throw Error(Code::kInvalidArgument, "column '" + name_ + "' is " + (is_null ? "null" : "not finite") + " for " + document(row) + ", expected a finite number" +
                                              (is_null ? "; 'missing_scores' says what stands in for it, as in { " + json::quote(name_) + " = 0.5 }" : ""));
    return number;
  }

 private:
  /// Returns "document 'books/a.txt#3' of 'books/a.txt' (domain 'books')": tokens may have no column `source`.
  std::string document(std::int64_t row) const {
    const BatchView view(*batch_, *schema_);
    const auto text = [&](const char* column) { return "'" + std::string(view.strings(column)[row]) + "'"; };
    return "document " + text("id") + (schema_->find("source") >= 0 ? " of " + text("source") : "") + " (domain " + text("domain") + ")";
  }

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
  const Field* schema_;
  const ArrowArray* column_;
  std::optional<double> missing_;
  std::string name_;
  char format_;
};

/// Checks that what stands in for null is finite, and of columns that the node reads. Throws kInvalidArgument.
inline void check_missing_scores(const MissingScores& missing, const std::vector<std::string>& columns) {
  for (const auto& [column, number] : missing) {
    if (std::find(columns.begin(), columns.end(), column) == columns.end())
      throw Error(Code::kInvalidArgument, "'missing_scores' names the column '" + column + "', which no other parameter names" + did_you_mean(column, columns));
    if (!std::isfinite(number)) throw Error(Code::kInvalidArgument, "'missing_scores' has " + json::number(number) + " for '" + column + "', expected a finite number");
  }
}

/// Declares what stands in for null.
inline Parameter missing_scores() {
  return numbers_by_key("missing_scores").about("By column: the number of a document that has none (null), such as one of a source without scores. Without it such a document is an error.");
}

}  // namespace flowrun::mixers
