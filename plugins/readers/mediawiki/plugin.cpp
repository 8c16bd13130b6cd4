// readers/mediawiki: the pages of a wiki's XML dump as plain text.

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dump_kind.hpp"
#include "multistream.hpp"
#include "page.hpp"
#include "readers/common/file_source.hpp"
#include "readers/common/xml_records.hpp"
#include "wikitext.hpp"

namespace flowrun::readers {
namespace {

struct MediawikiOptions {
  std::vector<std::int64_t> namespaces;
  bool redirects = false;
  std::string language;  ///< "": the dump's
  WikitextOptions wikitext;
  std::size_t max_record_bytes = 0;
};

/// Reads the <page> elements of a dump.
class MediawikiReader : public XmlRecordReader {
 public:
  MediawikiReader(Window& window, const MediawikiOptions& options, const WikiSite& site, const FilePart& part)
      : XmlRecordReader(window, {"<page", "<mediawiki", "</mediawiki"}, options.max_record_bytes, part.first_record), options_(&options), site_(site),
        end_number_(part.record_count < 0 ? -1 : part.first_record + part.record_count), is_last_(part.is_last), is_first_(part.begin == 0) {
    wants_end_ = part.end >= 0 && is_last_;  // the root of a part began in another
  }

  Step next(const Call& call, Record& record, Refusal& refusal) override {
    if (std::exchange(is_first_, false)) {
      while (window_->data().size() < kDumpKindBytes && window_->extend(call)) {
      }
      if (auto message = has_damage() ? std::nullopt : describe_other_dump(window_->data())) {
        refusal = complain("bad_dump", *message);
        return Step::kUnreadable;
      }
    }
    return XmlRecordReader::next(call, record, refusal);
  }

 protected:
  std::optional<Step> read_record(const Call& call, Record& record, Refusal& refusal) override {
    static constexpr std::string_view kEnd = "</page>";
    const std::size_t found = find(call, kEnd, 0);
    const std::size_t size = found == std::string_view::npos ? window_->data().size() : found + kEnd.size();
    if (size > max_record_bytes_ || (found == std::string_view::npos && size == max_record_bytes_)) return refuse_too_large(call, refusal);
    take(size);
    if (found == std::string_view::npos) {
      wants_end_ = false;
      if (has_damage()) return {};
      refusal = refuse("bad_xml", "the file ends early, inside a page");
      if (is_last_) refusal.file_bytes = -1;
      return Step::kRefused;
    }
    const std::string_view xml = window_->data().substr(0, size);
    const std::optional<WikiFault> fault = xml_.read_page(xml, page_);
    if (!fault) return give(record);
    // A page whose end is damaged goes on into the next one, which is not to be lost with it.
    take(std::min(xml.find("<page>", 1), size));
    refusal = refuse(fault->code, fault->message);
    return Step::kRefused;
  }

  /// Reads what stands before the pages. A fault there is no page's: the pages are read all the same.
  std::optional<Step> read_head(const Call& call, Refusal& refusal) override {
    const std::size_t end = head_end(call);
    wants_end_ = is_last_;
    take(end);
    const std::optional<WikiFault> fault = xml_.read_site(window_->data().substr(0, end), site_);
    parser_.reset();
    if (!fault) return {};
    refusal = complain(fault->code, fault->message);
    return Step::kRefused;
  }

  Step read_end(Record& record, Refusal& refusal) override {
    const std::int64_t expected = std::exchange(end_number_, -1);
    if (expected < 0 || expected == number_ || has_damage()) return XmlRecordReader::read_end(record, refusal);
    refusal = complain("index_mismatch", "the index has " + std::to_string(expected) + " pages up to the end of this stream, the dump has " + std::to_string(number_));
    return Step::kRefused;
  }

 private:
  /// Returns where the head ends: behind </siteinfo>, or before the first page.
  std::size_t head_end(const Call& call) {
    for (std::size_t at = find(call, "<", 1); at != std::string_view::npos; at = find(call, "<", at + 1)) {
      find(call, ">", at);  // so that the whole tag can be looked at
      const std::string_view rest = window_->data().substr(at);
      if (begins(rest, tags_.record) || begins(rest, tags_.root_end)) return at;
      if (begins(rest, "</siteinfo")) return at + std::min(rest.find('>'), rest.size() - 1) + 1;
    }
    return window_->data().size();
  }

  static Step leave_out(Record& record, std::int64_t number, Drop drop) {
    record = {number, {}, {}, {}, {}, drop};
    return Step::kDropped;
  }

  /// Gives the page, unless its kind is left out.
  Step give(Record& record) {
    const std::int64_t number = number_++;
    const auto& wanted = options_->namespaces;
    if (page_.redirect && !options_->redirects) return leave_out(record, number, {"redirect"});
    if (!page_.model.empty() && page_.model != "wikitext") return leave_out(record, number, {"content_model"});
    if (std::find(wanted.begin(), wanted.end(), page_.name_space) == wanted.end()) return leave_out(record, number, {"namespace", static_cast<double>(page_.name_space)});
    if (!parser_) make_parser();
    columns_ = {std::string_view(page_.title), page_.id, std::string_view(page_.timestamp), std::string_view(language_)};
    record = {number, parser_->convert(page_.text, page_.title), {}, {}, columns_};
    return Step::kRecord;
  }

  void make_parser() {
    language_ = options_->language.empty() ? site_.language : options_->language;
    WikitextOptions wikitext = options_->wikitext;
    wikitext.variants = has_variants(language_);
    LinkPrefixes prefixes;
    for (const std::string& name : site_.hidden_prefixes) prefixes.add(name);
    parser_.emplace(wikitext, std::move(prefixes));
  }

  const MediawikiOptions* options_;
  WikiSite site_;
  std::int64_t end_number_;  ///< that the last record of the part must have plus 1; -1: not known
  bool is_last_;             ///< of the parts of its file
  bool is_first_;            ///< of the parts of its file, whose beginning has not been looked at yet
  WikiXml xml_;
  WikiPage page_;
  std::optional<WikitextParser> parser_;
  std::string language_;
  std::array<ColumnValue, 4> columns_;
};

class Mediawiki : public FileSource {
 public:
  static Descriptor descriptor() {
    return describe(Descriptor("readers/mediawiki", "0.1.0"), {"title", "page_id", "timestamp", "language"})
        .summary("Reads the pages of a MediaWiki XML dump (export 0.10 and 0.11), as of Wikipedia, as plain text.")
        .parameter(strings("namespaces").defaults(std::vector<std::string>{"0"}).about("The numbers of the namespaces whose pages are read; \"0\" has the articles. Others are dropped as `namespace`, pages that are no wikitext as `content_model`."))
        .parameter(boolean("redirects").defaults(false).about("Whether pages that lead to another one are read too, or dropped as `redirect`."))
        .parameter(string("language").about("The column `language`, and whether -{...}- chooses a variant of it; without it the dump's own (xml:lang)."))
        .parameter(boolean("headings").defaults(true).about("Whether the lines of headings are kept."))
        .parameter(string("math").choices({"keep", "drop"}).defaults("keep").about("Formulas: as TeX between dollar signs, or not at all."))
        .parameter(string("tables").choices({"drop", "flatten"}).defaults("drop").about("Tables: not at all, or a row a line with tabs between its cells. One that nothing closes is always flattened."))
        .parameter(integer("max_record_bytes").unit("bytes").range(256, 1 << 30).defaults(256 << 20).about("A page whose XML is longer is refused as record_too_large."))
        .determinism("pure")
        .threads("Any number of units at once. A multistream dump (-multistream.xml.bz2) beside its index (-multistream-index.txt.bz2) is read in units of streams of "
                 "together up to 4 MiB, with the same result as without the index; of other files one of more than 4 MiB is one unit. The id is <path>#<page from 0>, all pages counted.")
        .source("https://www.mediawiki.org/xml/export-0.11.xsd; https://www.mediawiki.org/wiki/Markup_spec")
        .example("[node.wikipedia]\nplugin = \"readers/mediawiki\"\npaths  = [\"../data/simplewiki-*-multistream.xml.bz2\"]\ndomain = \"wikipedia\"\n");
  }

  explicit Mediawiki(const Params& params) : FileSource(params) {
    for (const std::string& text : params.strings("namespaces")) options_.namespaces.push_back(read_namespace(text));
    if (options_.namespaces.empty()) throw Error(Code::kInvalidArgument, "'namespaces' is empty, expected at least one number");
    options_.redirects = params.boolean("redirects");
    options_.language = params.string_or("language", "");
    options_.wikitext.headings = params.boolean("headings");
    options_.wikitext.math = params.string("math") == "keep";
    options_.wikitext.tables = params.string("tables") == "flatten";
    options_.max_record_bytes = static_cast<std::size_t>(params.integer("max_record_bytes"));
    set_columns({{"title", "", ColumnType::kString}, {"page_id", "", ColumnType::kInteger}, {"timestamp", "", ColumnType::kString}, {"language", "", ColumnType::kString}});
  }

  /// Reads the indexes, so that the streams of a dump are units.
  void open(Open& open) override {
    FileSource::open(open);
    sites_.resize(files().size());
    std::vector<FilePart> parts;
    for (std::size_t file = 0; file < files().size(); ++file) add_parts(file, parts);
    set_parts(std::move(parts));
  }

  std::unique_ptr<RecordReader> read_part(Window& window, const FilePart& part) const override {
    return std::make_unique<MediawikiReader>(window, options_, sites_[part.file], part);
  }

 private:
  static std::int64_t read_namespace(const std::string& text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || text.empty())
      throw Error(Code::kInvalidArgument, "'namespaces' has '" + text + "', expected the number of a namespace such as \"0\"");
    return number;
  }

  void add_parts(std::size_t file, std::vector<FilePart>& parts) {
    const std::string& path = files()[file].path;
    if (is_stream_index(path)) return;  // a glob has found it beside its dump
    const std::string index = find_stream_index(path);
    const std::int64_t bytes = stored_bytes(path);
    const std::vector<WikiStream> streams = index.empty() ? std::vector<WikiStream>() : read_stream_index(index, bytes);
    if (streams.empty()) return parts.push_back({file});
    sites_[file] = read_site(path, streams.front().begin);
    parts.push_back({file, 0, streams.front().begin, 0, 0, false});
    std::int64_t first = 0;
    for (std::size_t i = 0; i < streams.size(); ++i) {
      const bool is_last = i + 1 == streams.size();
      parts.push_back({file, streams[i].begin, is_last ? bytes : streams[i + 1].begin, first, streams[i].page_count, is_last});
      first += streams[i].page_count;
    }
  }

  /// Reads what stands in a dump's first stream. What is wrong with it is said where that stream is read as a part.
  static WikiSite read_site(const std::string& path, std::int64_t end) {
    StoredFile file(path, 0, end);
    std::string head(1 << 20, '\0');
    std::size_t size = 0;
    while (const std::size_t got = size == head.size() ? 0 : file.read(head.data() + size, head.size() - size)) size += got;
    WikiSite site;
    WikiXml().read_site(std::string_view(head).substr(0, size), site);
    return site;
  }

  MediawikiOptions options_;
  std::vector<WikiSite> sites_;  ///< of files with an index
};

}  // namespace
}  // namespace flowrun::readers

FLOWRUN_PLUGIN(flowrun::readers::Mediawiki)
