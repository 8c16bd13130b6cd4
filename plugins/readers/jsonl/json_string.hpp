#pragma once

// The escapes of JSON strings (RFC 8259, section 7). simdjson's On-Demand parser chooses the code that unescapes when it is compiled, and for
// plain x86-64 that goes byte by byte; this looks for backslashes with memchr and copies what lies between them.

#include <string>
#include <string_view>

namespace flowrun::readers {

enum class Unescaped {
  kOk,
  kBadEscape,      ///< not an escape of JSON
  kLoneSurrogate,  ///< an escape of half a surrogate pair: no character, and never replaced by one
};

/// Decodes what stands between the quotes of a string. `out` shows `raw` itself where nothing is escaped, else `buffer`.
Unescaped unescape(std::string_view raw, std::string& buffer, std::string_view& out);

}  // namespace flowrun::readers
