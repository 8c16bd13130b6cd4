#pragma once

// datatrove's find_duplicates, and the hash table behind every "seen before?" of the filters.

#include <bit>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace flowrun::filters {

/// Finds the number of an element by its hash; what is equal the caller says. Cleared in constant time.
class HashIndex {
 public:
  /// Makes room for `count` elements and forgets all.
  void reset(std::size_t count) {
    const std::size_t size = std::bit_ceil(count * 2 + 1);
    if (size > slots_.size() || ++round_ == 0) {
      slots_.assign(size > slots_.size() ? size : slots_.size(), {});
      round_ = 1;
    }
    shift_ = 64 - std::countr_zero(slots_.size());
  }
  /// Returns the number of the element with this hash for which `equal(number)` holds; if there is none, takes `number` in and returns it.
  template <class Equal>
  std::uint32_t find_or_add(std::uint64_t hash, std::uint32_t number, Equal equal) {
    const std::uint64_t mixed = hash * 0x9E3779B97F4A7C15;  // 2^64 / golden ratio
    const auto tag = static_cast<std::uint32_t>(mixed);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = shift_ == 64 ? 0 : mixed >> shift_;; at = (at + 1) & mask) {
      Slot& slot = slots_[at];
      if (slot.round != round_) {
        slot = {round_, tag, number};
        return number;
      }
      if (slot.tag == tag && equal(slot.number)) return slot.number;
    }
  }

 private:
  struct Slot {
    std::uint32_t round = 0, tag = 0, number = 0;
  };
  std::vector<Slot> slots_;
  std::uint32_t round_ = 0;
  int shift_ = 64;
};

/// A polynomial of the bytes, so that hashes of parts make that of the whole: hash_bytes(b, hash_bytes(a)) is that of a and b together.
inline constexpr std::uint64_t kHashBase = 0x5DEECE66D9E3779B;
inline std::uint64_t hash_bytes(std::string_view text, std::uint64_t hash = 0) noexcept {
  for (const char c : text) hash = hash * kHashBase + static_cast<unsigned char>(c) + 1;
  return hash;
}

/// What is repeated among elements: those that stood earlier, and their characters.
struct Duplicates {
  std::int64_t elements = 0, characters = 0;
};
Duplicates find_duplicates(std::span<const std::string_view> elements);

}  // namespace flowrun::filters
