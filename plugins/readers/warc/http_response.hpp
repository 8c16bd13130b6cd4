#pragma once

// What a server answered, as a WARC record keeps it: with its headers, and with its body as it was sent.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "readers/common/warc/header_fields.hpp"

namespace flowrun::readers {

/// A response, cut into its parts. Views are of the bytes that were read.
struct HttpResponse {
  std::int64_t status = 0;
  HeaderFields fields;
  std::string_view body;
};

/// Reads a status line and headers; false where there is no status line ("HTTP/1.1 200 OK"; the reason may be missing). A header without a blank line behind it has no body.
bool read_http_response(std::string_view bytes, HttpResponse& response);

/// Why a body cannot be used.
struct BodyFault {
  const char* code = "";  ///< "bad_http_body", "record_too_large"
  std::string message;
};

/// Takes off what a body was sent in: chunks, then the codings of Content-Encoding from the last to the first. A body that has been decoded before it was stored is left as it is,
/// as by every reader of WARC. How long the record is decides how long the body is, whatever the response's own Content-Length says.
class HttpBody {
 public:
  /// Leaves the body in `body`, valid until the next call. `is_cut`: the record says that it was cut when it was stored, so a body that ends too early is no fault.
  std::optional<BodyFault> decode(const HttpResponse& response, bool is_cut, std::size_t limit, std::string_view& body);

 private:
  std::string buffers_[2];
};

}  // namespace flowrun::readers
