#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace flowrun::readers {

/// Returns the offset of the first byte that is not part of valid UTF-8 (surrogates and overlong forms are not), or npos.
std::size_t find_invalid_utf8(std::string_view text) noexcept;

/// Says of the invalid byte at `at` of `text`, which is `what` ("the row"): where it is, what it is, and what to do about files of other encodings.
std::string describe_invalid_utf8(std::string_view text, std::size_t at, std::string_view what);

/// Returns "UTF-16LE" or "UTF-16BE" where a text begins as one of these without a byte order mark, else "". Told by Latin letters, every other of whose bytes is zero; needs
/// at least 16 bytes of them, and looks at 4096 at most.
std::string_view find_utf16(std::string_view text) noexcept;

/// Returns the start of the character that byte `offset` < size belongs to, as far as that can be said of invalid text.
std::size_t character_start(std::string_view text, std::size_t offset) noexcept;

/// Appends a code point, which must be a scalar value of Unicode.
void append_utf8(char32_t code, std::string& out);

}  // namespace flowrun::readers
