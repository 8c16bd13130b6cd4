#pragma once

// Sets of code points, as a character class of a pattern makes them.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "code_points.hpp"
#include "unicode_ranges.hpp"

namespace flowrun::tokenizers {

/// A set of code points; `kInvalidByte` counts as one of them.
class CharSet {
 public:
  CharSet() = default;
  CharSet(std::uint32_t first, std::uint32_t last) : ranges_{{first, last}} { fill_ascii(); }
  /// Makes the set of ranges in any order; they may overlap.
  static CharSet of(std::vector<CodePointRange> ranges);

  bool contains(std::uint32_t code_point) const noexcept {
    return code_point < 128 ? (ascii_[code_point >> 6] >> (code_point & 63) & 1) != 0 : contains_beyond_ascii(code_point);
  }
  CharSet united(const CharSet& other) const;
  CharSet intersected(const CharSet& other) const;
  CharSet complement() const;
  /// Returns the ranges, sorted and with gaps between them.
  const std::vector<CodePointRange>& ranges() const noexcept { return ranges_; }

 private:
  bool contains_beyond_ascii(std::uint32_t code_point) const noexcept;
  void fill_ascii() noexcept;

  std::vector<CodePointRange> ranges_;
  std::array<std::uint64_t, 2> ascii_{};
};

/// Returns the set that `\p{name}` stands for, or nothing if the name is not known here.
///
/// Names are compared without case, spaces, `-` and `_`, as Oniguruma does: general categories by short and long name, the scripts of
/// unicode_ranges.cpp, and the names of the POSIX classes.
std::optional<CharSet> property_set(std::string_view name);

/// Returns the set that `[:name:]` stands for in a bracket class; it differs from `\p{name}` in `punct`, which has the symbols too.
std::optional<CharSet> posix_set(std::string_view name);

/// Returns what a bare `\w`, and `\b`, take for a word character. In Latin-1 Oniguruma reads another table, where the superscript digits
/// and the fractions belong to words: `\w` has them, `[\w]` has not.
const CharSet& word_set();

}  // namespace flowrun::tokenizers
