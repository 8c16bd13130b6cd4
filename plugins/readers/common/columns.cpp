#include "readers/common/columns.hpp"

#include <flowrun/error.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>

namespace flowrun::readers {
namespace {

constexpr std::pair<std::string_view, ColumnType> kTypes[] = {{"string", ColumnType::kString}, {"integer", ColumnType::kInteger}, {"number", ColumnType::kNumber}};

std::string_view trim(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(' '), last = text.find_last_not_of(' ');
  return first == std::string_view::npos ? std::string_view() : text.substr(first, last - first + 1);
}

/// Takes ": TYPE" off the end of a name. Where no type stands there, the colon is part of the name.
ColumnType take_type(std::string_view& name) noexcept {
  const std::size_t colon = name.rfind(':');
  if (colon == std::string_view::npos) return ColumnType::kString;
  for (const auto& [text, type] : kTypes) {
    if (trim(name.substr(colon + 1)) != text) continue;
    name = trim(name.substr(0, colon));
    return type;
  }
  return ColumnType::kString;
}

Column read_column(std::string_view text) {
  const std::size_t equals = text.find('=');
  std::string_view name = trim(text.substr(0, equals));
  const ColumnType type = take_type(name);
  const std::string_view from = equals == std::string_view::npos ? name : trim(text.substr(equals + 1));
  if (name.empty() || from.empty())
    throw Error(Code::kInvalidArgument, "column '" + std::string(text) + "' of 'columns' is not understood, expected NAME, NAME = FROM, NAME: TYPE or NAME: TYPE = FROM");
  return {std::string(name), std::string(from), type};
}

template <class T>
std::optional<ColumnValue> read_number(std::string_view text) noexcept {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return ColumnValue(value);
}

}  // namespace

std::vector<Column> read_columns(const std::vector<std::string>& texts) {
  const Field own = fields::documents();
  std::vector<Column> columns;
  for (const std::string& text : texts) {
    Column column = read_column(text);
    if (own.find(column.name) >= 0)
      throw Error(Code::kInvalidArgument, "column '" + column.name + "' of 'columns' is one that every document has, expected another name, as in \"" + column.name +
                                              "_found = " + column.from + "\"");
    if (std::any_of(columns.begin(), columns.end(), [&](const Column& other) { return other.name == column.name; }))
      throw Error(Code::kInvalidArgument, "column '" + column.name + "' stands twice in 'columns', expected different names");
    columns.push_back(std::move(column));
  }
  return columns;
}

std::optional<ColumnValue> read_value(ColumnType type, std::string_view text) noexcept {
  switch (type) {
    case ColumnType::kString: return ColumnValue(text);
    case ColumnType::kInteger: return read_number<std::int64_t>(text);
    case ColumnType::kNumber: break;
  }
  const auto value = read_number<double>(text);
  return value && std::isfinite(std::get<double>(*value)) ? value : std::nullopt;
}

const char* describe_type(ColumnType type) noexcept {
  switch (type) {
    case ColumnType::kString: return "a string";
    case ColumnType::kInteger: return "an integer of 64 bits";
    case ColumnType::kNumber: break;
  }
  return "a finite number";
}

Field column_field(const Column& column) {
  static constexpr const char* kFormats[] = {"u", "l", "g"};
  return {column.name, kFormats[static_cast<int>(column.type)], true, {}};
}

void ColumnBuilder::append(const ColumnValue& value) {
  if (rows_ % 8 == 0) valid_.push_back(0);
  if (value.index() == 0) ++null_count_;
  else detail::set_bit(valid_, rows_);
  ++rows_;
  if (type_ != ColumnType::kString) {
    std::uint8_t bytes[8] = {};
    if (const auto* integer = std::get_if<std::int64_t>(&value)) std::memcpy(bytes, integer, 8);
    if (const auto* number = std::get_if<double>(&value)) std::memcpy(bytes, number, 8);
    data_.insert(data_.end(), bytes, bytes + 8);
    return;
  }
  if (const auto* text = std::get_if<std::string_view>(&value)) data_.insert(data_.end(), text->begin(), text->end());
  if (data_.size() > static_cast<std::size_t>(INT32_MAX)) throw Error(Code::kUnsupported, "more than 2 GiB of one column in one batch");
  offsets_.push_back(static_cast<std::int32_t>(data_.size()));
}

OwnedArray ColumnBuilder::finish() {
  auto holder = std::make_unique<detail::ArrayHolder>();
  holder->buffers[0] = std::exchange(valid_, {});
  if (null_count_ > 0) holder->pointers[0] = holder->buffers[0].data();
  holder->buffers[1] = std::exchange(data_, {});
  const bool text = type_ == ColumnType::kString;
  if (text) {
    holder->buffers[2] = detail::to_bytes(offsets_);
    holder->pointers[1] = holder->buffers[2].data();
  }
  holder->pointers[text ? 2 : 1] = holder->buffers[1].data();
  offsets_.assign(1, 0);
  return detail::make_array(std::move(holder), std::exchange(rows_, 0), text ? 3 : 2, std::exchange(null_count_, 0));
}

}  // namespace flowrun::readers
