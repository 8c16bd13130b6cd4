#pragma once

// Parameters for a node that runs alone: what a test gives, and the descriptor's defaults for the rest.

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "../abi.h"
#include "../error.hpp"
#include "../params.hpp"
#include "json.hpp"

namespace flowrun::testing {

/// Files for a "path" or "paths" parameter, as absolute path and display name; a plain path is its own display name.
struct Paths {
  std::vector<InputFile> files;
  Paths(std::initializer_list<InputFile> list) : files(list) {}
  explicit Paths(const std::vector<std::string>& names) {
    for (const auto& name : names) files.push_back({std::filesystem::absolute(name).string(), name});
  }
};

/// The value of one parameter.
class Value {
 public:
  using Table = std::map<std::string, double>;
  using Tables = std::vector<std::vector<std::pair<std::string, Value>>>;  ///< each with its fields
  Value(bool value) : value_(value) {}
  Value(int value) : value_(std::int64_t{value}) {}
  Value(std::int64_t value) : value_(value) {}
  Value(double value) : value_(value) {}
  Value(const char* value) : value_(std::string(value)) {}
  Value(std::string value) : value_(std::move(value)) {}
  Value(std::vector<std::string> values) : value_(std::move(values)) {}
  Value(Table values) : value_(std::move(values)) {}
  Value(Paths paths) : value_(std::move(paths.files)) {}
  Value(Tables tables) : value_(std::move(tables)) {}

  template <class T>
  const T* get() const noexcept {
    return std::get_if<T>(&value_);
  }
  /// Returns whether a parameter of the descriptor's type may hold this value; integers stand for floats as in TOML.
  bool fits(std::string_view type) const noexcept {
    if (get<bool>()) return type == "boolean";
    if (get<std::int64_t>()) return type == "integer" || type == "float";
    if (get<double>()) return type == "float";
    if (get<std::string>()) return type == "string" || type == "output_path";
    if (get<std::vector<std::string>>()) return type == "list<string>";
    if (get<Table>()) return type == "table<float>";
    if (get<Tables>()) return type == "list<table>";
    return type == "path" || type == "paths";
  }

 private:
  std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>, Table, std::vector<InputFile>, Tables> value_;
};

using Parameters = std::initializer_list<std::pair<std::string, Value>>;

/// Checks given parameters against a descriptor, fills in its defaults, and lends them as the C table.
class ParameterTable {
 public:
  /// Throws kInvalidArgument for a name or type that the descriptor does not declare, and for a required one that is missing.
  ParameterTable(const Json& descriptor, const std::vector<std::pair<std::string, Value>>& given) {
    add(descriptor["parameters"], given, "");
    fill_table();
  }
  ParameterTable(const ParameterTable&) = delete;
  ParameterTable& operator=(const ParameterTable&) = delete;

  const flowrun_params* table() const noexcept { return &table_; }

 private:
  /// Adds parameters, or the fields of a table whose names begin with `prefix`.
  void add(const Json& parameters, const std::vector<std::pair<std::string, Value>>& given, const std::string& prefix) {
    for (const auto& [name, value] : given) {
      const Json* declared = find(parameters, name);
      if (declared == nullptr) throw Error(Code::kInvalidArgument, "the descriptor declares no parameter '" + prefix + name + "'");
      if (!value.fits((*declared)["type"].text))
        throw Error(Code::kInvalidArgument, "parameter '" + prefix + name + "' is declared as " + (*declared)["type"].text);
      values_.insert_or_assign(prefix + name, value);
      if (const auto* tables = value.get<Value::Tables>())
        for (std::size_t i = 0; i < tables->size(); ++i) add((*declared)["fields"], (*tables)[i], prefix + name + "." + std::to_string(i) + ".");
    }
    for (const Json& parameter : parameters.items) {
      const std::string name = prefix + parameter["name"].text;
      if (values_.contains(name)) continue;
      if (parameter["required"].boolean) throw Error(Code::kInvalidArgument, "parameter '" + name + "' is required");
      if (!parameter["default"].is_null()) values_.insert_or_assign(name, from_default(parameter));
    }
  }

  static const Json* find(const Json& parameters, const std::string& name) {
    for (const Json& parameter : parameters.items)
      if (parameter["name"].text == name) return &parameter;
    return nullptr;
  }

  static Value from_default(const Json& parameter) {
    const Json& value = parameter["default"];
    switch (value.kind) {
      case Json::Kind::kBool: return value.boolean;
      case Json::Kind::kString: return value.text;
      case Json::Kind::kNumber: return parameter["type"].text == "integer" ? Value(static_cast<std::int64_t>(std::stoll(value.text))) : Value(value.number());
      case Json::Kind::kArray: {
        std::vector<std::string> texts;
        for (const Json& item : value.items) texts.push_back(item.text);
        return texts;
      }
      default: throw Error(Code::kInvalidArgument, "parameter '" + parameter["name"].text + "' has a default of an unknown kind");
    }
  }

  template <class T>
  static const T* get(const flowrun_params* params, const char* name) {
    const auto& values = static_cast<const ParameterTable*>(params->host)->values_;
    const auto it = values.find(name);
    return it == values.end() ? nullptr : it->second.get<T>();
  }

  static std::int32_t give(const std::string* text, const char** value, std::size_t* length) {
    if (text == nullptr) return 0;
    *value = text->data();
    *length = text->size();
    return 1;
  }

  template <class List>
  static auto item(const List* list, std::int64_t index) -> decltype(&*list->begin()) {
    if (list == nullptr || index < 0 || index >= static_cast<std::int64_t>(list->size())) return nullptr;
    return &*std::next(list->begin(), index);
  }

  void fill_table() {
    using Texts = std::vector<std::string>;
    using Files = std::vector<InputFile>;
    table_.size = sizeof table_;
    table_.host = this;
    table_.get_bool = [](const flowrun_params* params, const char* name, std::int32_t* value) -> std::int32_t {
      const bool* found = get<bool>(params, name);
      if (found) *value = *found ? 1 : 0;
      return found != nullptr;
    };
    table_.get_int = [](const flowrun_params* params, const char* name, std::int64_t* value) -> std::int32_t {
      const auto* found = get<std::int64_t>(params, name);
      if (found) *value = *found;
      return found != nullptr;
    };
    table_.get_float = [](const flowrun_params* params, const char* name, double* value) -> std::int32_t {
      const auto* real = get<double>(params, name);
      const auto* whole = get<std::int64_t>(params, name);
      if (real) *value = *real;
      else if (whole) *value = static_cast<double>(*whole);
      return real != nullptr || whole != nullptr;
    };
    table_.get_string = [](const flowrun_params* params, const char* name, const char** value, std::size_t* length) {
      return give(get<std::string>(params, name), value, length);
    };
    table_.count = [](const flowrun_params* params, const char* name) -> std::int64_t {
      if (const auto* texts = get<Texts>(params, name)) return static_cast<std::int64_t>(texts->size());
      if (const auto* numbers = get<Value::Table>(params, name)) return static_cast<std::int64_t>(numbers->size());
      if (const auto* files = get<Files>(params, name)) return static_cast<std::int64_t>(files->size());
      if (const auto* tables = get<Value::Tables>(params, name)) return static_cast<std::int64_t>(tables->size());
      return -1;
    };
    table_.get_item_string = [](const flowrun_params* params, const char* name, std::int64_t index, const char** value, std::size_t* length) {
      return give(item(get<Texts>(params, name), index), value, length);
    };
    table_.get_item_float = [](const flowrun_params* params, const char* name, std::int64_t index, double* value) -> std::int32_t {
      const auto* found = item(get<Value::Table>(params, name), index);
      if (found) *value = found->second;
      return found != nullptr;
    };
    table_.get_key = [](const flowrun_params* params, const char* name, std::int64_t index, const char** key, std::size_t* length) {
      const auto* found = item(get<Value::Table>(params, name), index);
      return give(found ? &found->first : nullptr, key, length);
    };
    table_.get_path = [](const flowrun_params* params, const char* name, std::int64_t index, const char** absolute, const char** display) -> std::int32_t {
      const auto* found = item(get<Files>(params, name), index);
      if (found) {
        *absolute = found->path.c_str();
        *display = found->display.c_str();
      }
      return found != nullptr;
    };
  }

  std::map<std::string, Value> values_;
  flowrun_params table_{};
};

}  // namespace flowrun::testing
