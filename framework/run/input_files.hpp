#pragma once

// The files that a graph reads: globs expanded, digests taken, and kept in a cache keyed by what stat says.

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "graph/params_table.hpp"
#include "graph/resolved_graph.hpp"
#include "graph/stage_control.hpp"

namespace flowrun::run {

/// Files of a node's "path" and "paths" parameters, by parameter.
using NodeFiles = std::map<std::string, std::vector<graph::ResolvedFile>>;

/// Expands one pattern: `*`, `?`, `[...]` within a component, `**` over folders. Regular files alone, sorted by name (bytes).
std::vector<graph::ResolvedFile> expand_glob(const std::string& pattern, const std::string& base);

/// Expands every path of every node. Throws Error(kNotFound) that lists all paths and globs without a match.
std::vector<NodeFiles> find_input_files(const graph::ResolvedGraph& graph);

/// SHA-256 of files, remembered by (path, size, mtime_ns, inode) in a file that all runs share.
class DigestCache {
 public:
  /// `stop` may be null; else a signal ends a long reading by Error(kCancelled).
  explicit DigestCache(std::string path, const graph::StopToken* stop = nullptr);
  /// Returns the digest, computed only if the file has changed. Throws Error(kNotFound) or kIo.
  std::string digest(const std::string& path);
  /// Writes the cache if it has changed. A failure is not an error: digests are computed again.
  void save() noexcept;

 private:
  struct Entry {
    std::int64_t bytes, mtime_ns;
    std::uint64_t inode;
    std::string digest;
  };
  std::string path_;
  const graph::StopToken* stop_;
  std::map<std::string, Entry> entries_;
  bool changed_ = false;
};

}  // namespace flowrun::run
