#include "config/value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/core.h>

#include "config/utf8.hpp"

namespace flowrun::config {
namespace {

std::string quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      result += "\\u00";
      result += kHex[byte >> 4U];
      result += kHex[byte & 0xFU];
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string escape_substitution(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text.compare(at, 2, "${") == 0) result += '$';
    result += text[at];
  }
  return result;
}

struct TomlPrinter {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return number_text(value); }
  std::string operator()(const std::string& value) const { return quoted(escape_substitution(value)); }
  std::string operator()(const Array& array) const {
    std::string result = "[";
    for (const Value& value : array) result.append(result.size() > 1 ? ", " : "").append(to_toml(value));
    return result + "]";
  }
  std::string operator()(const Table& table) const {
    std::string result = "{";
    for (const Entry& entry : table) {
      result.append(result.size() > 1 ? ", " : " ").append(key_to_toml(entry.key)).append(" = ").append(to_toml(entry.value));
    }
    return result.append(result.size() > 1 ? " }" : "}");
  }
};

}  // namespace

const char* Value::type_name() const noexcept {
  constexpr std::array kNames = {"boolean", "integer", "float", "string", "array", "table"};
  return kNames[data.index()];
}

const Entry* find(const Table& table, std::string_view key) {
  const auto it = std::find_if(table.begin(), table.end(), [&](const Entry& entry) { return entry.key == key; });
  return it != table.end() ? &*it : nullptr;
}

Entry* find(Table& table, std::string_view key) { return const_cast<Entry*>(find(std::as_const(table), key)); }

void assign(Table& table, Entry entry) {
  if (Entry* existing = find(table, entry.key)) {
    *existing = std::move(entry);
  } else {
    table.push_back(std::move(entry));
  }
}

std::optional<double> as_number(const Value& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value.data)) return static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(&value.data)) return *real;
  return std::nullopt;
}

std::string describe(const Value& value) {
  if (const std::string* text = as_string(value)) {
    constexpr std::size_t kShownBytes = 60;
    if (text->size() <= kShownBytes) return fmt::format("'{}'", *text);
    std::size_t end = 0;
    while (end < kShownBytes) end += std::max<std::size_t>(utf8_length(*text, end), 1);
    return fmt::format("'{}...'", text->substr(0, end));
  }
  if (std::holds_alternative<Array>(value.data)) return "an array";
  if (std::holds_alternative<Table>(value.data)) return "a table";
  return to_toml(value);
}

std::string to_toml(const Value& value) { return std::visit(TomlPrinter{}, value.data); }

std::string key_to_toml(std::string_view key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  return bare ? std::string(key) : quoted(key);
}

std::string number_text(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  std::array<char, 32> buffer{};
  const auto [end, status] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  std::string text(buffer.data(), end);
  // TOML reads a number without a point or an exponent as an integer.
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string join(std::string_view scope, std::string_view name) {
  if (scope.empty()) return std::string(name);
  std::string result;
  result.reserve(scope.size() + 1 + name.size());
  return result.append(scope).append("/").append(name);
}

}  // namespace flowrun::config
