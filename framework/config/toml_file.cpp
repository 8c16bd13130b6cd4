#include "config/toml_file.hpp"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_map>

#define TOML_EXCEPTIONS 0
// toml++ 3.3 asserts in places that a user's text can reach, before it reports the same text as an error.
#define TOML_ASSERT(condition) static_assert(true)
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "config/scan.hpp"
#include "config/value.hpp"

namespace flowrun::config {
namespace {

/// Converts toml++'s nodes. Recursion is bounded by scan(): toml++ never holds more levels than that let pass.
class Converter {
 public:
  Converter(const std::string& file, const std::string& base, Reporter& report) : file_(file), base_(base), report_(report) {}

  Value convert(const toml::node& node) {
    Value value;
    value.where = place(node.source());
    value.base = base_;
    switch (node.type()) {
      case toml::node_type::boolean: value.data = node.as_boolean()->get(); break;
      case toml::node_type::integer: value.data = node.as_integer()->get(); break;
      case toml::node_type::floating_point: value.data = node.as_floating_point()->get(); break;
      case toml::node_type::string: value.data = node.as_string()->get(); break;
      case toml::node_type::array: value.data = convert(*node.as_array()); break;
      case toml::node_type::table: value.data = convert(*node.as_table()); break;
      default:
        report_.error(value.where, "wrong_type", "value is a date or a time, expected a string (write it in quotes)",
                      {.found = "date or time", .expected = "string"});
        value.data = std::string();
    }
    return value;
  }

  /// toml++ keeps tables sorted by key; the places give back the order of the file.
  Table convert(const toml::table& table) {
    Table result;
    result.reserve(table.size());
    for (const auto& [key, node] : table) result.push_back({std::string(key.str()), place(key.source()), convert(node)});
    std::stable_sort(result.begin(), result.end(), [](const Entry& a, const Entry& b) {
      return std::tie(a.where.line, a.where.column) < std::tie(b.where.line, b.where.column);
    });
    return result;
  }

 private:
  Array convert(const toml::array& array) {
    Array result;
    result.reserve(array.size());
    for (const toml::node& node : array) result.push_back(convert(node));
    return result;
  }

  SourceLocation place(const toml::source_region& region) const { return {file_, region.begin.line, region.begin.column}; }

  const std::string& file_;
  const std::string& base_;
  Reporter& report_;
};

std::string_view line_of(std::string_view text, std::uint32_t line) {
  for (; line > 1; --line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

/// toml++ 3.3 places "cannot redefine" of a key at its value; a reader looks for the key. In inline tables the place stays.
void point_at_key(SourceLocation& where, std::string_view text, std::string_view description) {
  if (description.find("cannot redefine existing") == std::string_view::npos) return;
  const std::string_view line = line_of(text, where.line);
  const std::size_t key = line.find_first_not_of(" \t");
  if (key == std::string_view::npos || key + 1 >= where.column) return;
  if (line.substr(key, where.column - 1 - key).find_first_of("{[") == std::string_view::npos)
    where.column = static_cast<std::uint32_t>(key + 1);
}

void report_syntax_error(const toml::parse_error& error, const ScannedText& scanned, const std::string& text, const std::string& file,
                         Reporter& report) {
  constexpr std::string_view kPrefix = "Error while parsing ";
  std::string_view description = error.description();
  std::string message = "invalid TOML: ";
  if (description.starts_with(kPrefix)) {
    description.remove_prefix(kPrefix.size());
    message = "invalid TOML in ";
  }
  const toml::source_position begin = error.source().begin;
  SourceLocation where{file, std::max(begin.line, 1U), std::max(begin.column, 1U)};
  if (scanned.stop && std::tie(where.line, where.column) >= std::tie(scanned.stop->where.line, scanned.stop->where.column)) {
    report.error(scanned.stop->where, "toml_syntax", "invalid TOML: " + scanned.stop->message);
    return;
  }
  point_at_key(where, text, description);
  report.error(where, "toml_syntax", message.append(description));
}

/// Takes out the nodes that scan() renamed.
void drop_duplicates(Table& table, const std::unordered_map<std::string, std::string>& duplicates) {
  Entry* nodes = find(table, "node");
  if (duplicates.empty() || nodes == nullptr) return;
  if (auto* entries = std::get_if<Table>(&nodes->value.data)) {
    std::erase_if(*entries, [&](const Entry& entry) { return duplicates.contains(entry.key); });
  }
}

void move_to(Value& value, const SourceLocation& where) {
  value.where = where;
  if (auto* array = std::get_if<Array>(&value.data)) {
    for (Value& element : *array) move_to(element, where);
  } else if (auto* table = std::get_if<Table>(&value.data)) {
    for (Entry& entry : *table) {
      entry.where = where;
      move_to(entry.value, where);
    }
  }
}

bool has_date(const toml::node& node) {
  if (const auto* array = node.as_array())
    return std::any_of(array->begin(), array->end(), [](const toml::node& n) { return has_date(n); });
  if (const auto* table = node.as_table()) {
    return std::any_of(table->begin(), table->end(), [](const auto& entry) { return has_date(entry.second); });
  }
  return node.is_date() || node.is_time() || node.is_date_time();
}

}  // namespace

std::optional<Table> parse_toml(const std::string& text, const std::string& file, const std::string& base, Reporter& report) {
  const std::optional<ScannedText> scanned = scan(text, file, report);
  if (!scanned) return std::nullopt;
  const toml::parse_result parsed = toml::parse(std::string_view(scanned->rewritten ? *scanned->rewritten : text));
  if (!parsed) {
    report_syntax_error(parsed.error(), *scanned, text, file, report);
    return std::nullopt;
  }
  Table table = Converter(file, base, report).convert(parsed.table());
  drop_duplicates(table, scanned->duplicates);
  return table;
}

Value parse_override_value(const std::string& text, const SourceLocation& where, const std::string& base, Reporter& report) {
  Value as_text{text, where, base};
  // The scan decides on caps alone: what it finds wrong otherwise makes the text a string, not an error.
  Diagnostics findings;
  Reporter quiet(findings);
  const std::string document = "v = " + text;
  const std::optional<ScannedText> scanned = scan(document, where.file, quiet);
  if (!scanned) {
    for (const Diagnostic& finding : findings.sorted()) {
      if (finding.code == "too_large")
        report.error(where, finding.code, finding.message, {.found = finding.found, .expected = finding.expected});
    }
    return as_text;
  }
  const toml::parse_result parsed = toml::parse(std::string_view(scanned->rewritten ? *scanned->rewritten : document));
  // A second key means that the text has line breaks and goes on as a document of its own: that is no value.
  if (!parsed || parsed.table().size() != 1) return as_text;
  const toml::node& node = parsed.table().begin()->second;
  if (has_date(node)) return as_text;
  Value value = Converter(where.file, base, report).convert(node);
  move_to(value, where);
  return value;
}

}  // namespace flowrun::config
