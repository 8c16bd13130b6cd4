#pragma once

// Matching without regard to case, as Oniguruma does it: two strings are equal if their full case foldings are.

#include <cstdint>
#include <vector>

#include "syntax_tree.hpp"

namespace flowrun::tokenizers {

/// Returns a tree that matches `literal` in any case: also "ß" for "ss" and "ſ" for "s". In a look-behind (`one_to_one`) only characters stand
/// for characters, as in Oniguruma.
SyntaxTree fold_literal(const std::vector<std::uint32_t>& literal, bool one_to_one);

/// Returns a tree for a bracket class in any case. A negated class excludes the characters of its set in any case; any other also has the
/// sequences that its members fold to, so that `[ß]` matches "ss".
SyntaxTree fold_class(const CharSet& set, bool negated);

}  // namespace flowrun::tokenizers
