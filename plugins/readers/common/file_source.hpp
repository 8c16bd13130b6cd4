#pragma once

// What readers of files share: the parameters `paths` and `domain`, units, batches, ids, and the account of what could not be read.
// A reader adds how one file is cut into records.

#include <flowrun/node.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "readers/common/columns.hpp"
#include "readers/common/stored_file.hpp"
#include "readers/common/units.hpp"
#include "readers/common/window.hpp"

namespace flowrun::readers {

/// A document as found. Views are valid until the next call of `RecordReader::next`.
struct Record {
  std::int64_t number = 0;  ///< in its file, from 0; refused ones count
  std::string_view text;
  std::optional<std::string_view> id, domain;  ///< where the record gives them
  std::span<const ColumnValue> columns = {};    ///< one for each column that the source adds, or none at all: null
  Drop drop = {};                               ///< of one that is left out
};

/// A record that is refused, or the rest of a file.
struct Refusal {
  std::int64_t number = 0;     ///< of the record; -1: of none
  const char* code = "";
  std::string message;
  std::int64_t offset = -1;    ///< in the file as stored; -1: unknown
  std::int64_t bytes = 0;      ///< of its text, where known
  std::int64_t documents = 1;  ///< 0: what is missing is no record that was found
  std::int64_t file_bytes = 0; ///< that were passed over and are no record's; -1: the file ends early, how many are missing is not known
};

/// Cuts one file into records.
class RecordReader {
 public:
  enum class Step { kRecord, kDropped, kRefused, kUnreadable, kEnd };
  virtual ~RecordReader() = default;
  /// Gives the next record, also where it is left out because of what the parameters say (kDropped: of its text the size alone counts), or why it or (kUnreadable) the
  /// rest of the file is refused. A record that the damage of its file cut short is neither: the file reports the damage.
  virtual Step next(const Call& call, Record& record, Refusal& refusal) = 0;
};

/// A part of a file that can be read by itself: bytes [begin, end) as stored.
struct FilePart {
  std::size_t file = 0;
  std::int64_t begin = 0, end = -1;    ///< -1: the whole file
  std::int64_t first_record = 0;       ///< number of its first record in the file
  std::int64_t record_count = -1;      ///< -1: not known
  bool is_last = true;                 ///< of its file
};

/// A source of documents over files. Threads: any number of units at once.
class FileSource : public Source {
 public:
  explicit FileSource(const Params& params);
  void open(Open& open) override;
  std::int64_t unit_count() final { return static_cast<std::int64_t>(units_.size()); }
  std::unique_ptr<Cursor> open_unit(const Call& call, std::int64_t unit) final;

  /// Gives the extension by which the host learns what is left out.
  static const void* extension(std::string_view id) noexcept;

  /// Makes the reader of a part (a whole file without `set_parts`), whose text `window` shows, or its bytes with `show_stored_bytes`. From any thread.
  virtual std::unique_ptr<RecordReader> read_part(Window& window, const FilePart& part) const = 0;

  /// Adds the parameters and the port that all file readers have; `columns_added` are those that are there whatever the parameters say.
  static Descriptor describe(Descriptor descriptor, std::vector<std::string> columns_added = {}, std::vector<std::string> domain_unless = {});

 protected:
  const std::vector<InputFile>& files() const noexcept { return files_; }
  /// Says in which parts the files are read, in the constructor or in `open`: each in the order of its bytes. Without it each file is one part.
  void set_parts(std::vector<FilePart> parts);
  /// Leaves it to the readers to decompress the files, in the constructor.
  void show_stored_bytes() { as_stored_ = true; }
  /// Adds columns to the documents, in the constructor.
  void set_columns(std::vector<Column> columns) { columns_ = std::move(columns); }
  const std::vector<Column>& columns() const noexcept { return columns_; }
  /// Returns whether files hold text that must be UTF-8; false where other encodings or files of bytes are expected as well.
  virtual bool wants_utf8() const { return true; }
  /// Learns that every unit has been read to its end; on the thread that read the last.
  virtual void all_read(const Call&) const {}

 private:
  friend class FileCursor;
  FilePart part(std::size_t index) const;
  void group_parts(std::size_t count);

  std::vector<Column> columns_;
  std::vector<InputFile> files_;
  std::string domain_;
  bool as_stored_ = false;
  std::optional<std::vector<FilePart>> parts_;  ///< none: each file is one, and a hundred thousand of them are no list
  std::vector<Unit> units_;  ///< of parts
  mutable std::atomic<std::int64_t> units_left_{0};  ///< that have not been read to their end
  std::int64_t batch_bytes_ = 0, batch_documents_ = 0;
};

}  // namespace flowrun::readers
