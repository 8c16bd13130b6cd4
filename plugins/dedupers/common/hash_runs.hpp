#pragma once

// Hashes that do not fit into memory: sorted runs in files without a name, searched by a directory of their first bits, merged eight at a time.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/unnamed_file.hpp"
#include "dedupers/common/hash128.hpp"

namespace flowrun::dedupers {

/// A set of hashes on disk. One thread at a time. A question takes two reads a run, of 16 bytes and about 3 KiB, and there are at most seven runs for each factor of eight
/// in size. Each hash is written once for each such factor.
class HashRuns {
 public:
  /// Files are made on the file system of `folder`; merging takes `buffer_bytes` of memory.
  HashRuns(std::string folder, std::size_t buffer_bytes) : folder_(std::move(folder)), buffer_bytes_(buffer_bytes) {}

  /// Takes hashes in ascending order, none of which is here already: `next` writes one and returns whether there was one. Throws kIo, naming the folder.
  void add(std::uint64_t count, const std::function<bool(Hash128&)>& next);
  bool contains(Hash128 hash) const;
  /// Calls `use` with all hashes, run by run.
  void for_each(const std::function<void(const Hash128&)>& use) const;
  std::uint64_t size() const noexcept;
  std::size_t run_count() const noexcept { return runs_.size(); }

 private:
  struct Run {
    common::UnnamedFile hashes, directory;  ///< the directory says where the hashes with each first `bits` bits begin
    std::uint64_t count;
    int bits, level;
  };
  class Reader;

  Run write(std::uint64_t count, int level, const std::function<bool(Hash128&)>& next) const;
  Run merge(std::size_t first) const;

  std::string folder_;
  std::size_t buffer_bytes_;
  std::vector<Run> runs_;  ///< levels do not rise from one to the next
  mutable std::vector<Hash128> bucket_;
};

}  // namespace flowrun::dedupers
