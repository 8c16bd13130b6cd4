// readers/jsonl: one JSON object a line, each a document.

#include <memory>
#include <string>
#include <utility>

#include "jsonl.hpp"
#include "key_census.hpp"
#include "readers/common/file_source.hpp"

namespace flowrun::readers {
namespace {

/// Cuts a file at its newlines. A last line needs none; a line that damage cut short is left to the file's own report.
class JsonlReader : public RecordReader {
 public:
  JsonlReader(Window& window, const JsonlKeys& keys, KeyCensus& census, std::size_t max_record_bytes)
      : window_(&window), parser_(keys), census_(&census), max_record_bytes_(max_record_bytes) {}

  Step next(const Call& call, Record& record, Refusal& refusal) override {
    while (true) {
      window_->consume(taken_);
      taken_ = 0;
      const std::size_t end = window_->line_end(call, 0, max_record_bytes_ + 1);
      if (end == std::string_view::npos) return refuse_too_large(call, refusal);
      const std::string_view line = window_->data().substr(0, end);
      taken_ = end;
      const bool complete = line.ends_with('\n') || !window_->file().damage();
      if (end == 0 || !complete) return census_->add(parser_), Step::kEnd;
      if (!is_blank(line)) return parse(line, record, refusal);
    }
  }

 private:
  Step parse(std::string_view line, Record& record, Refusal& refusal) {
    JsonlRecord parts;
    const std::int64_t number = number_++;
    if (auto fault = parser_.parse(line, window_->readable(), parts)) {
      refusal = {number, fault->code, std::move(fault->message) + window_->place(), window_->stored_offset(), 0};
      return Step::kRefused;
    }
    record = {number, parts.text, parts.id, parts.domain, parts.columns};
    return Step::kRecord;
  }

  /// Skips to the end of a line that is too long, in bounded memory.
  Step refuse_too_large(const Call& call, Refusal& refusal) {
    refusal = {number_++, "record_too_large", "a line of more than " + std::to_string(max_record_bytes_) + " bytes ('max_record_bytes')" + window_->place(),
               window_->stored_offset(), 0};
    while (true) {
      const std::size_t size = window_->data().size();
      const std::size_t end = window_->data().find('\n');
      window_->consume(end == std::string_view::npos ? size : end + 1);
      if (end != std::string_view::npos || !window_->extend(call)) return Step::kRefused;
    }
  }

  Window* window_;
  JsonlParser parser_;
  KeyCensus* census_;
  std::size_t max_record_bytes_;
  std::size_t taken_ = 0;  ///< bytes of the line given last
  std::int64_t number_ = 0;
};

class Jsonl : public FileSource {
 public:
  static Descriptor descriptor() {
    return describe(Descriptor("readers/jsonl", "0.1.0"), {}, {"domain_field"})
        .summary("Reads documents from JSON Lines: one object a line, plain or compressed.")
        .parameter(string("text_field").defaults("text").about(
            "The key that holds the text, or a path of keys: \"body.text\"; \"body[].text\" joins the texts of a list of objects, \"body[]\" of a list of strings. A "
            "backslash makes the '.' or '[' behind it part of a key."))
        .parameter(strings("text_fields").defaults(std::vector<std::string>{}).about(
            "Paths of several texts, in place of 'text_field', joined in this order. Of joined texts, those that are missing, null or empty are left out; a record "
            "without any is refused."))
        .parameter(string("separator").defaults("\n\n").about("What stands between joined texts."))
        .parameter(string("section_field").defaults("").about(
            "In the objects of a list that texts are joined from, the key of a heading (S2ORC: \"section\"): it is put, as a text of its own, before the first of the "
            "texts that share it."))
        .parameter(string("id_field").about("The key or path that holds the document's id, a string or an integer; without it, and where it is missing or null, the id is <path>#<record from 0>."))
        .parameter(string("domain_field").about("The key or path that holds the domain; where it is missing or null, 'domain' is used."))
        .parameter(strings("columns").defaults(std::vector<std::string>{}).about(
            "Further columns of the documents: \"NAME\", \"NAME = PATH\", with a type as \"NAME: integer\" or \"NAME: number = PATH\"; missing and null are null, and a key "
            "that no record has is warned of. A value of another type is refused as bad_column; a column of strings takes numbers and booleans as they are written."))
        .parameter(integer("max_record_bytes").unit("bytes").range(16, 1 << 30).defaults(256 << 20).about("A longer line is refused as record_too_large."))
        .determinism("pure")
        .source("https://jsonlines.org; RFC 8259")
        .example("[node.web]\nplugin = \"readers/jsonl\"\npaths  = [\"../data/web/*.jsonl.zst\"]\ndomain = \"web\"\n");
  }

  explicit Jsonl(const Params& params)
      : FileSource(params),
        keys_{params.string("text_field"),   params.string_or("id_field", ""), params.string_or("domain_field", ""),
              params.strings("text_fields"), params.string("separator"),       params.string("section_field"),
              read_columns(params.strings("columns"))},
        census_(keys_),  // checks the paths, before a file is read
        max_record_bytes_(static_cast<std::size_t>(params.integer("max_record_bytes"))) {
    for (const auto& [name, key] : {std::pair("id_field", keys_.id), std::pair("domain_field", keys_.domain)})
      if (key == keys_.text) throw Error(Code::kInvalidArgument, std::string("'") + name + "' and 'text_field' are both '" + key + "', expected different keys");
    if (!keys_.id.empty() && keys_.id == keys_.domain)
      throw Error(Code::kInvalidArgument, "'id_field' and 'domain_field' are both '" + keys_.id + "', expected different keys");
    set_columns(keys_.columns);
  }

  std::unique_ptr<RecordReader> read_part(Window& window, const FilePart&) const override { return std::make_unique<JsonlReader>(window, keys_, census_, max_record_bytes_); }

 protected:
  void all_read(const Call& call) const override {
    for (const std::string& line : census_.missing()) call.log(FLOWRUN_LOG_WARNING, line);
  }

 private:
  JsonlKeys keys_;
  mutable KeyCensus census_;  ///< of all files; locks
  std::size_t max_record_bytes_;
};

}  // namespace
}  // namespace flowrun::readers

FLOWRUN_PLUGIN(flowrun::readers::Jsonl)
