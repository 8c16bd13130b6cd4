#pragma once

// A flat hash map from integers to 32-bit values: open addressing, linear probing, no removal. A look-up is two multiplications and
// usually one cache line; std::unordered_map needs two dependent misses and four times the memory.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace flowrun::bpe {

/// Returns the key of an ordered pair of ids.
constexpr std::uint64_t pair_key(std::uint32_t left, std::uint32_t right) noexcept { return std::uint64_t{left} << 32 | right; }

/// Maps keys other than the largest to values other than `kAbsent`. Reading is safe from many threads where nobody inserts.
template <class Key>
class FlatMap {
 public:
  static constexpr std::uint32_t kAbsent = 0xFFFFFFFF;

  explicit FlatMap(std::size_t expected = 0) { rehash(expected); }

  /// Returns the value of `key`, kAbsent if there is none.
  std::uint32_t find(Key key) const noexcept {
    for (std::size_t i = home(key);; i = (i + 1) & mask_) {
      const Slot& slot = slots_[i];
      if (slot.key == key) return slot.value;
      if (slot.key == kEmpty) return kAbsent;
    }
  }

  /// Maps `key` to `value` unless it is there; returns the value that it has now.
  std::uint32_t insert(Key key, std::uint32_t value) {
    if ((size_ + 1) * 8 > slots_.size() * 5) rehash(size_ * 2 + 1);
    for (std::size_t i = home(key);; i = (i + 1) & mask_) {
      Slot& slot = slots_[i];
      if (slot.key == key) return slot.value;
      if (slot.key == kEmpty) {
        slot.key = key;
        slot.value = value;
        ++size_;
        return value;
      }
    }
  }

  /// Calls f(key, value) for each key, in no order.
  template <class F>
  void for_each(F&& f) const {
    for (const Slot& slot : slots_)
      if (slot.key != kEmpty) f(slot.key, slot.value);
  }

  std::size_t size() const noexcept { return size_; }
  std::size_t memory_bytes() const noexcept { return slots_.size() * sizeof(Slot); }

 private:
  static constexpr Key kEmpty = std::numeric_limits<Key>::max();

  struct Slot {
    Key key = kEmpty;
    std::uint32_t value = kAbsent;
  };

  std::size_t home(Key key) const noexcept {
    std::uint64_t h = std::uint64_t{key} * 0x9E3779B97F4A7C15u;  // 2^64 over the golden ratio (Fibonacci hashing)
    h ^= h >> 32;
    return static_cast<std::size_t>(h * 0xD6E8FEB86659FD93u >> 24) & mask_;
  }

  void rehash(std::size_t expected) {
    std::size_t capacity = 16;
    while (capacity * 5 < expected * 8) capacity *= 2;
    std::vector<Slot> old(capacity);
    old.swap(slots_);
    mask_ = capacity - 1;
    size_ = 0;
    for (const Slot& slot : old)
      if (slot.key != kEmpty) insert(slot.key, slot.value);
  }

  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
  std::size_t size_ = 0;
};

/// Maps ordered pairs of ids, by `pair_key`.
using PairMap = FlatMap<std::uint64_t>;

}  // namespace flowrun::bpe
