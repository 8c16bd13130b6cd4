#pragma once

// Clusters of documents, out of pairs: connected components in bounded memory by alternating stars (Kiveris et al. 2014, "Connected components in MapReduce and beyond",
// SoCC'14, Large-Star and Small-Star), each step a sort of the pairs. Checked against union-find.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "record_sorter.hpp"

namespace flowrun::dedupers {

/// Takes pairs of documents and says of each document that is not the first of its cluster which one is. One thread at a time. Throws kIo.
///
/// Memory: `memory_bytes`; disk: a few times 32 bytes a pair. Time: some sorts of the pairs, about as many as the logarithm of the longest chain of pairs.
class Clusters {
 public:
  Clusters(std::size_t memory_bytes, std::string folder);

  /// Adds a pair of different documents.
  void add(std::uint64_t a, std::uint64_t b);
  /// Makes stars of the pairs. `between` is called between sorts and may throw to give up.
  void finish(const std::function<void()>& between = [] {});

  /// Gives the documents that are not their cluster's first, in order, each with the one that is. After `finish`.
  class Cursor;
  Cursor read();

 private:
  /// Both directions of each pair (a, b).
  RecordSorter new_edges() const { return {memory_bytes_ / 2, folder_}; }

  std::size_t memory_bytes_;
  std::string folder_;
  RecordSorter edges_;
};

class Clusters::Cursor {
 public:
  explicit Cursor(RecordSorter::Cursor edges) : edges_(std::move(edges)) {}
  /// Goes to the next document; returns whether there is one.
  bool next();
  std::uint64_t document = 0, first = 0;

 private:
  RecordSorter::Cursor edges_;
  std::optional<Record> last_;
};

}  // namespace flowrun::dedupers
