#pragma once

#include <string_view>

namespace flowrun::readers {

/// An encoding of the Encoding Standard (https://encoding.spec.whatwg.org), which is what browsers know.
struct Encoding {
  enum class Kind { kSingleByte, kMultiByte, kUtf8, kUtf16Be, kUtf16Le, kEucJp, kIso2022Jp, kReplacement, kUserDefined };
  std::string_view name;  ///< "windows-1252"
  Kind kind;
  int table;              ///< of kSingleByte
  const char* converter;  ///< of encodings with several bytes a character: what iconv calls it
};

/// Returns the encoding that a label names ("latin1", " UTF-8 ", "Shift-JIS"), in any case and between blanks; nullptr where it is none.
const Encoding* find_encoding(std::string_view label) noexcept;

const Encoding& utf8_encoding() noexcept;

/// Returns U+0080 and up of an encoding of kSingleByte; 0: no character.
const char16_t* single_byte_table(const Encoding& encoding) noexcept;

/// Looks for a pair of bytes that iconv maps otherwise than the standard. Returns false where it is not one; else `text` is its UTF-8, "" for none.
bool find_override(const Encoding& encoding, unsigned char lead, unsigned char trail, std::string_view& text) noexcept;

}  // namespace flowrun::readers
