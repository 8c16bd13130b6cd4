#pragma once

// TOML text -> Table, with the place of every key and value. The only part that sees toml++.

#include <optional>
#include <string>

#include "config/report.hpp"

namespace flowrun::config {

/// Scans and parses `text`; tables come in the order of the file. `file` is its name in places, `base` the folder for relative paths in its
/// values. On a syntax error there is one `toml_syntax`, and nullopt. Of a node defined twice the first is kept, the others are reported.
std::optional<Table> parse_toml(const std::string& text, const std::string& file, const std::string& base, Reporter& report);

/// Parses the V of `--set K=V`: one TOML value, or else the text itself as a string. Every part of it stands at `where`.
Value parse_override_value(const std::string& text, const SourceLocation& where, const std::string& base, Reporter& report);

}  // namespace flowrun::config
