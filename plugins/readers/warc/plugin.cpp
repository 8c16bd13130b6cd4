// readers/warc: the pages of crawl archives, as they were sent.

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http_response.hpp"
#include "readers/common/charset/page_decoder.hpp"
#include "readers/common/file_source.hpp"
#include "readers/common/warc/warc_records.hpp"
#include "selection.hpp"

namespace flowrun::readers {
namespace {

struct WarcOptions {
  WarcSelection selection;
  PageDecoderOptions decoder;
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
  WarcReader(Window& stored, std::string path, const WarcOptions& options) : WarcRecordReader(stored, std::move(path), options.max_record_bytes), options_(&options), decoder_(options.decoder) {}

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
    DecodedPage page;
    if (auto fault = decoder_.decode(body, charset_parameter(content_type), is_cut, page)) return refuse_record(refusal, {fault->code, std::move(fault->message)});
    set_columns(head, content_type, page);
    record = {number(), page.text, {}, {}, columns_};
    if (!options_->id_field.empty())
      if (const auto id = head.fields.find(options_->id_field); id && !id->empty()) record.id = header_text(*id, id_);
    return Step::kRecord;
  }

  void set_columns(const WarcHead& head, std::string_view content_type, const DecodedPage& page) {
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
    columns_.push_back(page.charset);
    columns_.push_back(page.charset_source);
    columns_.push_back(page.replaced);
    for (const Column& column : options_->columns) {
      const std::string_view from = column.from;
      add(from.starts_with(kHttpPrefix) ? response_.fields.find(from.substr(kHttpPrefix.size())) : head.fields.find(from));
    }
  }

  const WarcOptions* options_;
  HttpResponse response_;
  HttpBody body_;
  PageDecoder decoder_;
  std::string id_;
  std::vector<std::string> texts_;  ///< of columns whose bytes are no UTF-8
  std::vector<ColumnValue> columns_;
};

class Warc : public FileSource {
 public:
  static Descriptor descriptor() {
    std::vector<std::string> added;
    for (const Column& column : own_columns()) added.push_back(column.name);
    return describe_page_decoder(describe(Descriptor("readers/warc", "0.1.0"), std::move(added))
            .summary("Reads pages of crawl archives (WARC 0.17 to 1.1; .warc, .warc.gz, .warc.zst), decoded to UTF-8: the page as it was sent, HTML and all.")
            .parameter(strings("record_types").defaults(std::vector<std::string>{"response"}).about("Types of records that are read: \"response\", \"resource\", \"conversion\"."))
            .parameter(strings("media_types")
                           .defaults(std::vector<std::string>{"text/html", "application/xhtml+xml"})
                           .about("Types of content that are read, as \"text/plain\", \"text/*\" or \"*/*\": by WARC-Identified-Payload-Type, else Content-Type, else by the first bytes."))
            .parameter(strings("http_statuses").defaults(std::vector<std::string>{"200"}).about("Statuses of HTTP that are read, as \"200\", \"2xx\" or \"*\".")))
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
    options_.decoder = read_page_decoder(params);
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
