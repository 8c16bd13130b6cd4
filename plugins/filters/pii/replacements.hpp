#pragma once

// What stands in the place of a match.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "finder.hpp"

namespace flowrun::filters::pii {

/// Chooses replacements by a hash of what they replace (XXH3, 64 bits, of its bytes, modulo their number), so that the same address has the same one in every document,
/// whatever came before, and the choice says nothing about it that the match alone would not give.
class Replacements {
 public:
  using Lists = std::array<std::vector<std::string>, kKindCount>;

  /// `lists` by Kind. Throws kInvalidArgument where one that is needed is empty.
  explicit Replacements(Lists lists);
  /// datatrove's for its dialect; otherwise addresses and numbers that are reserved for documentation or have a wrong checksum, and so are no matches themselves.
  static Lists defaults(Dialect dialect);
  /// <EMAIL>, <IP_ADDRESS>, <PHONE>, <IBAN>, <CARD>.
  static Lists tags();

  std::string_view choose(Kind kind, std::string_view match) const noexcept;
  /// Returns the text with every match replaced.
  std::string replace(std::string_view text, const Matches& matches) const;

 private:
  Lists lists_;
};

}  // namespace flowrun::filters::pii
