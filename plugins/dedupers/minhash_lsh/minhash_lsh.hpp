#pragma once

// Near duplicates: documents that share a bucket of their MinHash signatures (sketcher.hpp), and those that they share one with in turn, are one cluster, of which the first
// stays. Buckets are sorted, not kept in tables, so that memory is bounded (record_sorter.hpp, clusters.hpp).

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "clusters.hpp"
#include "record_sorter.hpp"
#include "sketcher.hpp"

namespace flowrun::dedupers {

/// Takes the buckets' keys of documents in order, and says which documents go. One thread at a time. Throws kIo.
///
/// Memory: `memory_bytes`. Disk: 16 bytes a document and bucket where that is more; then what the clusters take.
class MinhashLsh {
 public:
  MinhashLsh(std::size_t memory_bytes, const std::string& folder);

  /// Adds the next document; `keys` is empty for one that has no signature, and so is like no other.
  void add(std::span<const BucketKey> keys);
  std::uint64_t documents() const noexcept { return documents_; }
  std::size_t memory_bytes() const noexcept { return buckets_->memory_bytes(); }
  std::size_t runs() const noexcept { return buckets_->runs(); }

  /// Finds the clusters. `between` is called now and then, and may throw to give up. Nothing can be added afterwards.
  void finish(const std::function<void()>& between = [] {});
  /// Gives the documents that go, in order, each with the first of its cluster. After `finish`.
  Clusters::Cursor dropped() { return clusters_->read(); }

  /// Writes what was added to a file. Throws kIo.
  void save(const std::string& path);
  /// Takes it from a file in place of what is there. Throws kNotFound, and kCorruptData where it is not what `save` wrote.
  void load(const std::string& path);

 private:
  std::size_t memory_bytes_;
  std::string folder_;
  std::uint64_t documents_ = 0;
  std::optional<RecordSorter> buckets_;  ///< none once clusters are found
  std::optional<Clusters> clusters_;
};

}  // namespace flowrun::dedupers
