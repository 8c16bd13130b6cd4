#pragma once

// How often each character occurs in the words that a trainer learns from.

#include <cstdint>
#include <vector>

#include "tokenizers/common/flat_map.hpp"

namespace flowrun::tokenizers {

struct CharacterCount {
  char32_t character;
  std::uint64_t count;
};

/// Counts of characters, in the order in which they were first counted. Memory: about 30 bytes for each that occurs.
class CharacterCounts {
 public:
  void add(char32_t character, std::uint64_t count) { at(character).count += count; }
  /// Returns the entry of `character`, a fresh one with a count of 0 if it is new; valid until the next call.
  CharacterCount& at(char32_t character) {
    const auto fresh = static_cast<std::uint32_t>(counts_.size());
    const std::uint32_t found = index_.insert(static_cast<std::uint32_t>(character), fresh);
    if (found == fresh) counts_.push_back({character, 0});
    return counts_[found];
  }
  const std::vector<CharacterCount>& counts() const noexcept { return counts_; }

 private:
  bpe::FlatMap<std::uint32_t> index_;  // character -> place in counts_
  std::vector<CharacterCount> counts_;
};

}  // namespace flowrun::tokenizers
