#include "jsonl.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <type_traits>
#include <utility>

namespace flowrun::writers {
namespace {

constexpr std::array<std::string_view, 4> kFirstKeys = {"id", "text", "domain", "source"};

/// What follows the backslash of each byte that is escaped: a letter, 'u' for the long form, 0 for none.
constexpr auto kEscapes = [] {
  std::array<char, 256> escapes{};
  for (std::size_t byte = 0; byte < 0x20; ++byte) escapes[byte] = 'u';
  escapes['\b'] = 'b';
  escapes['\f'] = 'f';
  escapes['\n'] = 'n';
  escapes['\r'] = 'r';
  escapes['\t'] = 't';
  escapes['"'] = '"';
  escapes['\\'] = '\\';
  return escapes;
}();

template <class T>
void append_number(const ArrowArray& column, std::int64_t at, std::string& out) {
  const T value = static_cast<const T*>(column.buffers[1])[at];
  if constexpr (std::is_floating_point_v<T>)
    if (!std::isfinite(value)) {
      out += "null";
      return;
    }
  char text[40];  // the longest double has 24 characters
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

bool is_supported(const Field& field) {
  if (field.format == "+l") return field.children.size() == 1 && is_supported(field.children[0]);
  return field.format.size() == 1 && std::string_view("ubcCsSiIlLfg").find(field.format[0]) != std::string_view::npos;
}

/// Appends the value at `at`, which counts from the start of the column's buffers.
void append_value(const Field& field, const ArrowArray& column, std::int64_t at, std::string& out) {
  if (detail::may_be_null(column) && !detail::bit(column.buffers[0], at)) {
    out += "null";
    return;
  }
  switch (field.format[0]) {
    case 'u': {
      const auto* offsets = static_cast<const std::int32_t*>(column.buffers[1]) + at;
      return append_json({static_cast<const char*>(column.buffers[2]) + offsets[0], static_cast<std::size_t>(offsets[1] - offsets[0])}, out);
    }
    case '+': {
      const auto* offsets = static_cast<const std::int32_t*>(column.buffers[1]) + at;
      const ArrowArray& items = *column.children[0];
      out += '[';
      for (std::int32_t i = offsets[0]; i < offsets[1]; ++i) {
        if (i > offsets[0]) out += ',';
        append_value(field.children[0], items, items.offset + i, out);
      }
      out += ']';
      return;
    }
    case 'b': out += detail::bit(column.buffers[1], at) ? "true" : "false"; return;
    case 'c': return append_number<std::int8_t>(column, at, out);
    case 'C': return append_number<std::uint8_t>(column, at, out);
    case 's': return append_number<std::int16_t>(column, at, out);
    case 'S': return append_number<std::uint16_t>(column, at, out);
    case 'i': return append_number<std::int32_t>(column, at, out);
    case 'I': return append_number<std::uint32_t>(column, at, out);
    case 'l': return append_number<std::int64_t>(column, at, out);
    case 'L': return append_number<std::uint64_t>(column, at, out);
    case 'f': return append_number<float>(column, at, out);
    default: return append_number<double>(column, at, out);
  }
}

/// Orders the keys: the first four as they are, the others behind them by name.
std::pair<std::size_t, std::string_view> rank_of(const std::string& name) {
  const auto it = std::find(kFirstKeys.begin(), kFirstKeys.end(), name);
  return {static_cast<std::size_t>(it - kFirstKeys.begin()), it == kFirstKeys.end() ? std::string_view(name) : std::string_view()};
}

}  // namespace

void append_json(std::string_view text, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const char escape = kEscapes[byte];
    if (escape == 0) continue;
    out.append(text, begin, i - begin);
    begin = i + 1;
    (out += '\\') += escape;
    if (escape == 'u') ((out += "00") += kHex[byte >> 4]) += kHex[byte & 15];
  }
  out.append(text, begin);
  out += '"';
}

JsonlFormat::JsonlFormat(const Field& schema) {
  std::vector<std::size_t> order(schema.children.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return rank_of(schema.children[a].name) < rank_of(schema.children[b].name); });
  for (const std::size_t number : order) {
    const Field& field = schema.children[number];
    if (!is_supported(field))
      throw Error(Code::kUnsupported, "column '" + field.name + "' has Arrow format '" + field.format + "', expected text, a boolean, a number, or a list of those");
    std::string key = columns_.empty() ? "{" : ",";
    append_json(field.name, key);
    columns_.push_back({number, field, key += ':'});
  }
}

void JsonlFormat::append(const ArrowArray& batch, std::int64_t row, std::string& out) const {
  for (const Column& column : columns_) {
    const ArrowArray& array = *batch.children[column.number];
    out += column.key;
    append_value(column.field, array, array.offset + batch.offset + row, out);
  }
  out += columns_.empty() ? "{}\n" : "}\n";
}

}  // namespace flowrun::writers
