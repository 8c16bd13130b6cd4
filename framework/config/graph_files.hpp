#pragma once

// The files of a graph: reads and parses each, and merges what it includes.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/report.hpp"

namespace flowrun::config {

/// A `[node.<name>]` as written.
struct RawNode {
  std::string name;
  SourceLocation where;  ///< of the header
  Table keys;
};

/// A file together with what it includes, before parameters.
struct RawGraph {
  std::string file;     ///< as printed
  std::string path;     ///< absolute: tells one file from another
  bool parsed = false;  ///< false: a syntax error or a cap, reported, has left everything empty
  Table run;
  Table params;
  Table graph;
  Table huggingface;
  /// Where each table stands that was written: "run", "params", "graph", "huggingface".
  std::map<std::string, SourceLocation> where;
  std::vector<RawNode> nodes;
  std::unordered_map<std::string, std::size_t> node_index;  ///< name -> index in `nodes`

  /// `[graph] inputs` and `outputs`, their types checked: strings.
  Array inputs;
  Array outputs;

  const RawNode* find_node(const std::string& name) const;
  bool has_input(const std::string& name) const;
  /// Returns the names that a reference in this graph may have, for "did you mean".
  std::vector<std::string> names() const;
};

/// Returns the folder on which relative paths in a file stand: absolute, without "." and "..".
std::string base_of(const std::string& path);

/// Loads files once each. One load, one thread.
class GraphFiles {
 public:
  /// `sources` receives the text of every file read, under the name by which places call it.
  GraphFiles(std::map<std::string, std::string>& sources, Reporter& report) : sources_(sources), report_(report) {}

  /// Returns the top file. Errors: kNotFound if it cannot be opened, kIo if it cannot be read.
  RawGraph load_top(const std::string& path);

  /// Returns the file that `graph = "..."` names, or nullptr after a report. The result lives as long as this object.
  const RawGraph* load_subgraph(const Value& reference);

 private:
  RawGraph parse(const std::string& path, const std::string& file, const std::string& text);
  std::optional<std::string> read_named(const std::string& path, const SourceLocation& where);
  void include_files(RawGraph& graph, const Table& table);
  bool take_budget(const std::string& text, const SourceLocation& where);

  std::map<std::string, std::string>& sources_;
  Reporter& report_;
  std::vector<std::string> including_;  ///< absolute paths of the files that are being included, outermost first
  std::unordered_map<std::string, std::unique_ptr<const RawGraph>> subgraphs_;
  std::unordered_map<std::string, std::string> failures_;  ///< absolute path -> what was in the way: a repeated node asks again
  std::size_t file_count_ = 0;
  std::size_t total_bytes_ = 0;
};

}  // namespace flowrun::config
