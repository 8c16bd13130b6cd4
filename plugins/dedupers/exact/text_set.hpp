#pragma once

// A set of texts by their hashes, in memory as long as they fit and on disk beyond that.

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dedupers/common/blocked_bloom.hpp"
#include "dedupers/common/hash128.hpp"
#include "dedupers/common/hash_runs.hpp"

namespace flowrun::dedupers {

/// Remembers which texts it has seen. One thread at a time.
///
/// Memory: 16 bytes a slot, 18 to 37 bytes a text. The table is cut into 256 that grow one by one, so that growing needs little more than the tables themselves. Where
/// they would take more than 9/16 of the bound, their hashes go to disk as a sorted run (16 bytes a text). A quarter of the bound is a Bloom filter of what is on disk,
/// which spares new texts from being looked for there (at 10 bits a text 2 of 100 are, at less more), and a sixteenth keeps what was lately found there; the rest are
/// buffers. Time: one hash and about one cache miss a text; where the disk is asked, two reads for each of a few runs.
class TextSet {
 public:
  static constexpr std::int64_t kLeastBytes = 1 << 20;

  /// `memory_bytes` bounds all of it; 0: no bound. Files are made on the file system of `folder`. Throws kInvalidArgument below kLeastBytes.
  explicit TextSet(std::int64_t memory_bytes, std::string folder = {});

  /// Adds a text and returns whether it is new. Throws kIo, naming the folder, where the disk is full.
  bool insert(std::string_view text) { return insert(hash_text(text)); }
  bool insert(Hash128 hash);
  std::int64_t size() const noexcept { return size_; }
  std::int64_t spilled() const noexcept { return runs_ ? static_cast<std::int64_t>(runs_->size()) : 0; }
  std::int64_t memory_bytes() const noexcept { return table_bytes_ + spill_bytes_; }

  /// Writes the set to a file. Throws kIo.
  void save(const std::string& path) const;
  /// Takes the set from a file, in place of what is there. Throws kNotFound, or kCorruptData where the file is not what `save` wrote.
  void load(const std::string& path);

 private:
  struct Table {
    std::vector<Hash128> slots;  ///< a power of two of them; all zero: free
    std::size_t used = 0;
  };

  static Hash128& find(std::vector<Hash128>& slots, Hash128 hash);
  bool is_on_disk(Hash128 hash);
  void add(Hash128 hash);
  bool grow(Table& table);
  void spill();
  void for_each(const std::function<void(const Hash128&)>& use) const;

  std::int64_t limit_bytes_;
  std::string folder_;
  std::array<Table, 256> tables_;  ///< by the first eight bits
  std::int64_t table_bytes_ = 0, size_ = 0;

  // Made when the first hashes go to disk.
  std::int64_t spill_bytes_ = 0;
  std::optional<HashRuns> runs_;
  std::optional<BlockedBloom> filter_;
  std::vector<Hash128> found_;  ///< what was found on disk last, by the low bits
};

}  // namespace flowrun::dedupers
