#pragma once

// Typed access to a node's resolved parameters, during construction alone.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "abi.h"
#include "error.hpp"

namespace flowrun {

/// A file named by a "path" or "paths" parameter.
struct InputFile {
  std::string path;     ///< absolute, to open
  std::string display;  ///< as documents and messages name it
};

/// The parameters that a node is made with. Defaults are filled in and ranges checked; asking for a name or type that the descriptor does
/// not declare throws kInternal. Valid during the node's constructor.
class Params {
 public:
  explicit Params(const flowrun_params& table, std::string prefix = {}) : table_(&table), prefix_(std::move(prefix)) {}

  bool boolean(const char* name) const {
    std::int32_t value = 0;
    if (!table_->get_bool(table_, full(name).c_str(), &value)) missing(name);
    return value != 0;
  }
  std::int64_t integer(const char* name) const {
    std::int64_t value = 0;
    if (!table_->get_int(table_, full(name).c_str(), &value)) missing(name);
    return value;
  }
  double number(const char* name) const {
    double value = 0;
    if (!table_->get_float(table_, full(name).c_str(), &value)) missing(name);
    return value;
  }
  /// Returns the number, or `otherwise` where the parameter has neither value nor default.
  double number_or(const char* name, double otherwise) const {
    table_->get_float(table_, full(name).c_str(), &otherwise);
    return otherwise;
  }
  std::string string(const char* name) const {
    std::string value;
    if (!find_string(name, &value)) missing(name);
    return value;
  }
  /// Returns the string, or `otherwise` where the parameter has neither value nor default.
  std::string string_or(const char* name, std::string otherwise) const {
    find_string(name, &otherwise);
    return otherwise;
  }
  /// Returns the integer, or `otherwise` where the parameter has neither value nor default.
  std::int64_t integer_or(const char* name, std::int64_t otherwise) const {
    table_->get_int(table_, full(name).c_str(), &otherwise);
    return otherwise;
  }
  /// Returns whether the parameter has a value or a default.
  bool has(const char* name) const {
    std::string text;
    std::int32_t flag = 0;
    std::int64_t whole = 0;
    double real = 0;
    return table_->get_bool(table_, full(name).c_str(), &flag) || table_->get_int(table_, full(name).c_str(), &whole) || table_->get_float(table_, full(name).c_str(), &real) ||
           find_string(name, &text) || table_->count(table_, full(name).c_str()) >= 0;
  }
  /// Returns a list of strings; empty where absent.
  std::vector<std::string> strings(const char* name) const {
    std::vector<std::string> values;
    for (std::int64_t i = 0; i < table_->count(table_, full(name).c_str()); ++i) {
      const char* text = nullptr;
      std::size_t length = 0;
      if (!table_->get_item_string(table_, full(name).c_str(), i, &text, &length)) missing(name);
      values.emplace_back(text, length);
    }
    return values;
  }
  /// Returns a table of numbers by key; empty where absent.
  std::map<std::string, double> numbers_by_key(const char* name) const {
    std::map<std::string, double> values;
    for (std::int64_t i = 0; i < table_->count(table_, full(name).c_str()); ++i) {
      const char* key = nullptr;
      std::size_t length = 0;
      double value = 0;
      if (!table_->get_key(table_, full(name).c_str(), i, &key, &length) || !table_->get_item_float(table_, full(name).c_str(), i, &value)) missing(name);
      values.emplace(std::string(key, length), value);
    }
    return values;
  }
  /// Returns the tables of a list, each with its fields as parameters; empty where absent.
  std::vector<Params> tables(const char* name) const {
    std::vector<Params> tables;
    for (std::int64_t i = 0; i < table_->count(table_, full(name).c_str()); ++i) tables.emplace_back(*table_, full(name) + "." + std::to_string(i) + ".");
    return tables;
  }
  /// Returns the files of a "path" (none or one) or "paths" parameter.
  std::vector<InputFile> files(const char* name) const {
    std::vector<InputFile> files;
    const char *absolute = nullptr, *display = nullptr;
    for (std::int64_t i = 0; i < table_->count(table_, full(name).c_str()); ++i) {
      if (!table_->get_path(table_, full(name).c_str(), i, &absolute, &display)) missing(name);
      files.push_back({absolute, display});
    }
    return files;
  }

 private:
  bool find_string(const char* name, std::string* value) const {
    const char* text = nullptr;
    std::size_t length = 0;
    if (!table_->get_string(table_, full(name).c_str(), &text, &length)) return false;
    value->assign(text, length);
    return true;
  }
  [[noreturn]] void missing(const char* name) const {
    throw Error(Code::kInternal, "the plugin asks for parameter '" + full(name) + "', which its descriptor does not give");
  }
  std::string full(const char* name) const { return prefix_ + name; }

  const flowrun_params* table_;
  std::string prefix_;  ///< of a table's fields: "stages.0."
};

}  // namespace flowrun
