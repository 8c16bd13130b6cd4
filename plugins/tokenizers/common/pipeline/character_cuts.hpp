#pragma once

// Where a text may be cut before BPE: between two characters that no token has side by side. What joins tokens across such a place would have both; so nothing
// does, and either side is joined as if it stood alone, in the same order.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tokenizers/common/pattern/scanners.hpp"

namespace flowrun::tokenizers {

/// Cuts valid UTF-8 wherever that changes no id. Immutable: any number of threads.
///
/// Pairs are kept as bits, those of ASCII in a table of all of them, others at their hashes, so that a few places where cuts would be exact go unused. Memory: 2 to 4 bytes a
/// pair, at least 6 KiB: to stay in the first caches of a processor matters more than the last of the cuts.
class CharacterCuts {
 public:
  /// `tokens` are those that merges give. With `before_spaces` a cut is made before each U+0020 in any case.
  CharacterCuts(const std::vector<std::string_view>& tokens, bool before_spaces);

  /// Fills `ends` as a BatchScanner does.
  std::size_t operator()(std::string_view text, std::size_t begin, std::size_t* ends) const noexcept;

 private:
  std::size_t bit_of(char32_t left, char32_t right) const noexcept { return (std::uint64_t{left} << 21 | right) * 0x9E3779B97F4A7C15u >> shift_; }  // 2^64 over the golden ratio
  bool holds(char32_t left, char32_t right) const noexcept {
    const std::size_t bit = bit_of(left, right);
    return (bits_[bit / 64] >> (bit % 64) & 1) != 0;
  }

  std::array<std::uint64_t, 128 * 2> ascii_cuts_;  // bit 128 * left + right: whether there is a cut between the two
  char32_t cut_before_;                            // no character if there is none of which that is so
  unsigned shift_ = 0;
  std::vector<std::uint64_t> bits_;                // at the hashes of pairs that some token has
};

}  // namespace flowrun::tokenizers
