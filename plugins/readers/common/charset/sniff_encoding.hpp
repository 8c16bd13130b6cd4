#pragma once

// Which encoding a page is in, as browsers decide it.

#include <cstddef>
#include <string_view>

#include "readers/common/charset/encoding.hpp"

namespace flowrun::readers {

/// An encoding, and what has said so: "bom", "http", "meta", "xml", "utf8" (the bytes are valid UTF-8) or "fallback".
struct SniffedEncoding {
  const Encoding* encoding = nullptr;  ///< nullptr: nothing has said so
  std::string_view source;
  std::size_t mark_bytes = 0;          ///< of a byte order mark, which is not part of the text
};

/// Where to look, beside the bytes.
struct SniffOptions {
  std::string_view declared;           ///< the label that came with the bytes, as "charset" of a Content-Type; "": none
  const Encoding* fallback = nullptr;  ///< for bytes that nothing describes and that are no UTF-8
  bool utf8_first = false;             ///< bytes that are valid UTF-8, and not ASCII alone, are UTF-8 whatever is declared
  bool markup = true;                  ///< whether <meta> and <?xml encoding> count
};

/// Decides in the order of the HTML standard (13.2.3.2, "determining the character encoding"): byte order mark, transport, declaration in the text; then, in place of a guess by
/// statistics, whether the bytes are valid UTF-8, then the fallback. Of the text the first 16 KiB are looked at, as a browser that meets a late <meta> starts anew.
SniffedEncoding sniff_encoding(std::string_view bytes, const SniffOptions& options) noexcept;

/// Returns the encoding that a <meta> or an XML declaration at the start of `bytes` names, nullptr for none ("prescan a byte stream to determine its encoding").
const Encoding* prescan_meta(std::string_view bytes) noexcept;
const Encoding* prescan_xml(std::string_view bytes) noexcept;

/// Returns the label behind "charset=" in the value of a Content-Type or of a <meta content>, "" for none.
std::string_view charset_parameter(std::string_view value) noexcept;

}  // namespace flowrun::readers
