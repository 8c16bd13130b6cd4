#pragma once

// The files that a graph reads: globs expanded, digests taken, and kept in a cache keyed by what stat says. A corpus may be a hundred thousand files, so what
// is kept of each is its names, once, and 112 bytes; what is written of each goes to disk file by file.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "graph/params_table.hpp"
#include "graph/resolved_graph.hpp"
#include "graph/stage_control.hpp"

namespace flowrun::run {

using graph::NodeFiles;

/// Expands one pattern: `*`, `?`, `[...]` within a component, `**` over folders. Regular files alone, sorted by name (bytes).
graph::FileList expand_glob(const std::string& pattern, const std::string& base);

/// Expands every path of every node. Throws Error(kNotFound) that lists all paths and globs without a match.
std::vector<NodeFiles> find_input_files(const graph::ResolvedGraph& graph);

/// The distinct files of a graph, sorted by path, with their SHA-256. Digests are remembered by (path, size, mtime_ns, inode) in a file that all runs share.
class InputDigests {
 public:
  struct Input {
    graph::ResolvedFile file;
    std::int64_t bytes = 0, mtime_ns = 0;
    std::uint64_t inode = 0;
    std::array<char, 64> hex{};  ///< zeros: not known yet

    std::string_view digest() const noexcept { return {hex.data(), hex.size()}; }
    /// Returns the entry of the run's manifest: {path, bytes, digest}.
    nlohmann::json to_json() const { return {{"path", file.display}, {"bytes", bytes}, {"digest", digest()}}; }
  };

  /// Reads each file that is not in the cache at `cache_path` as it is now, and writes the cache if there was one. A cache that cannot be read or written
  /// is no error: digests are computed again. `files` must not change while this lives. `stop` may be null; else a signal ends a long reading by
  /// Error(kCancelled). Throws Error(kNotFound) or kIo for a file that cannot be read.
  InputDigests(const std::vector<NodeFiles>& files, const std::string& cache_path, const graph::StopToken* stop = nullptr);

  const std::vector<Input>& inputs() const noexcept { return inputs_; }
  /// Returns the digest of one of the files.
  std::string_view digest(std::string_view path) const;

 private:
  /// Finds a file by its path; null where it is none of these.
  const Input* find(std::string_view path) const;
  void take_cached(const std::string& cache_path);
  bool compute_missing(const graph::StopToken* stop);
  void save(const std::string& cache_path) const noexcept;

  std::vector<Input> inputs_;
};

}  // namespace flowrun::run
