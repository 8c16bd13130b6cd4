// readers/text: text files, whole or in pieces.

#include <memory>
#include <string>
#include <utility>

#include "text_pieces.hpp"
#include "readers/common/file_source.hpp"
#include "readers/common/utf8.hpp"

namespace flowrun::readers {
namespace {

class TextReader : public RecordReader {
 public:
  TextReader(Window& window, const PieceLimits& limits, bool forced_is_error) : pieces_(window, limits), max_bytes_(limits.max_bytes), forced_is_error_(forced_is_error) {}

  Step next(const Call& call, Record& record, Refusal& refusal) override {
    Piece piece;
    do
      if (!pieces_.next(call, piece)) return Step::kEnd;
    while (piece.text.empty());
    const std::int64_t number = number_++;
    const std::int64_t offset = pieces_.stored_offset();
    if (piece.forced && forced_is_error_) {
      while (piece.forced && pieces_.next(call, piece)) {
      }
      refusal = {number, "record_too_large", "a document of more than " + std::to_string(max_bytes_) + " bytes ('max_record_bytes')", offset, 0};
      return Step::kRefused;
    }
    if (const std::size_t bad = find_invalid_utf8(piece.text); bad != std::string_view::npos) {
      refusal = {number, "bad_utf8", "invalid UTF-8 at byte " + std::to_string(bad) + " of the document", offset, static_cast<std::int64_t>(piece.text.size())};
      return Step::kRefused;
    }
    record = {number, piece.text, std::nullopt, std::nullopt};
    return Step::kRecord;
  }

 private:
  TextPieces pieces_;
  std::size_t max_bytes_;
  bool forced_is_error_;
  std::int64_t number_ = 0;
};

class Text : public FileSource {
 public:
  static Descriptor descriptor() {
    return describe(Descriptor("readers/text", "0.1.0"))
        .summary("Reads text files, each a document or cut into several; plain or compressed. An empty file gives no document.")
        .parameter(string("split").choices({"file", "blank_lines", "bytes"}).defaults("file").about(
            "What is a document: a file as it is; what stands between blank lines; or pieces of about 'split_bytes', cut at a blank line."))
        .parameter(integer("split_bytes").unit("bytes").range(16, 1 << 29).defaults(16384).about(
            "With split = \"bytes\": a piece ends at the first blank line at or after this size, at the latest at the last line end (else character) before twice this size."))
        .parameter(integer("max_record_bytes").unit("bytes").range(16, 1 << 30).defaults(256 << 20).about("A longer document is refused as record_too_large."))
        .determinism("pure")
        .source("The Unicode Standard 15, section 3.9 (UTF-8)")
        .example("[node.books]\nplugin = \"readers/text\"\npaths  = [\"../data/books/*.txt\"]\ndomain = \"books\"\nsplit  = \"bytes\"\n");
  }

  explicit Text(const Params& params) : FileSource(params) {
    const std::string split = params.string("split");
    limits_.max_bytes = static_cast<std::size_t>(params.integer("max_record_bytes"));
    if (split == "file") {
      limits_.skip_blank_lines = false;
    } else if (split == "blank_lines") {
      limits_.min_bytes = 1;
    } else {
      limits_.min_bytes = static_cast<std::size_t>(params.integer("split_bytes"));
      limits_.max_bytes = 2 * limits_.min_bytes;
      forced_is_error_ = false;
    }
  }

  std::unique_ptr<RecordReader> read_file(Window& window) const override { return std::make_unique<TextReader>(window, limits_, forced_is_error_); }

 private:
  PieceLimits limits_;
  bool forced_is_error_ = true;
};

}  // namespace
}  // namespace flowrun::readers

FLOWRUN_PLUGIN(flowrun::readers::Text)
