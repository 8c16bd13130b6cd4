// readers/csv: tables as text, each row a document.

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <flowrun/nearest.hpp>

#include "csv.hpp"
#include "readers/common/columns.hpp"
#include "readers/common/file_source.hpp"
#include "readers/common/utf8.hpp"

namespace flowrun::readers {
namespace {

constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

struct CsvOptions {
  CsvDialect dialect;
  bool header = true, strict = true;
  std::string text_field, id_field, domain_field;
  std::vector<Column> columns;
  std::size_t max_record_bytes = 0;
};

/// Where in a row its parts are, from 0.
struct Places {
  std::size_t text = kNowhere, id = kNowhere, domain = kNowhere;
  std::vector<std::size_t> columns;
};

/// Returns the place of a column that is named by its number from 1. Throws kInvalidArgument.
std::size_t place_of_number(const std::string& parameter, const std::string& text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0)
    throw Error(Code::kInvalidArgument, "'" + parameter + "' names column '" + text + "', expected a number from 1 on because of 'header = false'");
  return number - 1;
}

Places places_of_numbers(const CsvOptions& options) {
  Places places;
  places.text = place_of_number("text_field", options.text_field);
  if (!options.id_field.empty()) places.id = place_of_number("id_field", options.id_field);
  if (!options.domain_field.empty()) places.domain = place_of_number("domain_field", options.domain_field);
  for (const Column& column : options.columns) places.columns.push_back(place_of_number("columns", column.from));
  return places;
}

/// Finds columns by the names of a header.
class Header {
 public:
  explicit Header(std::vector<std::string> names) : names_(std::move(names)) {}

  /// Finds the columns, or says why they cannot be found.
  std::optional<std::string> find(const CsvOptions& options, Places& places) const {
    places.columns.assign(options.columns.size(), kNowhere);
    std::optional<std::string> fault = find(options.text_field, places.text);
    if (!fault && !options.id_field.empty()) fault = find(options.id_field, places.id);
    if (!fault && !options.domain_field.empty()) fault = find(options.domain_field, places.domain);
    for (std::size_t i = 0; i < options.columns.size() && !fault; ++i) fault = find(options.columns[i].from, places.columns[i]);
    return fault;
  }

 private:
  std::optional<std::string> find(const std::string& name, std::size_t& place) const {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) return "the header has no column '" + name + "', it has " + list() + did_you_mean(name, names_);
    if (std::find(found + 1, names_.end(), name) != names_.end()) return "the header has column '" + name + "' twice, expected once";
    place = static_cast<std::size_t>(found - names_.begin());
    return {};
  }
  std::string list() const {
    constexpr std::size_t kShown = 12;
    std::string text;
    for (std::size_t i = 0; i < std::min(names_.size(), kShown); ++i) text += (i == 0 ? "'" : ", '") + names_[i] + "'";
    return names_.size() > kShown ? text + " and " + std::to_string(names_.size() - kShown) + " more" : text;
  }

  std::vector<std::string> names_;
};

/// Reads the header of a file; nothing where it cannot be read or is very long, which its reader says.
std::optional<Header> read_header(const std::string& path, const CsvDialect& dialect) try {
  constexpr std::size_t kMostBytes = 1 << 20;
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  StoredFile file(path);
  std::string text(kMostBytes, '\0');
  std::size_t size = 0;
  for (std::size_t got = 1; got > 0 && size < text.size(); size += got) got = file.read(text.data() + size, text.size() - size);
  const bool at_end = size < text.size();
  std::string_view rest = std::string_view(text).substr(0, size);
  if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());
  CsvScanner scanner(dialect);
  while (true) {
    scanner.start();
    if (rest.empty() || !scanner.scan(rest, at_end) || (file.damage() && !scanner.ended_with_line())) return std::nullopt;
    if (scanner.field_count() > 0) break;
    rest.remove_prefix(scanner.size());
  }
  const std::string_view row = rest.substr(0, scanner.text_size());
  if (scanner.text_behind_quote() || scanner.open_quote() || find_invalid_utf8(row) != std::string_view::npos) return std::nullopt;
  std::vector<std::string> names;
  std::string buffer;
  for (std::size_t i = 0; i < scanner.field_count(); ++i) names.emplace_back(scanner.field(row, i, buffer));
  return Header(std::move(names));
} catch (const Error&) {
  return std::nullopt;
}

class CsvReader : public RecordReader {
 public:
  CsvReader(Window& window, const CsvOptions& options)
      : window_(&window), options_(&options), scanner_(options.dialect), buffers_(kParts + options.columns.size()), values_(options.columns.size()) {}

  Step next(const Call& call, Record& record, Refusal& refusal) override {
    if (!places_) {
      const Step step = options_->header ? read_header(call, refusal) : (places_ = places_of_numbers(*options_), Step::kRecord);
      if (step != Step::kRecord) return step;
    }
    const Step step = find_row(call, refusal);
    return step == Step::kRecord ? read_row(record, refusal) : step;
  }

 private:
  static constexpr std::size_t kText = 0, kId = 1, kDomain = 2, kParts = 3;  // buffers

  /// Goes to the next row that is not empty: kRecord, kRefused where it is too large, kEnd.
  Step find_row(const Call& call, Refusal& refusal) {
    do {
      window_->consume(scanner_.size());
      scanner_.start();
      bool at_end = false;
      while (!scanner_.scan(window_->data(), at_end)) {
        if (scanner_.size() > options_->max_record_bytes) return refuse_too_large(call, refusal);
        at_end = !window_->extend(call);
      }
      const bool cut_short = !scanner_.ended_with_line() && window_->file().damage();
      if (scanner_.size() == 0 || cut_short) return Step::kEnd;
    } while (scanner_.field_count() == 0);
    return scanner_.text_size() > options_->max_record_bytes ? refuse_too_large(call, refusal) : Step::kRecord;
  }

  /// Goes to the end of the row, in bounded memory.
  Step refuse_too_large(const Call& call, Refusal& refusal) {
    const char* const hint = options_->dialect.quote != 0 ? "; a quote that is never closed makes such a row" : "";
    refuse(refusal, "record_too_large", "a row of more than " + std::to_string(options_->max_record_bytes) + " bytes ('max_record_bytes')" + hint);
    if (scanner_.ended_with_line()) return Step::kRefused;
    bool at_end = false;
    do {
      window_->consume(scanner_.size());
      scanner_.drop();
      at_end = !window_->extend(call);
    } while (!scanner_.scan(window_->data(), at_end));
    return Step::kRefused;
  }

  Step refuse(Refusal& refusal, const char* code, const std::string& message) {
    refusal = {number_++, code, message + window_->place(), window_->stored_offset(), 0};
    return Step::kRefused;
  }

  std::string_view row() const noexcept { return window_->data().substr(0, scanner_.text_size()); }

  Step read_header(const Call& call, Refusal& refusal) {
    Step step = find_row(call, refusal);
    if (step == Step::kRecord) step = check_row(refusal);
    if (step == Step::kRecord) {
      std::vector<std::string> names;
      for (std::size_t i = 0; i < scanner_.field_count(); ++i) names.emplace_back(scanner_.field(row(), i, buffers_[kText]));
      Places places;
      const auto fault = Header(std::move(names)).find(*options_, places);
      if (fault) step = refuse(refusal, "bad_header", *fault);
      else places_ = std::move(places);
    }
    number_ = 0;  // the header is no record
    return step == Step::kRefused ? Step::kUnreadable : step;
  }

  /// Checks what does not depend on the row's values.
  Step check_row(Refusal& refusal) {
    if (options_->strict && scanner_.text_behind_quote()) return refuse(refusal, "bad_csv", "text follows a closing quote, expected the delimiter or the row's end ('strict')");
    if (options_->strict && scanner_.open_quote()) return refuse(refusal, "bad_csv", "the file ends inside quotes ('strict')");
    if (field_count_ == 0) field_count_ = scanner_.field_count();
    if (options_->strict && scanner_.field_count() != field_count_)
      return refuse(refusal, "bad_csv", "the row has " + std::to_string(scanner_.field_count()) + " fields, expected " + std::to_string(field_count_) +
                                            " as in the first row ('strict')");
    if (const std::size_t bad = find_invalid_utf8(row()); bad != std::string_view::npos)
      return refuse(refusal, "bad_utf8", describe_invalid_utf8(row(), bad, "the row"));
    return Step::kRecord;
  }

  /// Returns a field of the row; nothing where the row has none there.
  std::optional<std::string_view> field(std::size_t place, std::size_t buffer) {
    if (place >= scanner_.field_count()) return {};
    return scanner_.field(row(), place, buffers_[buffer]);
  }
  std::optional<std::string_view> filled_field(std::size_t place, std::size_t buffer) {
    const auto text = field(place, buffer);
    return text && text->empty() ? std::nullopt : text;
  }

  Step read_row(Record& record, Refusal& refusal) {
    if (const Step step = check_row(refusal); step != Step::kRecord) return step;
    const auto text = field(places_->text, kText);
    if (!text)
      return refuse(refusal, "missing_text", "the row has " + std::to_string(scanner_.field_count()) + " fields and its text is column " + std::to_string(places_->text + 1));
    for (std::size_t i = 0; i < values_.size(); ++i)
      if (!read_column(i)) return refuse(refusal, "bad_column", "column '" + options_->columns[i].name + "' is not " + describe_type(options_->columns[i].type));
    record = {number_++, *text, filled_field(places_->id, kId), filled_field(places_->domain, kDomain), values_};
    return Step::kRecord;
  }

  /// Reads the value of a further column; a field that is not there, and of numbers one that is empty, is null.
  bool read_column(std::size_t i) {
    const ColumnType type = options_->columns[i].type;
    const auto text = type == ColumnType::kString ? field(places_->columns[i], kParts + i) : filled_field(places_->columns[i], kParts + i);
    const auto value = text ? read_value(type, *text) : ColumnValue();
    if (value) values_[i] = *value;
    return value.has_value();
  }

  Window* window_;
  const CsvOptions* options_;
  CsvScanner scanner_;
  std::optional<Places> places_;
  std::size_t field_count_ = 0;  ///< of the first row
  std::vector<std::string> buffers_;
  std::vector<ColumnValue> values_;
  std::int64_t number_ = 0;
};

/// Returns the one byte that a parameter names, 0 for none. Throws kInvalidArgument.
char read_byte(const Params& params, const char* name) {
  const std::string text = params.string(name);
  if (text.empty()) return 0;
  if (text.size() != 1 || static_cast<unsigned char>(text[0]) >= 0x80 || text[0] == '\n' || text[0] == '\r' || text[0] == 0)
    throw Error(Code::kInvalidArgument, std::string("'") + name + "' is '" + text + "', expected one ASCII character that ends no line");
  return text[0];
}

CsvOptions read_options(const Params& params) {
  CsvOptions options;
  options.dialect = {read_byte(params, "delimiter"), read_byte(params, "quote")};
  if (options.dialect.delimiter == 0) throw Error(Code::kInvalidArgument, "'delimiter' is empty, expected one ASCII character that ends no line");
  if (options.dialect.delimiter == options.dialect.quote)
    throw Error(Code::kInvalidArgument, std::string("'delimiter' and 'quote' are both '") + options.dialect.quote + "', expected different characters");
  options.header = params.boolean("header");
  options.strict = params.boolean("strict");
  options.text_field = params.string("text_field");
  options.id_field = params.string_or("id_field", "");
  options.domain_field = params.string_or("domain_field", "");
  options.columns = read_columns(params.strings("columns"));
  options.max_record_bytes = static_cast<std::size_t>(params.integer("max_record_bytes"));
  if (!options.header) places_of_numbers(options);  // refuses names
  return options;
}

class Csv : public FileSource {
 public:
  static Descriptor descriptor() {
    return describe(Descriptor("readers/csv", "0.1.0"), {}, {"domain_field"})
        .summary("Reads documents from CSV and TSV: one row each, plain or compressed. Empty lines are no rows.")
        .parameter(string("delimiter").defaults(",").about("The character between fields: \"\\t\" for TSV."))
        .parameter(string("quote").defaults("\"").about("The character around a field that holds delimiters, line ends or, doubled, itself; \"\" where fields are never quoted."))
        .parameter(boolean("header").defaults(true).about("The first row of a file names its columns; without it, columns are named by their number: \"1\", \"2\", ..."))
        .parameter(boolean("strict").defaults(true).about(
            "Refuse, as bad_csv, a row with text behind a closing quote, one that the file ends inside quotes, and one with more or fewer fields than the first; else they are taken as "
            "they are: without the quotes, to the file's end, missing fields null, others left out."))
        .parameter(string("text_field").defaults("text").about("The column that holds the text. A file whose header lacks a column is refused as bad_header."))
        .parameter(string("id_field").about("The column that holds the document's id; without it, and where it is empty, the id is <path>#<row from 0, without the header>."))
        .parameter(string("domain_field").about("The column that holds the domain; where it is empty, 'domain' is used."))
        .parameter(strings("columns").defaults(std::vector<std::string>{}).about(
            "Further columns of the documents: \"NAME\", \"NAME = COLUMN\", with a type as \"NAME: integer\" or \"NAME: number = COLUMN\"; an empty number is null."))
        .parameter(integer("max_record_bytes").unit("bytes").range(16, 1 << 30).defaults(256 << 20).about("A longer row is refused as record_too_large."))
        .determinism("pure")
        .source("RFC 4180; what it leaves open as in the csv module of Python 3.11")
        .example("[node.reviews]\nplugin     = \"readers/csv\"\npaths      = [\"../data/reviews/*.tsv.xz\"]\ndelimiter  = \"\\t\"\n"
                 "text_field = \"review\"\ncolumns    = [\"title\", \"stars: number = rating\"]\n");
  }

  explicit Csv(const Params& params) : FileSource(params), options_(read_options(params)) {
    set_columns(options_.columns);
    if (options_.header) check_columns();
  }

  std::unique_ptr<RecordReader> read_part(Window& window, const FilePart&) const override { return std::make_unique<CsvReader>(window, options_); }

 private:
  /// Refuses names that no file's header has, before the run begins: they are wrong in the graph. Reads headers up to the first that has them; a file without a header that
  /// can be read says nothing here, and its reader says why.
  void check_columns() const {
    std::string first;
    for (const InputFile& file : files()) {
      const std::optional<Header> header = read_header(file.path, options_.dialect);
      if (!header) continue;
      Places places;
      const auto fault = header->find(options_, places);
      if (!fault) return;
      if (first.empty()) first = file.display + ": " + *fault;
    }
    if (!first.empty()) throw Error(Code::kInvalidArgument, files().size() == 1 ? first : "no file has the columns that are named; " + first);
  }

  CsvOptions options_;
};

}  // namespace
}  // namespace flowrun::readers

FLOWRUN_PLUGIN(flowrun::readers::Csv)
