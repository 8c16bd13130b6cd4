#pragma once

#include <string>
#include <string_view>

namespace flowrun::filters {

/// Returns a label in Punycode, without "xn--" before it (RFC 3492, section 6.3). Throws kCorruptData where it is not UTF-8.
std::string punycode(std::string_view label);

}  // namespace flowrun::filters
