#pragma once

// Text of older encodings to UTF-8, by iconv.

#include <optional>
#include <string>
#include <string_view>

namespace flowrun::readers {

/// Why a text cannot be converted.
struct EncodingFault {
  const char* code = "";  ///< "unknown_encoding", "bad_encoding"
  std::string message;
};

/// Returns what iconv calls the encoding that a Project Gutenberg header calls `name`: "ISO Latin-1", "ISO-646-US (US-ASCII)", "Unicode UTF-8". "UTF-8"
/// and "ASCII" are always called so. ISO-8859-1 is read as Windows-1252, which has letters where the former has control characters and
/// is what such texts hold (WHATWG Encoding Standard, section 4.2).
std::string encoding_name(std::string_view name);

/// Converts `text` from an encoding that iconv knows into UTF-8. Never leaves out or replaces a byte.
std::optional<EncodingFault> to_utf8(std::string_view text, const std::string& encoding, std::string& out);

}  // namespace flowrun::readers
