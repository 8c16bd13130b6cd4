#include "readers/common/charset/page_decoder.hpp"

#include <flowrun/error.hpp>

#include <utility>

#include "readers/common/utf8.hpp"

namespace flowrun::readers {
namespace {

PageFault describe(std::string_view bytes, const DecodedText& decoded, const Encoding& encoding, const SniffedEncoding& found) {
  if (encoding.kind == Encoding::Kind::kUtf8 && found.source != "fallback")
    return {"bad_utf8", "invalid UTF-8 at byte " + std::to_string(decoded.first_bad) + " of the page, which says that it is UTF-8 (" + std::string(found.source) + ")"};
  if (encoding.kind == Encoding::Kind::kUtf8) return {"bad_utf8", describe_invalid_utf8(bytes, find_invalid_utf8(bytes), "the page, of which nothing says how it is encoded")};
  return {"bad_charset", "byte " + std::to_string(decoded.first_bad) + " of the page is not " + std::string(encoding.name) + ", which is how it is encoded (" + std::string(found.source) + ")"};
}

}  // namespace

Descriptor describe_page_decoder(Descriptor descriptor) {
  return std::move(descriptor
                       .parameter(string("charset_order").choices({"declared", "utf8_first"}).defaults("declared").about(
                           "How the encoding is found. \"declared\", as browsers do: byte order mark, header, <meta>, valid UTF-8, 'fallback_charset'. \"utf8_first\": bytes that are valid UTF-8 "
                           "are that, whatever is declared."))
                       .parameter(string("fallback_charset").defaults("windows-1252").about(
                           "The encoding of pages that do not say it and are no UTF-8, by any label that browsers know; \"\": such a page is refused as bad_utf8."))
                       .parameter(string("malformed").choices({"refuse", "replace"}).defaults("refuse").about(
                           "What becomes of a page with bytes that are not its encoding: it is refused as bad_utf8 or bad_charset, or they become U+FFFD, counted in the column 'replaced'.")));
}

PageDecoderOptions read_page_decoder(const Params& params) {
  PageDecoderOptions options;
  options.sniff.utf8_first = params.string("charset_order") == "utf8_first";
  const std::string fallback = params.string("fallback_charset");
  options.sniff.fallback = find_encoding(fallback);
  if (!fallback.empty() && options.sniff.fallback == nullptr)
    throw Error(Code::kInvalidArgument, "'fallback_charset' is '" + fallback + "', expected a label of the Encoding Standard such as \"windows-1252\"");
  options.replace = params.string("malformed") == "replace";
  return options;
}

std::optional<PageFault> PageDecoder::decode(std::string_view page, std::string_view declared, bool is_cut, DecodedPage& out) {
  SniffOptions sniff = options_->sniff;
  sniff.declared = declared;
  const SniffedEncoding found = sniff_encoding(page, sniff);
  const std::string_view bytes = page.substr(found.mark_bytes);
  const Encoding& encoding = found.encoding != nullptr ? *found.encoding : utf8_encoding();
  DecodedText decoded = decoder_.decode(bytes, encoding);
  constexpr std::size_t kLongestCharacter = 4;
  if (is_cut && decoded.replaced == 1 && decoded.first_bad + kLongestCharacter > bytes.size()) decoded = decoder_.decode(bytes.substr(0, decoded.first_bad), encoding);
  if (decoded.replaced > 0 && !options_->replace) return describe(bytes, decoded, encoding, found);
  out = {decoded.text, encoding.name, found.source, static_cast<std::int64_t>(decoded.replaced)};
  return {};
}

}  // namespace flowrun::readers
