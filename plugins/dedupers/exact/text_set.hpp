#pragma once

// A set of texts by their 128-bit XXH3 hashes. Two different texts of n are taken for equal with probability n^2 / 2^129: about 1e-15 for
// 10^12 documents.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::dedupers {

/// Remembers which texts it has seen. One thread at a time.
///
/// Memory: 16 bytes a slot, 18 to 37 bytes a text. It is cut into 256 tables that grow one by one, so that growing needs little more than
/// the tables themselves, and `memory_bytes` is never exceeded on the way. Time: one hash and about one cache miss a text.
class TextSet {
 public:
  /// `memory_bytes` bounds the tables; 0: no bound.
  explicit TextSet(std::int64_t memory_bytes) : limit_bytes_(memory_bytes) {}

  /// Adds a text and returns whether it is new. Throws kOutOfMemory, with need and have, where the tables would outgrow the bound.
  bool insert(std::string_view text);
  std::int64_t size() const noexcept { return size_; }
  std::int64_t memory_bytes() const noexcept { return bytes_; }

  /// Writes the set to a file. Throws kIo.
  void save(const std::string& path) const;
  /// Takes the set from a file, in place of what is there. Throws kNotFound, or kCorruptData where the file is not what `save` wrote.
  void load(const std::string& path);

 private:
  struct Hash {
    std::uint64_t low = 0, high = 0;
    bool operator==(const Hash&) const = default;
  };
  struct Table {
    std::vector<Hash> slots;  ///< a power of two of them; all zero: free
    std::size_t used = 0;
  };

  bool insert(Hash hash);
  static Hash& find(std::vector<Hash>& slots, Hash hash);
  void grow(Table& table);

  std::array<Table, 256> tables_;
  std::int64_t limit_bytes_, bytes_ = 0, size_ = 0;
};

}  // namespace flowrun::dedupers
