#pragma once

// Millions of short texts to look up: the blocklist that datatrove ships has 4.6 million domains.

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::filters {

/// A set of texts without zero bytes. Takes their bytes, one more for each, and 16 to 32 for its place. Safe to read from many threads at once.
class EntrySet {
 public:
  /// Throws kUnsupported above 4 GiB of texts.
  void insert(std::string_view text);
  bool contains(std::string_view text) const noexcept;
  std::size_t size() const noexcept { return count_; }

 private:
  struct Slot {
    std::uint32_t tag = 0, begin = kNone;
  };
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  std::size_t find(std::string_view text, std::uint64_t hash) const noexcept;
  void grow();
  std::string_view at(std::uint32_t begin) const noexcept { return texts_.c_str() + begin; }

  std::string texts_;  ///< each with a zero byte behind it
  std::vector<Slot> slots_;
  std::size_t count_ = 0;
};

}  // namespace flowrun::filters
