#include "readers/common/file_source.hpp"

#include <flowrun/draft/source_drops.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "readers/common/utf8.hpp"

namespace flowrun::readers {

/// Reads the files, or parts of one, of one unit, one after another.
class FileCursor : public Cursor {
 public:
  FileCursor(const FileSource& source, Unit unit) : source_(&source), next_part_(unit.first), end_part_(unit.first + unit.count) {
    for (const Column& column : source.columns_) columns_.emplace_back(column.type);
  }

  bool next(const Call& call, OwnedArray& out) override {
    call.check_stop();
    drops_.clear();  // of a host that does not take them
    any_taken_ = false;
    DocumentsBuilder builder(source_->batch_bytes_, source_->batch_documents_);
    const bool ended = fill(call, builder);
    out = finish(builder);
    if (ended && source_->units_left_.fetch_sub(1) == 1) source_->all_read(call);
    return ended;
  }

  /// As in flowrun_source_drops.
  bool take_drop(flowrun_source_drop& out) noexcept {
    if (any_taken_) drops_.pop_front();
    any_taken_ = !drops_.empty();
    if (!any_taken_) return false;
    const LeftOut& one = drops_.front();
    out.id = one.id.data();
    out.id_length = one.id.size();
    out.reason = one.drop.reason;
    out.bytes = one.bytes;
    out.value = one.drop.value;
    out.threshold = one.drop.threshold;
    return true;
  }

 private:
  struct LeftOut {
    std::string id;
    Drop drop;
    std::int64_t bytes;
  };

  /// Adds records until the batch is full (false) or the unit has ended (true).
  bool fill(const Call& call, DocumentsBuilder& builder) {
    while (!builder.full() && !columns_full()) {
      if (!pending_ && !find_record(call)) return true;
      if (!pending_) return false;
      if (builder.must_end_before(static_cast<std::int64_t>(record_.text.size()))) return false;
      append(builder);
      pending_ = false;
    }
    return false;
  }

  /// Returns the id of the record.
  std::string_view id() {
    if (record_.id) return *record_.id;
    return id_ = file().display + '#' + std::to_string(record_.number);
  }

  void append(DocumentsBuilder& builder) {
    builder.append(id(), record_.text, record_.domain.value_or(source_->domain_), file().display);
    for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i].append(record_.columns.empty() ? ColumnValue() : record_.columns[i]);
  }

  /// Returns whether the further columns alone are as large as a batch may be.
  bool columns_full() const noexcept {
    std::int64_t bytes = 0;
    for (const ColumnBuilder& column : columns_) bytes += column.byte_count();
    return bytes >= source_->batch_bytes_;
  }

  OwnedArray finish(DocumentsBuilder& builder) {
    OwnedArray documents = builder.finish();
    if (columns_.empty()) return documents;
    const auto kept = std::make_shared<OwnedArray>(std::move(documents));
    const std::int64_t rows = kept->get().length;
    std::vector<OwnedArray> all;
    for (std::int64_t i = 0; i < kept->get().n_children; ++i) all.push_back(borrow_column(*kept->get().children[i], 0, rows));
    for (ColumnBuilder& column : columns_) all.push_back(column.finish());
    return make_batch(std::move(all), rows, kept);
  }

  /// Goes to the next good record, or as far as the records that are left out fill a batch; false at the end of the unit.
  bool find_record(const Call& call) {
    while (static_cast<std::int64_t>(drops_.size()) < source_->batch_documents_) {
      if (!reader_ && !open_file(call)) return false;
      switch (reader_->next(call, record_, refusal_)) {
        case RecordReader::Step::kRecord: return pending_ = true;
        case RecordReader::Step::kDropped: drops_.push_back({std::string(id()), record_.drop, static_cast<std::int64_t>(record_.text.size())}); break;
        case RecordReader::Step::kRefused: report(call, refusal_); break;
        case RecordReader::Step::kUnreadable: give_up(call); break;
        case RecordReader::Step::kEnd: close_file(call); break;
      }
    }
    return true;
  }

  FilePart part() const { return source_->part(next_part_); }
  const InputFile& file() const { return source_->files_[part().file]; }

  bool open_file(const Call& call) {
    for (; next_part_ != end_part_; ++next_part_) {
      if (source_->as_stored_) stored_.emplace(StoredBytes(file().path));
      else if (part().end < 0) stored_.emplace(file().path);
      else stored_.emplace(file().path, part().begin, part().end);
      window_.emplace(call, *stored_);
      if (is_utf16(call)) continue;
      reader_ = source_->read_part(*window_, part());
      return true;
    }
    return false;
  }

  /// Refuses a file of UTF-16 without a byte order mark: byte by byte it is valid UTF-8, with zeros between its letters.
  bool is_utf16(const Call& call) {
    constexpr std::size_t kLookedAt = 512;
    if (source_->as_stored_ || !source_->wants_utf8() || part().begin > 0) return false;
    while (window_->data().size() < kLookedAt && window_->extend(call)) {
    }
    const std::string encoding(find_utf16(window_->data()));
    if (encoding.empty()) return false;
    report(call, Damage{Code::kCorruptData, "bad_utf8", "the file looks like " + encoding + " without a byte order mark, for every other byte is zero; convert it: iconv -f " + encoding + " -t UTF-8", 0,
                        stored_bytes(file().path)});
    return true;
  }

  void close_file(const Call& call) {
    reader_.reset();
    if (const auto& damage = stored_->damage()) {
      Damage reported = *damage;
      if (reported.file_bytes < 0 && !part().is_last) reported.file_bytes = part().end - part().begin;  // what is missing is missing in this part
      report(call, reported);
    }
    ++next_part_;
  }

  /// Leaves a file whose rest its reader cannot read.
  void give_up(const Call& call) {
    reader_.reset();
    report(call, Damage{Code::kCorruptData, refusal_.code, refusal_.message, refusal_.offset, stored_bytes(file().path) - std::max<std::int64_t>(refusal_.offset, 0)});
    ++next_part_;
  }

  void report(const Call& call, const Refusal& refusal) const {
    flowrun_record_error error{};
    error.status = FLOWRUN_CORRUPT_DATA;
    error.code = refusal.code;
    error.message = refusal.message.c_str();
    error.file = file().display.c_str();
    error.record = refusal.number;
    error.offset = refusal.offset;
    error.documents = refusal.documents;
    error.bytes = refusal.bytes;
    error.file_bytes = refusal.file_bytes;
    call.record_error(error);
  }

  void report(const Call& call, const Damage& damage) const {
    flowrun_record_error error{};
    error.status = static_cast<flowrun_status>(damage.status);
    error.code = damage.code;
    error.message = damage.message.c_str();
    error.file = file().display.c_str();
    error.record = -1;
    error.offset = damage.offset;
    error.file_bytes = damage.file_bytes;
    call.record_error(error);
  }

  const FileSource* source_;
  std::size_t next_part_, end_part_;
  std::optional<StoredFile> stored_;
  std::optional<Window> window_;
  std::unique_ptr<RecordReader> reader_;  ///< of part next_part_, where one is open
  Record record_;
  Refusal refusal_;
  bool pending_ = false;  ///< record_ waits for a batch
  std::vector<ColumnBuilder> columns_;
  std::string id_;
  std::deque<LeftOut> drops_;  ///< that the host has not taken yet, at most as many as documents in a batch
  bool any_taken_ = false;     ///< the host holds the first of them
};

FileSource::FileSource(const Params& params) : files_(params.files("paths")), domain_(params.string("domain")) {
  group_parts(files_.size());
}

void FileSource::set_parts(std::vector<FilePart> parts) {
  parts_ = std::move(parts);
  group_parts(parts_->size());
}

FilePart FileSource::part(std::size_t index) const { return parts_ ? (*parts_)[index] : FilePart{index}; }

void FileSource::group_parts(std::size_t count) {
  std::vector<std::int64_t> sizes(count);
  for (std::size_t i = 0; i < count; ++i) {
    const FilePart one = part(i);
    sizes[i] = one.end < 0 ? stored_bytes(files_[one.file].path) : one.end - one.begin;
  }
  units_ = group_units(sizes);
  units_left_ = static_cast<std::int64_t>(units_.size());
}

void FileSource::open(Open& open) {
  Field schema = fields::documents();
  for (const Column& column : columns_) schema.children.push_back(column_field(column));
  open.set_output(0, schema);
  batch_bytes_ = open.batch_bytes();
  batch_documents_ = open.batch_documents();
}

const void* FileSource::extension(std::string_view id) noexcept {
  static constexpr flowrun_source_drops kDrops = {sizeof(flowrun_source_drops), [](void*, void* cursor, flowrun_source_drop* out) -> std::int32_t {
                                                    return static_cast<FileCursor*>(static_cast<Cursor*>(cursor))->take_drop(*out) ? 1 : 0;
                                                  }};
  return id == FLOWRUN_SOURCE_DROPS_DRAFT_1 ? &kDrops : nullptr;
}

std::unique_ptr<Cursor> FileSource::open_unit(const Call&, std::int64_t unit) {
  return std::make_unique<FileCursor>(*this, units_.at(static_cast<std::size_t>(unit)));
}

Descriptor FileSource::describe(Descriptor descriptor, std::vector<std::string> columns_added, std::vector<std::string> domain_unless) {
  return descriptor.output(Port("out", "documents").columns(std::move(columns_added)).domain_from("domain", std::move(domain_unless)))
      .parameter(paths("paths").required().about("Files, by globs, read in the order of their names; gzip, zstd, xz, bzip2 and lz4 are decompressed."))
      .parameter(string("domain").defaults("").about("The domain of the documents."))
      .threads("Any number of units at once; files of together up to 4 MiB are one unit, a larger file is one by itself.");
}

}  // namespace flowrun::readers
