#pragma once

// Bytes of any encoding that browsers know to UTF-8.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "readers/common/charset/encoding.hpp"

namespace flowrun::readers {

/// What came of decoding.
struct DecodedText {
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::string_view text;             ///< UTF-8; of the bytes themselves where they are UTF-8, else of the decoder
  std::size_t replaced = 0;          ///< malformed sequences, each now a U+FFFD
  std::size_t first_bad = kNone;     ///< offset of the first of them in the bytes
};

/// Decodes texts, one at a time, as the Encoding Standard says. Where bytes are malformed, a sequence is one byte or one pair, so that a text with several of them in
/// a row may have another number of U+FFFD than a browser shows.
///
/// The single-byte encodings, UTF-8 and UTF-16 are decoded here; the East Asian ones by glibc's iconv, whose tables are the standard's but for the pairs in encodings.inc.
/// Threads: one call at a time. Errors: kUnsupported where iconv lacks a converter (glibc without its gconv modules).
class TextDecoder {
 public:
  TextDecoder();
  ~TextDecoder();
  /// Returns text that is valid until the next call, and as long as `bytes` are. A byte order mark is left in: `sniff_encoding` says how long it is.
  DecodedText decode(std::string_view bytes, const Encoding& encoding);

 private:
  struct Converter;
  std::string out_;
  std::unique_ptr<Converter> converter_, second_;
};

}  // namespace flowrun::readers
