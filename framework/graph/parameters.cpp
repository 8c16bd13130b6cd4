#include "graph/parameters.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <flowrun/error.hpp>
#include <flowrun/nearest.hpp>

#include "config/value.hpp"
#include "graph/resolved_graph.hpp"

namespace flowrun::graph {
namespace {

namespace fs = std::filesystem;

/// Adds findings about one parameter's value.
struct Finder {
  const plugin::ParameterInfo& parameter;
  const NodePlace& place;
  config::Diagnostics& diagnostics;

  void add(const config::Value& value, const char* code, std::string message, std::string found, std::string expected) const {
    diagnostics.add({.where = value.where, .severity = config::Severity::kError, .code = code, .message = std::move(message), .found = std::move(found),
                     .expected = std::move(expected), .suggestion = {}, .node = place.node, .plugin = place.plugin});
  }
  nlohmann::json wrong_type(const config::Value& value, const std::string& expected) const {
    add(value, "wrong_type", fmt::format("'{}' is {} {}, expected {}", parameter.name, value.type_name()[0] == 'i' || value.type_name()[0] == 'a' ? "an" : "a", value.type_name(), expected),
        value.type_name(), expected);
    return nullptr;
  }
};

std::string range_text(const plugin::ParameterInfo& parameter) {
  const auto number = [&](double value) { return parameter.type == "integer" ? fmt::format("{}", static_cast<std::int64_t>(value)) : fmt::format("{}", value); };
  if (parameter.min && parameter.max) return fmt::format("{} to {}", number(*parameter.min), number(*parameter.max));
  return parameter.min ? "at least " + number(*parameter.min) : "at most " + number(*parameter.max);
}

/// Checks a number against the range; returns whether it lies within.
bool in_range(const Finder& finder, const config::Value& value, double number, const std::string& shown) {
  const auto& parameter = finder.parameter;
  if (std::isfinite(number) && !(parameter.min && number < *parameter.min) && !(parameter.max && number > *parameter.max)) return true;
  const std::string expected = parameter.min || parameter.max ? range_text(parameter) : "a finite number";
  finder.add(value, "out_of_range", fmt::format("'{}' is {}, expected {}", parameter.name, shown, expected), shown, expected);
  return false;
}

const std::string* text_of(const config::Value& value) { return std::get_if<std::string>(&value.data); }

/// Rewrites a relative path to stand on `base`.
std::string rebase(const config::Value& value, const std::string& text, const std::string& base) {
  if (fs::path(text).is_absolute() || value.base == base || value.base.empty()) return text;
  return (fs::path(value.base) / text).lexically_normal().lexically_relative(fs::path(base).lexically_normal()).string();
}

nlohmann::json one_path(config::Value& value, const std::string& base) {
  std::string path = rebase(value, *text_of(value), base);
  value.data = path;
  value.base = base;
  return path;
}

nlohmann::json path_list(const Finder& finder, config::Value& value, const std::string& base) {
  if (text_of(value)) {
    const nlohmann::json one = one_path(value, base);
    return nlohmann::json::array({one});
  }
  auto* array = std::get_if<config::Array>(&value.data);
  if (array == nullptr) return finder.wrong_type(value, "an array of paths");
  nlohmann::json list = nlohmann::json::array();
  for (auto& item : *array) {
    if (!text_of(item)) return finder.wrong_type(item, "a string");
    list.push_back(one_path(item, base));
  }
  if (list.empty()) {
    finder.add(value, "out_of_range", fmt::format("'{}' is empty, expected at least one path", finder.parameter.name), "an empty array", "at least one path");
    return nullptr;
  }
  return list;
}

/// Takes a path that stays inside the run's folder.
nlohmann::json output_path(const Finder& finder, const config::Value& value) {
  const std::string* text = text_of(value);
  if (!text) return finder.wrong_type(value, "a path");
  const fs::path path = fs::path(*text).lexically_normal();
  if (!path.empty() && path.is_relative() && *path.begin() != ".." && path.has_filename() && path != ".") return path.string();
  const std::string expected = "the path of a file inside the run's folder";
  finder.add(value, "out_of_range", fmt::format("'{}' is '{}', expected {}", finder.parameter.name, *text, expected), *text, expected);
  return nullptr;
}

nlohmann::json string_value(const Finder& finder, const config::Value& value) {
  const auto& parameter = finder.parameter;
  const std::string* text = text_of(value);
  if (!text) return finder.wrong_type(value, parameter.choices.empty() ? "a string" : fmt::format("one of {}", fmt::join(parameter.choices, ", ")));
  if (!parameter.choices.empty() && std::find(parameter.choices.begin(), parameter.choices.end(), *text) == parameter.choices.end()) {
    const std::string expected = fmt::format("one of {}", fmt::join(parameter.choices, ", "));
    config::Diagnostic diagnostic{.where = value.where, .severity = config::Severity::kError, .code = "out_of_range",
                                  .message = fmt::format("'{}' is '{}', expected {}", parameter.name, *text, expected), .found = *text, .expected = expected,
                                  .suggestion = nearest(*text, parameter.choices), .node = finder.place.node, .plugin = finder.place.plugin};
    finder.diagnostics.add(std::move(diagnostic));
    return nullptr;
  }
  return *text;
}

nlohmann::json number_table(const Finder& finder, const config::Value& value) {
  const auto* table = std::get_if<config::Table>(&value.data);
  if (table == nullptr) return finder.wrong_type(value, "a table of numbers");
  nlohmann::json object = nlohmann::json::object();
  for (const auto& entry : *table) {
    const auto number = config::as_number(entry.value);
    if (!number) return finder.wrong_type(entry.value, "a number");
    if (!in_range(finder, entry.value, *number, fmt::format("{}", *number))) return nullptr;
    object[entry.key] = *number;
  }
  return object;
}

/// Checks one table of a list, which messages call `name`.
nlohmann::json table_value(const Finder& finder, config::Table& table, const std::string& name, const config::Value& whole, const std::string& base) {
  nlohmann::json object = nlohmann::json::object();
  std::vector<std::string> names;
  for (plugin::ParameterInfo field : finder.parameter.fields) {
    names.push_back(field.name);
    config::Entry* entry = config::find(table, field.name);
    if (entry == nullptr && !field.default_value.is_null()) object[field.name] = field.default_value;
    if (entry == nullptr && field.required)
      finder.add(whole, "missing_key", fmt::format("'{}.{}' is missing: {}", name, field.name, field.description), {}, field.name);
    if (entry == nullptr) continue;
    const std::string key = std::exchange(field.name, name + "." + field.name);
    if (auto found = parameter_value(field, entry->value, base, finder.place, finder.diagnostics); !found.is_null()) object[key] = std::move(found);
  }
  for (const auto& entry : table)
    if (std::find(names.begin(), names.end(), entry.key) == names.end())
      finder.diagnostics.add({.where = entry.where, .severity = config::Severity::kError, .code = "unknown_key",
                              .message = fmt::format("'{}' has no field '{}'", name, entry.key), .found = entry.key, .expected = {},
                              .suggestion = nearest(entry.key, names), .node = finder.place.node, .plugin = finder.place.plugin});
  return object;
}

/// Checks the tables of a list, each against the parameter's fields; defaults are filled in.
nlohmann::json table_list(const Finder& finder, config::Value& value, const std::string& base) {
  auto* array = std::get_if<config::Array>(&value.data);
  if (array == nullptr) return finder.wrong_type(value, "an array of tables");
  nlohmann::json list = nlohmann::json::array();
  for (std::size_t i = 0; i < array->size(); ++i) {
    auto* table = std::get_if<config::Table>(&(*array)[i].data);
    if (table == nullptr) return finder.wrong_type((*array)[i], "a table");
    list.push_back(table_value(finder, *table, fmt::format("{}[{}]", finder.parameter.name, i), (*array)[i], base));
  }
  return list;
}

}  // namespace

nlohmann::json parameter_value(const plugin::ParameterInfo& parameter, config::Value& value, const std::string& base, const NodePlace& place,
                               config::Diagnostics& diagnostics) {
  const Finder finder{parameter, place, diagnostics};
  const std::string& type = parameter.type;
  if (type == "boolean") {
    const bool* flag = std::get_if<bool>(&value.data);
    return flag ? nlohmann::json(*flag) : finder.wrong_type(value, "a boolean");
  }
  if (type == "integer") {
    const auto* whole = std::get_if<std::int64_t>(&value.data);
    if (!whole) return finder.wrong_type(value, "an integer");
    return in_range(finder, value, static_cast<double>(*whole), std::to_string(*whole)) ? nlohmann::json(*whole) : nullptr;
  }
  if (type == "float") {
    const auto number = config::as_number(value);
    if (!number) return finder.wrong_type(value, "a number");
    return in_range(finder, value, *number, fmt::format("{}", *number)) ? nlohmann::json(*number) : nullptr;
  }
  if (type == "string") return string_value(finder, value);
  if (type == "output_path") return output_path(finder, value);
  if (type == "path") return text_of(value) ? one_path(value, base) : finder.wrong_type(value, "a path");
  if (type == "paths") return path_list(finder, value, base);
  if (type == "list<string>") {
    const auto* array = std::get_if<config::Array>(&value.data);
    if (array == nullptr) return finder.wrong_type(value, "an array of strings");
    nlohmann::json list = nlohmann::json::array();
    for (const auto& item : *array) {
      if (!text_of(item)) return finder.wrong_type(item, "a string");
      list.push_back(*text_of(item));
    }
    return list;
  }
  if (type == "table<float>") return number_table(finder, value);
  if (type == "list<table>") return table_list(finder, value, base);
  throw Error(Code::kInternal, fmt::format("parameter '{}' has type '{}', which the host does not know", parameter.name, type));
}

void check_constraints(const plugin::DescriptorInfo& descriptor, const nlohmann::json& parameters, const std::vector<std::string>& connected,
                       const config::Table& keys, const config::SourceLocation& node_where, const NodePlace& place, config::Diagnostics& diagnostics) {
  const auto present = [&](const std::string& name) {
    return (parameters.contains(name) && !parameters[name].is_null()) || std::find(connected.begin(), connected.end(), name) != connected.end();
  };
  for (const auto& constraint : descriptor.constraints) {
    config::SourceLocation where = node_where;
    for (const auto& entry : keys)
      if (std::find(constraint.names.begin(), constraint.names.end(), entry.key) != constraint.names.end()) where = entry.where;
    const auto add = [&](const std::string& message) {
      diagnostics.add({.where = where, .severity = config::Severity::kError, .code = "constraint", .message = message, .found = {}, .expected = {}, .suggestion = {},
                       .node = place.node, .plugin = place.plugin});
    };
    const auto count = std::count_if(constraint.names.begin(), constraint.names.end(), present);
    if (constraint.kind == "exactly_one_of" && count != 1)
      add(fmt::format("exactly one of '{}' must be given, found {}", fmt::join(constraint.names, "', '"), count));
    if (constraint.kind == "at_most_one_of" && count > 1)
      add(fmt::format("at most one of '{}' may be given, found {}", fmt::join(constraint.names, "', '"), count));
    if (constraint.kind != "less_or_equal" && constraint.kind != "multiple_of") continue;
    const std::string &a = constraint.names.at(0), &b = constraint.names.at(1);
    if (!present(a) || !present(b) || !parameters[a].is_number() || !parameters[b].is_number()) continue;
    if (constraint.kind == "less_or_equal" && parameters[a].get<double>() > parameters[b].get<double>())
      add(fmt::format("'{}' is {} and '{}' is {}, expected '{}' to be at most '{}'", a, parameters[a].dump(), b, parameters[b].dump(), a, b));
    // 0 stands for "derived", as in n_kv_heads = 0.
    if (constraint.kind == "multiple_of" && parameters[b].get<std::int64_t>() != 0 && parameters[a].get<std::int64_t>() % parameters[b].get<std::int64_t>() != 0)
      add(fmt::format("'{}' is {}, expected a multiple of '{}', which is {}", a, parameters[a].dump(), b, parameters[b].dump()));
  }
}

}  // namespace flowrun::graph
