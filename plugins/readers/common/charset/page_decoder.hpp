#pragma once

// What readers of web pages share: parameters that say how a page's encoding is found, and the page as UTF-8.

#include <flowrun/descriptor.hpp>
#include <flowrun/params.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "readers/common/charset/sniff_encoding.hpp"
#include "readers/common/charset/text_decoder.hpp"

namespace flowrun::readers {

struct PageDecoderOptions {
  SniffOptions sniff;    ///< its `declared` is each page's own
  bool replace = false;  ///< malformed bytes, rather than refuse the page
};

/// Adds the parameters `charset_order`, `fallback_charset` and `malformed`.
Descriptor describe_page_decoder(Descriptor descriptor);
/// Throws kInvalidArgument where `fallback_charset` is no label.
PageDecoderOptions read_page_decoder(const Params& params);

/// A page as UTF-8, valid until the next one and as long as its bytes are. The names live as long as the process.
struct DecodedPage {
  std::string_view text, charset, charset_source;
  std::int64_t replaced = 0;  ///< malformed sequences, each now a U+FFFD
};

/// Why a page is refused.
struct PageFault {
  const char* code = "";
  std::string message;
};

/// Decodes pages, one at a time.
class PageDecoder {
 public:
  explicit PageDecoder(const PageDecoderOptions& options) : options_(&options) {}
  /// `declared` is the label that came with the bytes, "" for none; the end of a page that `is_cut` may be a part of a character.
  std::optional<PageFault> decode(std::string_view page, std::string_view declared, bool is_cut, DecodedPage& out);

 private:
  const PageDecoderOptions* options_;
  TextDecoder decoder_;
};

}  // namespace flowrun::readers
