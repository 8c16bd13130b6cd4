#pragma once

// Looks at a file's text before toml++ does. It finds what toml++ would not survive (nesting and dotted keys without end), what it would
// not report exactly (bytes that are not UTF-8) and what it reports as a mere syntax error, ending the parse (a node defined twice).
//
// It also keeps text from toml++ 3.3 that it would not read with defined behaviour: characters that are not ASCII where it asks whether
// they are white space (marzer/tomlplusplus#190 and #295; a version with #305 removes the need), and a table header that does not begin
// with a key.

#include <optional>
#include <string>
#include <unordered_map>

#include "config/report.hpp"

namespace flowrun::config {

/// A place at which a file stops being TOML, and why.
struct Stop {
  SourceLocation where;
  std::string message;
};

/// What the parser is given instead of the file's own text, and how to read the names in the result.
struct ScannedText {
  /// The text with the second and further `[node.x]` renamed, so that the rest of the file is checked all the same. Lines keep their
  /// number, and everything outside such a header its column. Absent: the text can be parsed as it is.
  std::optional<std::string> rewritten;
  /// A syntax error that toml++ must not see. `rewritten` ends there with a '?', at which toml++ stops unless it has found one before.
  std::optional<Stop> stop;
  /// The name in `rewritten` -> the node's name in the file. These nodes are reported as duplicate_node.
  std::unordered_map<std::string, std::string> duplicates;
};

/// Reports `too_large` and `toml_syntax` (UTF-8, control characters) and returns nullopt, or reports each `duplicate_node` and returns what
/// to parse. Time is linear in the text. Up to the first syntax error it reads strings, comments and brackets exactly as toml++ does;
/// behind it nothing matters, since toml++ stops there.
std::optional<ScannedText> scan(const std::string& text, const std::string& file, Reporter& report);

}  // namespace flowrun::config
