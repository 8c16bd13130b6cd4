#pragma once

// Files of XML whose root holds one element after another, each a record. '<' stands in XML's text only where a tag begins, so records are cut at
// their tags before they are parsed: memory is that of one record, and a record that is damaged loses itself alone.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "readers/common/file_source.hpp"

namespace flowrun::readers {

/// The tags of a file without their '>', as "<page", "<mediawiki", "</mediawiki".
struct XmlTags {
  std::string_view record, root, root_end;
};

/// Goes from tag to tag; a reader adds what its records are.
class XmlRecordReader : public RecordReader {
 public:
  XmlRecordReader(Window& window, XmlTags tags, std::size_t max_record_bytes, std::int64_t first_record = 0)
      : window_(&window), tags_(tags), max_record_bytes_(max_record_bytes), number_(first_record) {}

  Step next(const Call& call, Record& record, Refusal& refusal) override;

 protected:
  static bool begins(std::string_view data, std::string_view tag) noexcept;

  /// Reads the record that the window begins with, and says with `take` where it ends; nothing where it is neither given nor refused.
  virtual std::optional<Step> read_record(const Call& call, Record& record, Refusal& refusal) = 0;
  /// Reads what the window begins with: "<?xml" or the root's tag. By default it is skipped.
  virtual std::optional<Step> read_head(const Call& call, Refusal& refusal);
  /// The file has ended; called again until it gives kEnd. By default refuses a file whose root has not ended.
  virtual Step read_end(Record& record, Refusal& refusal);

  /// Returns where `mark` begins at or after `from`; npos at the end of the file, or where as many bytes as a record may have do not hold it.
  std::size_t find(const Call& call, std::string_view mark, std::size_t from);
  /// Refuses the record that the window begins with. It counts as one.
  Refusal refuse(const char* code, std::string message) { return {number_++, code, std::move(message) + window_->place(), window_->stored_offset(), 0}; }
  /// Refuses something that is no record.
  Refusal complain(const char* code, std::string message) const { return {-1, code, std::move(message) + window_->place(), window_->stored_offset(), 0, 0}; }
  Step refuse_too_large(const Call& call, Refusal& refusal);
  /// Says how much of the window is done with; it stays readable until the next record is looked for.
  void take(std::size_t bytes) noexcept { taken_ = bytes; }
  bool has_damage() const noexcept { return window_->file().damage().has_value(); }

  Window* window_;
  XmlTags tags_;
  std::size_t max_record_bytes_;
  std::int64_t number_;     ///< of the next record
  bool wants_end_ = false;  ///< the root's end is still to come

 private:
  void skip_blanks(const Call& call);
  void skip_to_record(const Call& call);
  void close(const Call& call);
  Step refuse_garbage(const Call& call, Refusal& refusal);

  std::size_t taken_ = 0;
};

}  // namespace flowrun::readers
