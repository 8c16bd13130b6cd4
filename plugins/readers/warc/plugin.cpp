// readers/warc: the pages of crawl archives, as they were sent.

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http_response.hpp"
#include "readers/common/charset/sniff_encoding.hpp"
#include "readers/common/charset/text_decoder.hpp"
#include "readers/common/file_source.hpp"
#include "readers/common/utf8.hpp"
#include "readers/common/warc/warc_records.hpp"
#include "selection.hpp"

namespace flowrun::readers {
namespace {

struct WarcOptions {
  WarcSelection selection;
  SniffOptions sniff;
  bool replace = false;   ///< malformed bytes, rather than refuse the page
  std::string id_field;   ///< "": the id is the record's place
  std::vector<Column> columns;
  std::size_t max_record_bytes = 0;
};

constexpr std::string_view kHttpPrefix = "http:";

/// Columns that are always there.
const std::vector<Column>& own_columns() {
  static const std::vector<Column> columns = {{"url", "", ColumnType::kString},          {"date", "", ColumnType::kString},    {"record_id", "", ColumnType::kString},
                                              {"content_type", "", ColumnType::kString}, {"status", "", ColumnType::kInteger}, {"language", "", ColumnType::kString},
                                              {"charset", "", ColumnType::kString},      {"charset_source", "", ColumnType::kString}, {"replaced", "", ColumnType::kInteger}};
  return columns;
}

class WarcReader : public WarcRecordReader {
 public:
  WarcReader(Window& stored, std::string path, const WarcOptions& options) : WarcRecordReader(stored, std::move(path), options.max_record_bytes), options_(&options) {}

 protected:
  bool is_unwanted(const WarcHead& head, std::string_view block_start) override { return options_->selection.is_unwanted(head, block_start); }

  std::optional<Step> read_record(const WarcHead& head, std::string_view block, Record& record, Refusal& refusal) override {
    if (!options_->selection.wants_type(head.type)) return {};
    const bool is_http = holds_http_response(head);
    response_ = {};
    response_.body = block;
    if (is_http && !read_http_response(block, response_)) return refuse_record(refusal, {"bad_http", "the record's block has no status line, expected HTTP/1.1 and a status"});
    if (is_http && !options_->selection.wants_status(response_.status)) return {};
    std::string_view body;
    const std::string_view content_type = (is_http ? response_.fields.find("Content-Type") : head.fields.find("Content-Type")).value_or("");
    const std::string_view identified = head.fields.find("WARC-Identified-Payload-Type").value_or("");
    const std::string_view stated = media_type(identified.empty() ? content_type : identified);
    if (!stated.empty() && !options_->selection.wants_media_type(stated)) return {};
    const bool is_cut = head.fields.find("WARC-Truncated").has_value();
    if (auto fault = body_.decode(response_, is_cut, max_record_bytes(), body)) return refuse_record(refusal, *fault);
    if (stated.empty() && !options_->selection.wants_media_type(sniff_media_type(body))) return {};
    return give(head, content_type, body, is_cut, record, refusal);
  }

 private:
  std::optional<Step> refuse_record(Refusal& refusal, BodyFault fault) const {
    refusal = refuse(fault.code, std::move(fault.message));
    return Step::kRefused;
  }

  std::optional<Step> give(const WarcHead& head, std::string_view content_type, std::string_view body, bool is_cut, Record& record, Refusal& refusal) {
    SniffOptions sniff = options_->sniff;
    sniff.declared = charset_parameter(content_type);
    const SniffedEncoding found = sniff_encoding(body, sniff);
    const std::string_view bytes = body.substr(found.mark_bytes);
    const Encoding& encoding = found.encoding != nullptr ? *found.encoding : utf8_encoding();
    DecodedText decoded = decoder_.decode(bytes, encoding);
    // The end of a page that was cut where it was stored may be a part of a character.
    constexpr std::size_t kLongestCharacter = 4;
    if (is_cut && decoded.replaced == 1 && decoded.first_bad + kLongestCharacter > bytes.size()) decoded = decoder_.decode(bytes.substr(0, decoded.first_bad), encoding);
    if (decoded.replaced > 0 && !options_->replace) return refuse_record(refusal, describe(bytes, decoded, encoding, found));
    set_columns(head, content_type, encoding, found.source, decoded.replaced);
    record = {number(), decoded.text, {}, {}, columns_};
    if (!options_->id_field.empty())
      if (const auto id = head.fields.find(options_->id_field); id && !id->empty()) record.id = header_text(*id, id_);
    return Step::kRecord;
  }

  static BodyFault describe(std::string_view bytes, const DecodedText& decoded, const Encoding& encoding, const SniffedEncoding& found) {
    if (encoding.kind == Encoding::Kind::kUtf8 && found.source != "fallback")
      return {"bad_utf8", "invalid UTF-8 at byte " + std::to_string(decoded.first_bad) + " of the page, which says that it is UTF-8 (" + std::string(found.source) + ")"};
    if (encoding.kind == Encoding::Kind::kUtf8) return {"bad_utf8", describe_invalid_utf8(bytes, find_invalid_utf8(bytes), "the page, of which nothing says how it is encoded")};
    return {"bad_charset", "byte " + std::to_string(decoded.first_bad) + " of the page is not " + std::string(encoding.name) + ", which is how it is encoded (" + std::string(found.source) + ")"};
  }

  void set_columns(const WarcHead& head, std::string_view content_type, const Encoding& encoding, std::string_view charset_source, std::size_t replaced) {
    columns_.clear();
    texts_.resize(own_columns().size() + options_->columns.size());
    const auto add = [&](std::optional<std::string_view> value) {
      std::string& buffer = texts_[columns_.size()];
      columns_.push_back(value ? ColumnValue(header_text(*value, buffer)) : ColumnValue());
    };
    add(target_uri(head.fields));
    add(head.fields.find("WARC-Date"));
    add(head.fields.find("WARC-Record-ID"));
    add(content_type.empty() ? std::nullopt : std::optional(content_type));
    columns_.push_back(response_.status > 0 ? ColumnValue(response_.status) : ColumnValue());
    const auto language = head.fields.find("WARC-Identified-Content-Language");
    add(language ? language : response_.fields.find("Content-Language"));
    columns_.push_back(encoding.name);
    columns_.push_back(charset_source);
    columns_.push_back(static_cast<std::int64_t>(replaced));
    for (const Column& column : options_->columns) {
      const std::string_view from = column.from;
      add(from.starts_with(kHttpPrefix) ? response_.fields.find(from.substr(kHttpPrefix.size())) : head.fields.find(from));
    }
  }

  const WarcOptions* options_;
  HttpResponse response_;
  HttpBody body_;
  TextDecoder decoder_;
  std::string id_;
  std::vector<std::string> texts_;  ///< of columns whose bytes are no UTF-8
  std::vector<ColumnValue> columns_;
};

class Warc : public FileSource {
 public:
  static Descriptor descriptor() {
    std::vector<std::string> added;
    for (const Column& column : own_columns()) added.push_back(column.name);
    return describe(Descriptor("readers/warc", "0.1.0"), std::move(added))
        .summary("Reads pages of crawl archives (WARC 0.17 to 1.1; .warc, .warc.gz, .warc.zst), decoded to UTF-8: the page as it was sent, HTML and all.")
        .parameter(strings("record_types").defaults(std::vector<std::string>{"response"}).about("Types of records that are read: \"response\", \"resource\", \"conversion\"."))
        .parameter(strings("media_types")
                       .defaults(std::vector<std::string>{"text/html", "application/xhtml+xml"})
                       .about("Types of content that are read, as \"text/plain\", \"text/*\" or \"*/*\": by WARC-Identified-Payload-Type, else Content-Type, else by the first bytes."))
        .parameter(strings("http_statuses").defaults(std::vector<std::string>{"200"}).about("Statuses of HTTP that are read, as \"200\", \"2xx\" or \"*\"."))
        .parameter(string("charset_order").choices({"declared", "utf8_first"}).defaults("declared").about(
            "How the encoding is found. \"declared\", as browsers do: byte order mark, header, <meta>, valid UTF-8, 'fallback_charset'. \"utf8_first\": bytes that are valid UTF-8 are that, "
            "whatever is declared."))
        .parameter(string("fallback_charset").defaults("windows-1252").about(
            "The encoding of pages that do not say it and are no UTF-8, by any label that browsers know; \"\": such a page is refused as bad_utf8."))
        .parameter(string("malformed").choices({"refuse", "replace"}).defaults("refuse").about(
            "What becomes of a page with bytes that are not its encoding: it is refused as bad_utf8 or bad_charset, or they become U+FFFD, counted in the column 'replaced'."))
        .parameter(string("id_field").about("The WARC header that holds the document's id, as \"WARC-Record-ID\"; without it, and where it is missing, the id is <path>#<record from 0>, all records counted."))
        .parameter(strings("columns").defaults(std::vector<std::string>{}).about(
            "Further columns of text, by headers: \"ip = WARC-IP-Address\", \"server = http:Server\" (with \"http:\", of the response); missing is null."))
        .parameter(integer("max_record_bytes").unit("bytes").range(256, 1 << 30).defaults(256 << 20).about(
            "A longer record, or one whose body decompresses to more, is refused as record_too_large."))
        .determinism("pure")
        .source("ISO 28500 (WARC 1.1); RFC 9110 and 9112; https://encoding.spec.whatwg.org; https://html.spec.whatwg.org, 13.2.3.2")
        .example("[node.crawl]\nplugin = \"readers/warc\"\npaths  = [\"../data/crawl/*.warc.gz\"]\ndomain = \"web\"\nmalformed = \"replace\"\n");
  }

  explicit Warc(const Params& params) : FileSource(params) {
    show_stored_bytes();
    options_.selection = WarcSelection(params.strings("record_types"), params.strings("media_types"), params.strings("http_statuses"));
    options_.sniff.utf8_first = params.string("charset_order") == "utf8_first";
    const std::string fallback = params.string("fallback_charset");
    options_.sniff.fallback = find_encoding(fallback);
    if (!fallback.empty() && options_.sniff.fallback == nullptr)
      throw Error(Code::kInvalidArgument, "'fallback_charset' is '" + fallback + "', expected a label of the Encoding Standard such as \"windows-1252\"");
    options_.replace = params.string("malformed") == "replace";
    options_.id_field = params.string_or("id_field", "");
    options_.columns = further_columns(params.strings("columns"));
    options_.max_record_bytes = static_cast<std::size_t>(params.integer("max_record_bytes"));
    std::vector<Column> columns = own_columns();
    columns.insert(columns.end(), options_.columns.begin(), options_.columns.end());
    set_columns(std::move(columns));
  }

  std::unique_ptr<RecordReader> read_part(Window& window, const FilePart& part) const override { return std::make_unique<WarcReader>(window, files()[part.file].path, options_); }

 private:
  static std::vector<Column> further_columns(const std::vector<std::string>& texts) {
    std::vector<Column> columns = read_columns(texts);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].type != ColumnType::kString) throw Error(Code::kInvalidArgument, "column '" + texts[i] + "' of 'columns' names a type, expected NAME = HEADER: headers are text");
      const auto& own = own_columns();
      if (std::any_of(own.begin(), own.end(), [&](const Column& other) { return other.name == columns[i].name; }))
        throw Error(Code::kInvalidArgument, "column '" + columns[i].name + "' of 'columns' is one that this reader adds by itself, expected another name");
    }
    return columns;
  }

  WarcOptions options_;
};

}  // namespace
}  // namespace flowrun::readers

FLOWRUN_PLUGIN(flowrun::readers::Warc)
