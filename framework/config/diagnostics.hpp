#pragma once

// Errors and warnings of a graph file: collected, sorted by place, printed as text with a caret or as JSON (contract: Diagnostics).

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowrun::config {

/// A place in a graph file. Lines and columns count from 1; columns are code points. For `--set`, file is "--set", line is which one.
struct SourceLocation {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

enum class Severity { kError, kWarning };

/// One finding. `code` is one of the contract's names, for example "unknown_key".
struct Diagnostic {
  SourceLocation where;
  Severity severity = Severity::kError;
  std::string code;
  std::string message;
  std::optional<std::string> found;
  std::optional<std::string> expected;
  std::optional<std::string> suggestion;
  std::optional<std::string> node;
  std::optional<std::string> plugin;
};

/// Collects findings; one thread at a time.
class Diagnostics {
 public:
  void add(Diagnostic diagnostic) { items_.push_back(std::move(diagnostic)); }
  bool has_errors() const;
  /// Names the plugin of every finding that names a node and no plugin yet.
  void fill_plugins(const std::map<std::string, std::string>& plugin_by_node);
  /// Returns all findings, stable-sorted by file (in the order first seen), line and column; exact duplicates once.
  std::vector<Diagnostic> sorted() const;

 private:
  std::vector<Diagnostic> items_;
};

/// Returns `FILE:LINE:COLUMN: error: MESSAGE`, the source line, a caret and help, ending in a newline. `sources`: file -> text. A long line
/// is cut around the caret; control characters of the file never reach the terminal.
std::string render(const Diagnostic& diagnostic, const std::map<std::string, std::string>& sources, bool colour);

}  // namespace flowrun::config
