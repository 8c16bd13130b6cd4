// readers/gutenberg: texts of Project Gutenberg, without its header and footer.

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "encoding.hpp"
#include "gutenberg.hpp"
#include "readers/common/file_source.hpp"
#include "readers/common/text_reader.hpp"
#include "readers/common/utf8.hpp"

namespace flowrun::readers {
namespace {

struct Options {
  GutenbergOptions text;
  std::string encoding;  ///< for iconv; "": as the file declares
  bool refuse_unmarked = false;
  std::size_t max_bytes = 0;
  TextSplit split;
};

/// Gives a text that is in memory to those who read files.
class MemoryDecoder : public Decoder {
 public:
  explicit MemoryDecoder(std::string text) : text_(std::move(text)) {}
  std::size_t read(char* out, std::size_t size) override {
    const std::size_t n = std::min(size, text_.size() - at_);
    std::memcpy(out, text_.data() + at_, n);
    at_ += n;
    return n;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

/// Returns whether text of that encoding may be valid UTF-8 and mean something else.
bool has_shift_states(const std::string& encoding) { return encoding.starts_with("ISO-2022") || encoding.starts_with("HZ") || encoding.starts_with("UTF-7"); }

/// Brings the bytes of a file to UTF-8. A file that is UTF-8 is taken for that, whatever it declares: that was often left as it was when a file
/// was converted, and no text of an older encoding is UTF-8 by accident.
std::optional<EncodingFault> decode(std::string_view bytes, const std::string& given, std::string& out) {
  const std::optional<std::string> declared = given.empty() ? declared_encoding(bytes) : given;
  const std::string encoding = declared ? encoding_name(*declared) : "UTF-8";
  const std::size_t bad = find_invalid_utf8(bytes);
  const bool may_be_utf8 = given.empty() ? !has_shift_states(encoding) : encoding == "UTF-8";
  if (may_be_utf8 && bad == std::string_view::npos) {
    out = bytes;
    return {};
  }
  if (encoding != "UTF-8") return to_utf8(bytes, encoding, out);
  const char* const why = declared ? "" : ", and the file declares no encoding; 'encoding' can name it";
  return EncodingFault{"bad_utf8", "invalid UTF-8 at byte " + std::to_string(bad) + " of the text" + why};
}

class GutenbergReader : public RecordReader {
 public:
  GutenbergReader(Window& window, const Options& options) : window_(&window), options_(&options) {}

  Step next(const Call& call, Record& record, Refusal& refusal) override {
    if (!loaded_) {
      loaded_ = true;
      if (const Step step = load(call, refusal); step != Step::kRecord) return step;
    }
    const Step step = pieces_ ? pieces_->next(call, record, refusal) : Step::kEnd;
    if (step == Step::kRecord) record.columns = values_;
    return step;
  }

 private:
  Step load(const Call& call, Refusal& refusal) {
    while (window_->data().size() <= options_->max_bytes && window_->extend(call)) {
    }
    const auto bytes = static_cast<std::int64_t>(window_->data().size());
    if (window_->data().size() > options_->max_bytes) {
      refusal = {0, "record_too_large", "a file of more than " + std::to_string(options_->max_bytes) + " bytes ('max_record_bytes')", 0, 0};
      return Step::kRefused;
    }
    if (window_->file().damage()) return Step::kEnd;
    std::string text;
    if (auto fault = decode(window_->data(), options_->encoding, text)) {
      refusal = {0, fault->code, std::move(fault->message), 0, bytes};
      return Step::kRefused;
    }
    window_->consume(window_->data().size());
    book_ = read_gutenberg(text, options_->text);
    if (options_->refuse_unmarked && !book_.has_start && !book_.has_end && !text.empty()) {
      refusal = {0, "unmarked_text", "no line of the file is a mark of Project Gutenberg, expected one because of unmarked = \"refuse\"", 0, bytes};
      return Step::kRefused;
    }
    set_values();
    body_.emplace(std::make_unique<MemoryDecoder>(std::move(book_.text)));
    body_window_.emplace(call, *body_);
    pieces_.emplace(*body_window_, options_->split);
    return Step::kRecord;
  }

  /// Sets the values of the columns, in their order; their texts are those of book_.
  void set_values() {
    for (const auto* text : {&book_.title, &book_.author, &book_.language, &book_.release_date}) values_.push_back(*text ? ColumnValue(std::string_view(**text)) : ColumnValue());
    values_.push_back(book_.number ? ColumnValue(*book_.number) : ColumnValue());
    values_.push_back(std::string_view(book_.has_start && book_.has_end ? "both" : book_.has_start ? "start" : book_.has_end ? "end" : "none"));
  }

  Window* window_;
  const Options* options_;
  bool loaded_ = false;
  GutenbergText book_;
  std::vector<ColumnValue> values_;
  std::optional<StoredFile> body_;
  std::optional<Window> body_window_;
  std::optional<TextReader> pieces_;
};

class Gutenberg : public FileSource {
 public:
  static Descriptor descriptor() {
    return describe_split(describe(Descriptor("readers/gutenberg", "0.1.0"), {"title", "author", "language", "release_date", "ebook_number", "marks"})
                              .summary("Reads text files of Project Gutenberg without its header, footer and licence, with what the header says as columns (null where it is silent): "
                                       "'title', 'author', 'language', 'release_date', 'ebook_number'. Line ends become newlines.")
                              .parameter(string("encoding").defaults("").about(
                                  "The encoding of the files, as `iconv --list` calls it; \"\": what a file declares (\"Character set encoding: ISO-8859-1\"), and UTF-8 where it "
                                  "declares none or is UTF-8 all the same. A text that is not what it should be is refused as bad_utf8 or bad_encoding."))
                              .parameter(boolean("keep_credits").defaults(false).about("Keep the paragraphs at a text's start that say who made it: \"Produced by ...\", \"E-text prepared by ...\"."))
                              .parameter(boolean("keep_notes").defaults(false).about("Keep paragraphs that are a transcriber's note."))
                              .parameter(string("unmarked").choices({"keep", "refuse"}).defaults("keep").about(
                                  "What becomes of a text without a mark of Project Gutenberg: it is kept whole, or refused as unmarked_text. The column 'marks' says which "
                                  "marks a text had: both, start, end or none.")))
        .determinism("pure")
        .source("https://www.gutenberg.org; the marks as in the package gutenberg 0.8.2; encodings by iconv, ISO-8859-1 as Windows-1252 (WHATWG Encoding Standard)")
        .example("[node.books]\nplugin = \"readers/gutenberg\"\npaths  = [\"../data/gutenberg/*.txt\"]\ndomain = \"books\"\nsplit  = \"bytes\"\n");
  }

  explicit Gutenberg(const Params& params) : FileSource(params) {
    options_.text = {params.boolean("keep_credits"), params.boolean("keep_notes")};
    options_.encoding = params.string("encoding");
    options_.refuse_unmarked = params.string("unmarked") == "refuse";
    options_.max_bytes = static_cast<std::size_t>(params.integer("max_record_bytes"));
    options_.split = read_split(params);
    set_columns({{"title", ""}, {"author", ""}, {"language", ""}, {"release_date", ""}, {"ebook_number", "", ColumnType::kInteger}, {"marks", ""}});
  }

  std::unique_ptr<RecordReader> read_part(Window& window, const FilePart&) const override { return std::make_unique<GutenbergReader>(window, options_); }

 protected:
  bool wants_utf8() const override { return options_.encoding.empty(); }

 private:
  Options options_;
};

}  // namespace
}  // namespace flowrun::readers

FLOWRUN_PLUGIN(flowrun::readers::Gutenberg)
