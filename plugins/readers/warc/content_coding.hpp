#pragma once

// The bodies of HTTP messages as they were sent: cut into chunks, compressed.

#include <cstddef>
#include <string>
#include <string_view>

namespace flowrun::readers {

/// What came of decoding a body.
enum class BodyResult {
  kWhole,
  kNotEncoded,  ///< it does not begin as the coding does: who stored it has decoded it before and left the header as it was
  kCut,         ///< it ends too early; what is there has been decoded
  kDamaged,     ///< the same, and then comes what is none of the coding
  kTooLarge,    ///< it has more than `limit` bytes
};

/// Joins the chunks of "Transfer-Encoding: chunked" (RFC 9112, 7.1) in `out`. Trailers are left out.
BodyResult join_chunks(std::string_view body, std::string& out);

/// Decompresses one coding of Content-Encoding: "gzip", "x-gzip", "deflate" (with and without zlib's header, as browsers take it), "br", "zstd", in any case. Any other name is
/// kNotEncoded, as to a browser.
BodyResult decompress_body(std::string_view coding, std::string_view body, std::size_t limit, std::string& out);

}  // namespace flowrun::readers
