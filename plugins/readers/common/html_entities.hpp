#pragma once

// Character references of HTML: &name; &#number; &#xhex;

#include <cstddef>
#include <string>
#include <string_view>

namespace flowrun::readers {

/// Decodes the reference at the start of `text`, which begins with '&', appends its characters to `out` as UTF-8 and returns its length.
/// Returns 0, with `out` as it was, where there is none: an unknown name, no semicolon, or a number that is no character or a control.
std::size_t decode_entity(std::string_view text, std::string& out);

}  // namespace flowrun::readers
