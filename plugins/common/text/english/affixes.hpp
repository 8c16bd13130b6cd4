#pragma once

// The regular expressions of spaCy's TOKENIZER_PREFIXES, TOKENIZER_SUFFIXES and English TOKENIZER_INFIXES, as functions over a chunk.

#include <cstddef>
#include <string_view>

#include "common/text/english/classes.hpp"

namespace flowrun::text::english {

/// Returns how many characters of [lo, hi) are a prefix, 0 for none. lo < hi.
std::size_t prefix_size(const Chunk& chunk, std::size_t lo, std::size_t hi) noexcept;
/// Returns how many characters of [lo, hi) are a suffix, 0 for none; what is before lo is not looked at. lo <= hi.
std::size_t suffix_size(const Chunk& chunk, std::size_t lo, std::size_t hi, std::string_view text) noexcept;
/// Returns the size of the infix that begins at character `at` of [lo, hi), 0 for none. lo <= at < hi.
std::size_t infix_size(const Chunk& chunk, std::size_t lo, std::size_t hi, std::size_t at) noexcept;

}  // namespace flowrun::text::english
