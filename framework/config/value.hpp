#pragma once

// Small functions over Value and Table that the whole loader uses.

#include <optional>
#include <string>
#include <string_view>

#include "config/graph_spec.hpp"

namespace flowrun::config {

/// Returns the entry of `key`, or nullptr. Linear: tables are as long as a person's list of keys.
const Entry* find(const Table& table, std::string_view key);
Entry* find(Table& table, std::string_view key);

/// Puts `entry` in the place of the one with its key, or at the end.
void assign(Table& table, Entry entry);

/// Returns the string of a value, or nullptr if it is of another type.
inline const std::string* as_string(const Value& value) { return std::get_if<std::string>(&value.data); }

/// Returns the number of an integer or a float, or nothing if the value is of another type.
std::optional<double> as_number(const Value& value);

/// Returns a short text of a value for a message: 7, 'text', true; a collection is named by its type.
std::string describe(const Value& value);

/// Returns the value as TOML: floats in the shortest form that reads back the same, tables inline, `${` escaped as `$${`.
std::string to_toml(const Value& value);
/// Returns a key as TOML: bare where that is possible.
std::string key_to_toml(std::string_view key);
/// Returns a number as the text that `${...}` inside a longer string gives, and that to_toml prints.
std::string number_text(double number);

/// Returns `scope/name`, or `name` in the empty scope.
std::string join(std::string_view scope, std::string_view name);

}  // namespace flowrun::config
