#pragma once

#include <string>
#include <string_view>

namespace flowrun::tokenizers {

/// Returns the bytes that `text` stands for in base64: the standard alphabet of RFC 4648, padded, without white space, unused bits zero.
/// Throws kCorruptData with the offset for anything else.
std::string decode_base64(std::string_view text);

/// Returns `bytes` in that form.
std::string encode_base64(std::string_view bytes);

}  // namespace flowrun::tokenizers
