#include "column_arrays.hpp"

#include <flowrun/error.hpp>

#include <string_view>

#include "shard.hpp"

namespace flowrun::writers {
namespace {

/// Returns safetensors' name of a type of numbers, nullptr for other formats.
const char* dtype_of(const std::string& format) noexcept {
  switch (format.size() == 1 ? format[0] : '\0') {
    case 'b': return "BOOL";
    case 'c': return "I8";
    case 'C': return "U8";
    case 's': return "I16";
    case 'S': return "U16";
    case 'i': return "I32";
    case 'I': return "U32";
    case 'l': return "I64";
    case 'L': return "U64";
    case 'e': return "F16";
    case 'f': return "F32";
    case 'g': return "F64";
    default: return nullptr;
  }
}

bool is_bytes(const Field& field) noexcept { return field.format == "u" || field.format == "z"; }
bool is_list(const Field& field) noexcept { return field.format == "+l" && field.children.size() == 1; }
std::int64_t width_of(const Field& field) noexcept { return field.format == "b" ? 1 : detail::bit_width(field.format[0]) / 8; }

std::size_t add(std::vector<ArraySpec>& specs, ArraySpec spec) {
  specs.push_back(std::move(spec));
  return specs.size() - 1;
}

}  // namespace

ColumnArrays::ColumnArrays(const Field& field, const std::string& name, std::vector<ArraySpec>& specs) : field_(field) {
  if (field.nullable) valid_ = add(specs, {name + ":valid", "BOOL", 1});
  if (is_bytes(field) || is_list(field)) offsets_ = add(specs, {name + ":offsets", "I64", 8});
  if (is_bytes(field)) {
    values_ = add(specs, {name + ":bytes", "U8", 1});
  } else if (is_list(field)) {
    items_.emplace_back(field.children[0], name + ":items", specs);
  } else {
    const char* dtype = dtype_of(field.format);
    if (dtype == nullptr)
      throw Error(Code::kUnsupported, "column '" + name + "' has Arrow format '" + field.format + "', expected text, bytes, booleans, numbers, or lists of those");
    values_ = add(specs, {name, dtype, width_of(field)});
  }
}

void ColumnArrays::begin(SafetensorsOutput& out) {
  if (is_bytes(field_) || is_list(field_)) out.append(offsets_, bytes_of(end_));
  for (ColumnArrays& items : items_) items.begin(out);
}

void ColumnArrays::append(const ArrowArray& column, std::int64_t first, std::int64_t n, SafetensorsOutput& out) {
  for (std::int64_t at = first; at < first + n; ++at) append_value(column, at, out);
}

void ColumnArrays::append_value(const ArrowArray& column, std::int64_t at, SafetensorsOutput& out) {
  const bool is_valid = !detail::may_be_null(column) || detail::bit(column.buffers[0], at);
  if (field_.nullable) out.append(valid_, is_valid ? std::string_view("\1", 1) : std::string_view("\0", 1));
  else if (!is_valid) throw Error(Code::kInvalidArgument, "column '" + field_.name + "' is null for a document, but its schema has no nulls");
  if (is_list(field_)) {
    const auto* offsets = static_cast<const std::int32_t*>(column.buffers[1]) + at;
    const std::int64_t count = is_valid ? offsets[1] - offsets[0] : 0;
    if (count > 0) items_[0].append(*column.children[0], column.children[0]->offset + offsets[0], count, out);
    end_ += count;
    out.append(offsets_, bytes_of(end_));
  } else if (is_bytes(field_)) {
    const std::string_view bytes = is_valid ? bytes_at(column, at) : std::string_view();
    out.append(values_, bytes);
    end_ += static_cast<std::int64_t>(bytes.size());
    out.append(offsets_, bytes_of(end_));
  } else {
    // What stands in memory for a null may be anything; the file must not depend on it.
    static constexpr std::string_view kZero("\0\0\0\0\0\0\0\0", 8);
    out.append(values_, is_valid ? bytes_at(column, at) : kZero.substr(0, static_cast<std::size_t>(width_of(field_))));
  }
}

std::string_view ColumnArrays::bytes_at(const ArrowArray& column, std::int64_t at) const noexcept {
  if (field_.format == "b") return detail::bit(column.buffers[1], at) ? std::string_view("\1", 1) : std::string_view("\0", 1);
  if (is_bytes(field_)) {
    const auto* offsets = static_cast<const std::int32_t*>(column.buffers[1]) + at;
    return {static_cast<const char*>(column.buffers[2]) + offsets[0], static_cast<std::size_t>(offsets[1] - offsets[0])};
  }
  const auto width = static_cast<std::size_t>(width_of(field_));
  return {static_cast<const char*>(column.buffers[1]) + static_cast<std::size_t>(at) * width, width};
}

}  // namespace flowrun::writers
