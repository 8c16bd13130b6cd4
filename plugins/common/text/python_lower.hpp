#pragma once

// str.lower() of Python 3 on UTF-8.

#include <string>
#include <string_view>

namespace flowrun::text {

/// Returns valid UTF-8 in lower case: one code point for each, but two for U+0130, and a capital sigma by whether it ends a word. Letters are those of the
/// installed utf8proc's Unicode version, what stands around a sigma that of Unicode 14.
std::string python_lower(std::string_view text);

}  // namespace flowrun::text
