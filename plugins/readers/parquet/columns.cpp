#include "columns.hpp"

#include <flowrun/error.hpp>
#include <flowrun/nearest.hpp>
#include <parquet/types.h>

#include <array>
#include <charconv>
#include <type_traits>
#include <utility>
#include <vector>

#include "readers/common/utf8.hpp"

namespace flowrun::readers {
namespace {

using parquet::ColumnDescriptor;
using parquet::LogicalType;
using parquet::Type;

std::string dot_path(const ColumnDescriptor& column) { return column.path()->ToDotString(); }

/// Returns the Arrow format of a leaf's values, "" where documents have no column of its type.
std::string format_of(const ColumnDescriptor& column) {
  const auto& logical = column.logical_type();
  const bool plain = !logical || logical->is_none() || logical->is_invalid();
  switch (column.physical_type()) {
    case Type::BOOLEAN: return plain ? "b" : "";
    case Type::FLOAT: return plain ? "f" : "";
    case Type::DOUBLE: return plain ? "g" : "";
    // Old writers do not say that their bytes are text; every value is checked.
    case Type::BYTE_ARRAY: return plain || logical->is_string() || logical->is_enum() || logical->is_JSON() ? "u" : "";
    case Type::INT32:
    case Type::INT64: {
      const bool wide = column.physical_type() == Type::INT64;
      if (plain) return wide ? "l" : "i";
      if (!logical->is_int()) return "";
      const auto& integer = static_cast<const parquet::IntLogicalType&>(*logical);
      switch (integer.bit_width()) {
        case 8: return integer.is_signed() ? "c" : "C";
        case 16: return integer.is_signed() ? "s" : "S";
        case 32: return integer.is_signed() ? "i" : "I";
        default: return integer.is_signed() ? "l" : "L";
      }
    }
    default: return "";
  }
}

std::string type_text(const ColumnDescriptor& column) {
  const auto& logical = column.logical_type();
  const bool plain = !logical || logical->is_none() || logical->is_invalid();
  return parquet::TypeToString(column.physical_type()) + (plain ? "" : " (" + logical->ToString() + ")");
}

/// Lists the names that may be asked for, the first twenty.
std::string names_of(const parquet::SchemaDescriptor& schema, const std::string& prefix) {
  std::string names;
  int listed = 0;
  for (int i = 0; i < schema.num_columns(); ++i) {
    const std::string path = dot_path(*schema.Column(i));
    if (!path.starts_with(prefix)) continue;
    if (listed++ == 20) return names + ", ...";
    if (!names.empty()) names += ", ";
    names += "'" + path + "'";
  }
  return names;
}

std::vector<std::string> all_names(const parquet::SchemaDescriptor& schema) {
  std::vector<std::string> names;
  for (int i = 0; i < schema.num_columns(); ++i) names.push_back(dot_path(*schema.Column(i)));
  return names;
}

/// Returns the definition level at which the repeated ancestor of a leaf has an element, 0 where there is none.
std::int16_t element_level(const ColumnDescriptor& column) {
  std::int16_t level = 0;
  bool below = true;
  for (const parquet::schema::Node* node = column.schema_node().get(); node->parent() != nullptr; node = node->parent()) {
    if (node->is_repeated()) below = false;
    if (!below && !node->is_required()) ++level;
  }
  return level;
}

template <class Parquet>
class Rows : public ColumnRows {
  using Value = typename Parquet::c_type;

 public:
  Rows(const LeafColumn& column, std::shared_ptr<parquet::ColumnReader> reader, std::int64_t expected_rows)
      : reader_(std::static_pointer_cast<parquet::TypedColumnReader<Parquet>>(std::move(reader))),
        expected_rows_(expected_rows),
        value_level_(reader_->descr()->max_definition_level()),
        element_level_(element_level(*reader_->descr())),
        list_(column.field.format == "+l"),
        kind_((list_ ? column.field.children[0] : column.field).format[0]) {}

  void advance() override {
    if (!fill()) throw Error(Code::kCorruptData, "the column ends after " + std::to_string(row_) + " rows, expected " + std::to_string(expected_rows_) + " as the footer says");
    ++row_;
    if (list_) return gather_list();
    value_ = take();
  }

  void check_end() override {
    if (fill()) throw Error(Code::kCorruptData, "the column has more than the " + std::to_string(expected_rows_) + " rows that the footer says");
  }

  std::optional<std::string_view> text() override {
    if (!value_) return std::nullopt;
    if constexpr (std::is_same_v<Value, parquet::ByteArray>) {
      return view(*value_);
    } else if constexpr (std::is_same_v<Value, std::int32_t> || std::is_same_v<Value, std::int64_t>) {
      const bool is_unsigned = kind_ == 'C' || kind_ == 'S' || kind_ == 'I' || kind_ == 'L';
      char* const end = digits_.data() + digits_.size();
      const auto result = is_unsigned ? std::to_chars(digits_.data(), end, static_cast<std::make_unsigned_t<Value>>(*value_)) : std::to_chars(digits_.data(), end, *value_);
      return std::string_view(digits_.data(), static_cast<std::size_t>(result.ptr - digits_.data()));
    } else {
      throw Error(Code::kInternal, "neither text nor an integer");
    }
  }

  std::optional<std::string_view> find_bad_utf8() const override {
    if constexpr (std::is_same_v<Value, parquet::ByteArray>) {
      const auto is_bad = [](std::string_view text) { return find_invalid_utf8(text) != std::string_view::npos; };
      if (!list_) return value_ && is_bad(view(*value_)) ? std::optional(view(*value_)) : std::nullopt;
      for (const auto& item : items_)
        if (item && is_bad(*item)) return std::string_view(*item);
    }
    return std::nullopt;
  }

  void append_to(TypedColumnBuilder& builder) const override {
    if (!list_) return append_value(value_, builder);
    if (null_list_) return builder.append_null();
    for (const auto& item : items_) append_value(item, builder.items());
    builder.end_list();
  }

 private:
  /// Values of a list must outlive the page that they were in, because a row may go on in the next one.
  using Kept = std::conditional_t<std::is_same_v<Value, parquet::ByteArray>, std::string, Value>;
  static constexpr std::int64_t kChunk = 1024;

  static std::string_view view(const parquet::ByteArray& bytes) noexcept { return {reinterpret_cast<const char*>(bytes.ptr), bytes.len}; }

  /// Makes sure that there is a level to take; false at the end of the column.
  bool fill() {
    while (next_level_ == level_count_) {
      if (!reader_->HasNext()) return false;
      next_level_ = next_value_ = value_count_ = 0;
      level_count_ = reader_->ReadBatch(kChunk, definition_.data(), repetition_.data(), values_.data(), &value_count_);
      if (level_count_ == 0) return false;
    }
    return true;
  }

  /// Takes a level and, where there is one, its value.
  std::optional<Value> take() {
    const auto level = static_cast<std::size_t>(next_level_++);
    if (definition_[level] != value_level_) return std::nullopt;
    if (next_value_ == value_count_) throw Error(Code::kCorruptData, "a page has fewer values than its levels say");
    return values_[static_cast<std::size_t>(next_value_++)];
  }

  void gather_list() {
    items_.clear();
    const std::int16_t definition = definition_[static_cast<std::size_t>(next_level_)];
    if (repetition_[static_cast<std::size_t>(next_level_)] != 0) throw Error(Code::kCorruptData, "a page begins within a list");
    null_list_ = definition + 1 < element_level_;
    if (definition < element_level_) {
      ++next_level_;
      return;
    }
    do {
      if (const auto value = take()) {
        if constexpr (std::is_same_v<Value, parquet::ByteArray>) items_.emplace_back(std::string(view(*value)));
        else items_.emplace_back(*value);
      } else {
        items_.emplace_back(std::nullopt);
      }
    } while (fill() && repetition_[static_cast<std::size_t>(next_level_)] != 0);
  }

  template <class Item>
  void append_value(const std::optional<Item>& value, TypedColumnBuilder& builder) const {
    if (!value) return builder.append_null();
    if constexpr (std::is_same_v<Item, parquet::ByteArray>) builder.append_text(view(*value));
    else if constexpr (std::is_same_v<Item, std::string>) builder.append_text(*value);
    else if constexpr (std::is_same_v<Item, bool>) builder.append_boolean(*value);
    else if constexpr (std::is_same_v<Item, std::int32_t>) append_narrow(*value, builder);
    else builder.append_number(*value);
  }

  void append_narrow(std::int32_t value, TypedColumnBuilder& builder) const {
    switch (kind_) {
      case 'c':
      case 'C': return builder.append_number(static_cast<std::uint8_t>(value));
      case 's':
      case 'S': return builder.append_number(static_cast<std::uint16_t>(value));
      default: return builder.append_number(value);
    }
  }

  std::shared_ptr<parquet::TypedColumnReader<Parquet>> reader_;
  const std::int64_t expected_rows_;
  const std::int16_t value_level_, element_level_;
  const bool list_;
  const char kind_;  ///< Arrow's letter of the values
  std::int64_t row_ = 0;

  std::array<std::int16_t, kChunk> definition_{}, repetition_{};  ///< zeros where a column has no levels
  std::array<Value, kChunk> values_{};
  std::int64_t next_level_ = 0, level_count_ = 0, next_value_ = 0, value_count_ = 0;

  std::optional<Value> value_;              ///< of a row that is no list
  std::vector<std::optional<Kept>> items_;  ///< of a list
  bool null_list_ = false;
  std::array<char, 24> digits_{};
};

}  // namespace

LeafColumn find_column(const parquet::SchemaDescriptor& schema, const std::string& name) {
  LeafColumn found;
  int below = 0;
  for (int i = 0; i < schema.num_columns(); ++i) {
    const std::string path = dot_path(*schema.Column(i));
    if (path == name) {
      found.index = i;
      below = 1;
      break;
    }
    if (path.starts_with(name + ".") && below++ == 0) found.index = i;
  }
  if (below == 0) throw Error(Code::kInvalidArgument, "there is no column '" + name + "', expected one of " + names_of(schema, "") + did_you_mean(name, all_names(schema)));
  const ColumnDescriptor& column = *schema.Column(found.index);
  const bool is_list = column.max_repetition_level() == 1;
  if (below > 1 || column.max_repetition_level() > 1 || (!is_list && dot_path(column) != name))
    throw Error(Code::kInvalidArgument, "column '" + name + "' holds more than one value or one list of values, expected the name of a part: " + names_of(schema, name + "."));
  const std::string format = format_of(column);
  if (format.empty())
    throw Error(Code::kInvalidArgument, "column '" + name + "' has the type " + type_text(column) + ", expected text, a boolean, an integer, a float or a double");
  found.field = {name, format, true, {}};
  if (is_list) found.field = {name, "+l", true, {{"item", format, true, {}}}};
  return found;
}

std::unique_ptr<ColumnRows> ColumnRows::make(const LeafColumn& column, std::shared_ptr<parquet::ColumnReader> reader, std::int64_t expected_rows) {
  switch (reader->type()) {
    case Type::BOOLEAN: return std::make_unique<Rows<parquet::BooleanType>>(column, std::move(reader), expected_rows);
    case Type::INT32: return std::make_unique<Rows<parquet::Int32Type>>(column, std::move(reader), expected_rows);
    case Type::INT64: return std::make_unique<Rows<parquet::Int64Type>>(column, std::move(reader), expected_rows);
    case Type::FLOAT: return std::make_unique<Rows<parquet::FloatType>>(column, std::move(reader), expected_rows);
    case Type::DOUBLE: return std::make_unique<Rows<parquet::DoubleType>>(column, std::move(reader), expected_rows);
    case Type::BYTE_ARRAY: return std::make_unique<Rows<parquet::ByteArrayType>>(column, std::move(reader), expected_rows);
    default: throw Error(Code::kInternal, "a column of a type that was refused");
  }
}

}  // namespace flowrun::readers
