#include "readers/common/text_reader.hpp"

#include <optional>
#include <string>

#include "readers/common/utf8.hpp"

namespace flowrun::readers {

TextSplit read_split(const Params& params) {
  TextSplit split;
  const std::string kind = params.string("split");
  split.limits.max_bytes = static_cast<std::size_t>(params.integer("max_record_bytes"));
  if (kind == "file") {
    split.limits.skip_blank_lines = false;
  } else if (kind == "blank_lines") {
    split.limits.min_bytes = 1;
  } else {
    split.limits.min_bytes = static_cast<std::size_t>(params.integer("split_bytes"));
    split.limits.max_bytes = 2 * split.limits.min_bytes;
    split.forced_is_error = false;
  }
  return split;
}

Descriptor describe_split(Descriptor descriptor) {
  return descriptor
      .parameter(string("split").choices({"file", "blank_lines", "bytes"}).defaults("file").about(
          "What is a document: a file as it is; what stands between blank lines; or pieces of about 'split_bytes', cut at a blank line."))
      .parameter(integer("split_bytes").unit("bytes").range(16, 1 << 29).defaults(16384).about(
          "With split = \"bytes\": a piece ends at the first blank line at or after this size, at the latest at the last line end (else character) before twice this size."))
      .parameter(integer("max_record_bytes").unit("bytes").range(16, 1 << 30).defaults(256 << 20).about("A longer document is refused as record_too_large."));
}

RecordReader::Step TextReader::next(const Call& call, Record& record, Refusal& refusal) {
  Piece piece;
  do
    if (!pieces_.next(call, piece)) return Step::kEnd;
  while (piece.text.empty());
  const std::int64_t number = number_++;
  const std::int64_t offset = pieces_.stored_offset();
  if (piece.forced && split_.forced_is_error) {
    while (piece.forced && pieces_.next(call, piece)) {
    }
    refusal = {number, "record_too_large", "a document of more than " + std::to_string(split_.limits.max_bytes) + " bytes ('max_record_bytes')", offset, 0};
    return Step::kRefused;
  }
  if (const std::size_t bad = find_invalid_utf8(piece.text); bad != std::string_view::npos) {
    refusal = {number, "bad_utf8", describe_invalid_utf8(piece.text, bad, "the document"), offset, static_cast<std::int64_t>(piece.text.size())};
    return Step::kRefused;
  }
  record = {number, piece.text, std::nullopt, std::nullopt};
  return Step::kRecord;
}

}  // namespace flowrun::readers
