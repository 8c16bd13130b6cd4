#pragma once

// Character classes in a pattern: bracket classes and the escapes that stand for a class or a character, in and outside brackets.

#include <optional>

#include "char_set.hpp"
#include "pattern_reader.hpp"

namespace flowrun::tokenizers {

/// A bracket class; its negation is apart because case folding comes before it.
struct BracketClass {
  CharSet set;
  bool negated;
};

/// Reads a bracket class whose '[', at `offset`, has been taken. Errors as `parse_pattern`.
BracketClass parse_bracket_class(PatternReader& in, std::size_t offset);

/// Reads one of \s \S \d \D \w \W \h \H \p{..} \P{..} whose '\', at `offset`, has been taken; takes nothing if there is none.
std::optional<CharSet> escaped_class(PatternReader& in, std::size_t offset);

/// Reads an escape that stands for one character, whose '\', at `offset`, has been taken. `in_brackets` tells \b and octal digits.
std::uint32_t escaped_character(PatternReader& in, std::size_t offset, bool in_brackets);

}  // namespace flowrun::tokenizers
