#pragma once

// Counts how often each pre-token occurs: all that BPE training needs of a text.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizers/common/short_key.hpp"

namespace flowrun::bpe {

/// Maps pre-tokens to 64-bit counts. One thread at a time. Memory: see `memory_bytes`; it grows with the distinct pre-tokens, not with the text.
class PretokenCounter {
 public:
  PretokenCounter();

  /// Counts the pre-tokens of one document.
  void add(std::string_view text);

  /// Returns the number of distinct pre-tokens.
  std::size_t size() const noexcept { return short_size_ + long_.size(); }

  /// Returns about how many bytes the tables hold: 24 a slot of the short table, and about 100 more than its bytes for each long pre-token.
  std::size_t memory_bytes() const noexcept;

  /// Calls `f(pretoken, count)` for each, in no promised order.
  template <class F>
  void for_each(F&& f) const;

 private:
  using Key = ShortKey<2>;
  // Pre-tokens of up to 15 bytes, nineteen in twenty of English, lie in the table itself: one cache line a look-up.
  struct Slot {
    Key key;
    std::uint64_t count;  // 0: the slot is free
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };

  Slot& slot_of(const Key& key) noexcept;
  void grow();

  std::vector<Slot> short_;
  unsigned short_bits_;
  std::size_t short_size_ = 0;
  std::unordered_map<std::string, std::uint64_t, Hash, std::equal_to<>> long_;
  std::size_t long_bytes_ = 0;
};

template <class F>
void PretokenCounter::for_each(F&& f) const {
  for (const Slot& slot : short_)
    if (slot.count != 0) f(std::string_view(reinterpret_cast<const char*>(slot.key.words), slot.key.size()), slot.count);
  for (const auto& [pretoken, count] : long_) f(std::string_view(pretoken), count);
}

}  // namespace flowrun::bpe
