#pragma once

// One line of JSON to a document. simdjson's On-Demand parser checks the UTF-8 of the whole line and walks it once, into the objects and lists on
// the way to what is wanted; other values are skipped by their brackets, so a number there that no machine type holds does no harm.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "json_paths.hpp"
#include "readers/common/columns.hpp"

namespace flowrun::readers {

/// The paths (see json_paths.hpp) at which a record holds its parts; "" where it has none. A key that stands twice counts with its last value.
struct JsonlKeys {
  std::string text = "text", id, domain;
  std::vector<std::string> texts = {};     ///< in place of `text`: what is there, joined; null and "" are left out
  std::string separator = "\n\n";          ///< between texts
  std::string section = {};                ///< the key of a heading beside each text of a list; it stands before the first of those that share it
  std::vector<Column> columns = {};
};

/// Returns the path of the heading beside the texts that `text_path` leads to; "" where it leads through no list, or there are no headings.
std::string section_path(const JsonlKeys& keys, std::string_view text_path);

/// Parts of a record. Views are valid until the next call of `parse`.
struct JsonlRecord {
  std::string_view text;
  std::optional<std::string_view> id, domain;
  std::span<const ColumnValue> columns = {};
};

/// Why a line is refused.
struct JsonlFault {
  const char* code = "";  ///< "bad_json", "bad_utf8", "missing_text", "bad_id", "bad_domain", "bad_column"
  std::string message;
};

/// Parses lines, one at a time. Memory: about five times the longest line.
class JsonlParser {
 public:
  /// Throws kInvalidArgument for paths that are not understood, or of which one lies inside another, and for headings of texts that are in no list.
  explicit JsonlParser(JsonlKeys keys);
  ~JsonlParser();
  /// Reads one line; `readable` bytes from its start may be read, at least 64 more than it has. Returns a fault, or nothing.
  std::optional<JsonlFault> parse(std::string_view line, std::size_t readable, JsonlRecord& record);
  /// Returns all paths as a tree, with what has been found of it.
  const WantedKey& wanted() const noexcept;
  /// Returns how many lines were objects that could be read to their end.
  std::int64_t object_count() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flowrun::readers
