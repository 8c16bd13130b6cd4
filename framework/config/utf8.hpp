#pragma once

// The little of UTF-8 that places and messages need.

#include <cstddef>
#include <string>
#include <string_view>

namespace flowrun::config {

/// Returns the bytes of the well-formed UTF-8 sequence at `text[at]` (Unicode table 3-7: no overlong form, no surrogate), or 0.
std::size_t utf8_length(std::string_view text, std::size_t at) noexcept;

/// Returns the number of code points in well-formed UTF-8.
std::size_t count_code_points(std::string_view text) noexcept;

/// Returns `text` with U+FFFD in place of every byte that belongs to no well-formed sequence.
std::string replace_invalid_utf8(std::string_view text);

}  // namespace flowrun::config
