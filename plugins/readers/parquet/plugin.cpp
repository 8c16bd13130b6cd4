// readers/parquet: rows of Parquet files as documents, row group by row group.

#include <flowrun/node.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "typed_column_builder.hpp"
#include "parquet_file.hpp"
#include "readers/common/stored_file.hpp"
#include "readers/common/units.hpp"
#include "readers/common/utf8.hpp"

namespace flowrun::readers {
namespace {

/// Why a whole file is refused.
struct RefusedFile {
  Code status = Code::kCorruptData;
  const char* code = "";
  std::string message;
};

const char* code_of(const Error& error) {
  switch (error.code()) {
    case Code::kUnsupported: return "unsupported_parquet";
    case Code::kInvalidArgument: return "bad_columns";
    default: return "damaged_parquet";
  }
}

/// A row group, or a file that is refused.
struct Segment {
  std::size_t file = 0;
  std::size_t row_group = 0;
  std::size_t row_group_count = 0;
  std::int64_t first_row = 0, rows = 0;  ///< in its file
  std::int64_t bytes = 0;
  std::optional<RefusedFile> refused;
};

/// What all cursors share.
struct Files {
  std::vector<InputFile> files;
  WantedColumns wanted;
  std::string domain;
  std::int64_t max_page_bytes = 0, batch_bytes = 0, batch_documents = 0;
  std::vector<Field> kept_fields;
  std::vector<Segment> segments;
};

/// Builds a batch: the columns of documents, and the kept ones.
class Batch {
 public:
  explicit Batch(const Files& files) : files_(&files), documents_(files.batch_bytes, files.batch_documents), kept_(files.kept_fields.begin(), files.kept_fields.end()) {}

  bool must_end_before(std::int64_t bytes) const noexcept { return documents_.must_end_before(bytes); }
  /// Kept columns count as well: they are in memory as the text is.
  bool full() const noexcept {
    std::int64_t bytes = documents_.text_bytes();
    for (const TypedColumnBuilder& column : kept_) bytes += column.byte_count();
    return documents_.full() || (documents_.size() > 0 && bytes >= 2 * files_->batch_bytes);
  }
  void append(std::string_view id, std::string_view text, std::string_view domain, std::string_view source, const RowGroupRows& row) {
    documents_.append(id, text, domain, source);
    row.append_kept(kept_);
  }
  OwnedArray finish() {
    const std::int64_t rows = documents_.size();
    auto documents = std::make_shared<OwnedArray>(documents_.finish());
    if (kept_.empty()) return std::move(*documents);
    std::vector<OwnedArray> columns;
    for (std::int64_t i = 0; i < documents->get().n_children; ++i) columns.push_back(borrow_column(*documents->get().children[i], 0, rows));
    for (TypedColumnBuilder& column : kept_) columns.push_back(column.finish());
    return make_batch(std::move(columns), rows, documents);
  }

 private:
  const Files* files_;
  DocumentsBuilder documents_;
  std::vector<TypedColumnBuilder> kept_;
};

/// Reads the row groups of one unit, one after another.
class ParquetCursor : public Cursor {
 public:
  ParquetCursor(const Files& files, Unit unit) : files_(&files), next_(unit.first), end_(unit.first + unit.count) {}

  bool next(const Call& call, OwnedArray& out) override {
    call.check_stop();
    Batch batch(*files_);
    const bool ended = fill(call, batch);
    out = batch.finish();
    return ended;
  }

 private:
  /// Adds rows until the batch is full (false) or the unit has ended (true).
  bool fill(const Call& call, Batch& batch) {
    while (!batch.full()) {
      if (!pending_ && !find_row(call)) return true;
      if (batch.must_end_before(static_cast<std::int64_t>(text_.size()))) return false;
      const std::string& source = file().display;
      const auto id = rows_->id();
      batch.append(id ? *id : source + '#' + std::to_string(row_number()), text_, rows_->domain().value_or(files_->domain), source, *rows_);
      pending_ = false;
    }
    return false;
  }

  /// Goes to the next good row; false at the end of the unit.
  bool find_row(const Call& call) {
    while (next_ != end_) {
      try {
        if (!rows_) open_segment();
        while (rows_->next()) {
          ++row_;
          if (take_row(call)) return true;
        }
      } catch (const Error& error) {
        if (error.code() == Code::kCancelled || error.code() == Code::kIo || error.code() == Code::kNotFound) throw;
        report_damage(call, error);
      }
      rows_.reset();
      ++next_;
    }
    return false;
  }

  bool take_row(const Call& call) {
    std::string_view bad;
    if (const auto column = rows_->find_bad_utf8(&bad)) {
      refuse(call, "bad_utf8", describe_invalid_utf8(bad, find_invalid_utf8(bad), "column '" + *column + "'"));
      return false;
    }
    const auto text = rows_->text();
    if (!text) {
      refuse(call, "missing_text", "column '" + files_->wanted.text + "' is null, expected text");
      return false;
    }
    text_ = *text;
    return pending_ = true;
  }

  void open_segment() {
    const Segment& segment = files_->segments[next_];
    row_ = -1;
    if (segment.refused) throw Error(segment.refused->status, segment.refused->message);
    if (!open_ || open_file_ != segment.file) {
      open_.emplace(file().path, files_->wanted, files_->max_page_bytes);
      open_file_ = segment.file;
    }
    rows_ = open_->read(segment.row_group);
  }

  const InputFile& file() const { return files_->files[files_->segments[next_].file]; }
  std::int64_t row_number() const { return files_->segments[next_].first_row + row_; }

  void refuse(const Call& call, const char* code, const std::string& message) const {
    flowrun_record_error error{};
    error.status = FLOWRUN_CORRUPT_DATA;
    error.code = code;
    error.message = message.c_str();
    error.file = file().display.c_str();
    error.record = row_number();
    error.offset = -1;
    error.documents = 1;
    call.record_error(error);
  }

  /// Reports that the rest of the row group, or the whole file, is given up.
  void report_damage(const Call& call, const Error& reason) const {
    const Segment& segment = files_->segments[next_];
    std::string message = reason.message();
    if (!segment.refused)
      message = "row group " + std::to_string(segment.row_group) + " of " + std::to_string(segment.row_group_count) + ", its last " + std::to_string(segment.rows - row_ - 1) + " of " +
                std::to_string(segment.rows) + " rows: " + message;
    flowrun_record_error error{};
    error.status = static_cast<flowrun_status>(reason.code() == Code::kInvalidArgument ? Code::kCorruptData : reason.code());
    error.code = segment.refused ? segment.refused->code : code_of(reason);
    error.message = message.c_str();
    error.file = file().display.c_str();
    error.record = -1;
    error.offset = -1;
    error.file_bytes = segment.bytes;
    call.record_error(error);
  }

  const Files* files_;
  std::size_t next_, end_;  ///< segments
  std::optional<ParquetFile> open_;
  std::size_t open_file_ = 0;
  std::unique_ptr<RowGroupRows> rows_;  ///< of segment next_, where one is open
  std::int64_t row_ = -1;               ///< in its row group
  std::string_view text_;
  bool pending_ = false;  ///< the row waits for a batch
};

class Parquet : public Source {
 public:
  static Descriptor descriptor() {
    return Descriptor("readers/parquet", "0.1.0")
        .summary("Reads documents from Parquet files, a row each. Of a file only the columns that are asked for are read and decoded.")
        .output(Port("out", "documents").domain_from("domain", {"domain_field"}))
        .parameter(paths("paths").required().about("Files, by globs, read in the order of their names."))
        .parameter(string("domain").defaults("").about("The domain of the documents."))
        .parameter(string("text_field").defaults("text").about("The column that holds the text; a field within structs is written with dots, as in 'content.text'."))
        .parameter(string("id_field").about("The column that holds the document's id, text or an integer; without it, and where it is null, the id is <path>#<row of the file from 0>."))
        .parameter(string("domain_field").about("The column that holds the domain; where it is null, 'domain' is used."))
        .parameter(strings("columns").defaults(std::vector<std::string>{}).about(
            "Further columns of the documents, \"NAME\" or \"NAME = COLUMN\": text, booleans, integers, floats, doubles, and lists of those; nulls are kept. All files must have them, with one type."))
        .parameter(integer("max_page_bytes").unit("bytes").range(1 << 20, 1LL << 40).defaults(1 << 30).about(
            "Memory that the pages of a row group being read may take; one that asks for more is refused as damaged_parquet."))
        .determinism("pure")
        .threads("Any number of units at once; row groups of together up to 4 MiB as stored are one unit, a larger one is one by itself. A unit holds one page of each column.")
        .source("https://parquet.apache.org/docs/file-format; read by Arrow C++ 26")
        .example("[node.web]\nplugin  = \"readers/parquet\"\npaths   = [\"../data/web/*.parquet\"]\ndomain  = \"web\"\nid_field = \"id\"\ncolumns = [\"url\", \"score.language = language_score\"]\n");
  }

  explicit Parquet(const Params& params) {
    state_.files = params.files("paths");
    state_.domain = params.string("domain");
    state_.wanted = {params.string("text_field"), params.string_or("id_field", ""), params.string_or("domain_field", ""), kept_columns(params.strings("columns"))};
    state_.max_page_bytes = params.integer("max_page_bytes");
    check_names();
    check_columns();
  }

  /// Reads the footers, which decide units and columns.
  void open(Open& open) override {
    state_.batch_bytes = open.batch_bytes();
    state_.batch_documents = open.batch_documents();
    for (std::size_t i = 0; i < state_.files.size(); ++i) add_file(i);
    if (!schema_is_known_ && !state_.wanted.kept.empty() && !state_.segments.empty()) {
      const Segment& first = state_.segments.front();
      throw Error(first.refused->status, "no file says which types 'columns' have; " + state_.files[first.file].display + ": " + first.refused->message);
    }
    std::vector<std::int64_t> bytes;
    for (const Segment& segment : state_.segments) bytes.push_back(segment.bytes);
    units_ = group_units(bytes);
    Field schema = fields::documents();
    schema.children.insert(schema.children.end(), state_.kept_fields.begin(), state_.kept_fields.end());
    open.set_output(0, schema);
  }

  std::int64_t unit_count() override { return static_cast<std::int64_t>(units_.size()); }
  std::unique_ptr<Cursor> open_unit(const Call&, std::int64_t unit) override {
    return std::make_unique<ParquetCursor>(state_, units_.at(static_cast<std::size_t>(unit)));
  }

 private:
  void check_names() const {
    std::set<std::string> names;
    const auto add = [&](const std::string& parameter, const std::string& name) {
      if (!names.insert(name).second) throw Error(Code::kInvalidArgument, "'" + parameter + "' names column '" + name + "' a second time, expected each column once");
    };
    add("text_field", state_.wanted.text);
    if (!state_.wanted.id.empty()) add("id_field", state_.wanted.id);
    if (!state_.wanted.domain.empty()) add("domain_field", state_.wanted.domain);
    for (const Column& column : state_.wanted.kept) add("columns", column.from);
  }

  static std::vector<Column> kept_columns(const std::vector<std::string>& texts) {
    std::vector<Column> columns = read_columns(texts);
    for (std::size_t i = 0; i < columns.size(); ++i)
      if (columns[i].type != ColumnType::kString)
        throw Error(Code::kInvalidArgument, "column '" + texts[i] + "' of 'columns' names a type, expected NAME or NAME = COLUMN: a column has the type that the files give it");
    return columns;
  }

  /// Refuses names that no file has, before the run begins: they are wrong in the graph. Reads footers up to the first that has them; what else is wrong with a file is said
  /// where it is read.
  void check_columns() const {
    std::string first;
    for (const InputFile& file : state_.files) {
      try {
        const ParquetFile fits(file.path, state_.wanted, state_.max_page_bytes);
        return;
      } catch (const Error& error) {
        if (error.code() == Code::kInvalidArgument && first.empty()) first = file.display + ": " + error.message();
      }
    }
    if (!first.empty()) throw Error(Code::kInvalidArgument, state_.files.size() == 1 ? first : "no file has the columns that are named; " + first);
  }

  void add_file(std::size_t number) {
    const std::int64_t size = stored_bytes(state_.files[number].path);
    try {
      const ParquetFile file(state_.files[number].path, state_.wanted, state_.max_page_bytes);
      check_fields(file.kept_fields(), number);
      std::int64_t first_row = 0;
      for (std::size_t i = 0; i < file.row_groups().size(); ++i) {
        const RowGroup& group = file.row_groups()[i];
        state_.segments.push_back({number, i, file.row_groups().size(), first_row, group.rows, group.bytes, std::nullopt});
        first_row += group.rows;
      }
    } catch (const Error& error) {
      if (error.code() == Code::kIo || error.code() == Code::kNotFound) throw Error(error.code(), state_.files[number].display + ": " + error.message());
      const Code status = error.code() == Code::kUnsupported ? Code::kUnsupported : Code::kCorruptData;
      state_.segments.push_back({number, 0, 0, 0, 0, size, RefusedFile{status, code_of(error), error.message()}});
    }
  }

  /// The first file that can be read decides the types.
  void check_fields(const std::vector<Field>& found, std::size_t number) {
    if (!schema_is_known_) {
      schema_is_known_ = true;
      schema_file_ = number;
      state_.kept_fields = found;
    }
    for (std::size_t i = 0; i < found.size(); ++i)
      if (!(found[i] == state_.kept_fields[i]))
        throw Error(Code::kInvalidArgument, "column '" + found[i].name + "' has Arrow format '" + format_of(found[i]) + "', expected '" + format_of(state_.kept_fields[i]) + "' as in " +
                                                state_.files[schema_file_].display);
  }

  static std::string format_of(const Field& field) { return field.children.empty() ? field.format : field.format + "<" + field.children[0].format + ">"; }

  Files state_;
  std::vector<Unit> units_;
  bool schema_is_known_ = false;
  std::size_t schema_file_ = 0;
};

}  // namespace
}  // namespace flowrun::readers

FLOWRUN_PLUGIN(flowrun::readers::Parquet)
