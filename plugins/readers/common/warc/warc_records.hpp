#pragma once

// The records of a WARC file (ISO 28500; versions 0.17 to 1.1), plain or compressed, and what becomes of damage in it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "readers/common/file_source.hpp"
#include "readers/common/stored_file.hpp"
#include "readers/common/warc/header_fields.hpp"
#include "readers/common/warc/member_stream.hpp"
#include "readers/common/warc/members.hpp"
#include "readers/common/window.hpp"

namespace flowrun::readers {

/// What stands before a record's block.
struct WarcHead {
  HeaderFields fields;
  std::string_view type;          ///< WARC-Type: "response"
  std::int64_t block_bytes = 0;   ///< Content-Length
  std::size_t bytes = 0;          ///< of the head itself
};

/// Text that records are cut from: of a member in memory, or of a file piece by piece.
class WarcText {
 public:
  explicit WarcText(std::string_view text) : memory_(text) {}
  explicit WarcText(Window& window) : window_(&window) {}
  std::string_view data() const noexcept { return window_ != nullptr ? window_->data() : memory_; }
  bool extend(const Call& call) { return window_ != nullptr && window_->extend(call); }
  void consume(std::size_t n) { window_ != nullptr ? window_->consume(n) : memory_.remove_prefix(n); }
  /// Returns the offset in the file as stored, -1 for text of a compressed file.
  std::int64_t stored_offset() const noexcept { return window_ != nullptr ? window_->stored_offset() : -1; }
  bool is_damaged() const noexcept { return window_ != nullptr && window_->file().damage().has_value(); }

 private:
  std::string_view memory_;
  Window* window_ = nullptr;
};

/// Reads the records of one file in order, all of which count.
///
/// A file with a member a record is decoded member by member: at once where a member is what it should be, else piece by piece. A large record that is not wanted is passed over unread
/// where its head and the size that its member states agree. A damaged member is one refusal ("damaged_gzip", "damaged_zstd": its offset, and its stored bytes as `file_bytes`); reading
/// goes on at the next member that begins with a record. A record is given only if what follows it shows that it is whole, so none comes from a member whose checksum fails, unless
/// further records follow it there. In a plain file reading goes on at the next line that begins a record.
///
/// Memory: the longest record, at most `max_record_bytes`, as stored and as text; a longer one is refused as record_too_large. A member with more text than its record says is given up
/// after `max_record_bytes` of it.
/// Codes: damaged_*, bad_warc (no head, or a length that what follows contradicts), truncated_warc, record_too_large.
class WarcRecordReader : public RecordReader {
 public:
  /// `stored` shows the file at `path` as it is stored.
  WarcRecordReader(Window& stored, std::string path, std::size_t max_record_bytes) : stored_(&stored), path_(std::move(path)), max_record_bytes_(max_record_bytes) {}
  Step next(const Call& call, Record& record, Refusal& refusal) final;

 protected:
  /// Returns whether a record is surely none that is wanted, by its head and the first bytes of its block, maybe none. What a damage could make of a wanted record is not sure.
  virtual bool is_unwanted(const WarcHead& head, std::string_view block_start) = 0;
  /// Makes a record into a document, or refuses it; nothing where it is not wanted after all.
  virtual std::optional<Step> read_record(const WarcHead& head, std::string_view block, Record& record, Refusal& refusal) = 0;

  /// Returns a refusal of the current record, or (documents = 0) of something that is none.
  Refusal refuse(const char* code, std::string message, std::int64_t documents = 1) const;
  std::int64_t number() const noexcept { return number_; }
  std::size_t max_record_bytes() const noexcept { return max_record_bytes_; }

 private:
  using Answer = std::optional<Step>;  ///< nothing: go on

  void start(const Call& call);
  Answer next_member(const Call& call, Refusal& refusal);
  bool skip_padding(const Call& call);
  std::size_t member_size(const Call& call);
  bool pass_member(std::string_view peeked, std::string_view first, std::string_view last, bool may_be_unwanted, Answer& answer, Refusal& refusal);
  Answer stream_member(const Call& call, bool is_large, Refusal& refusal);
  void go_to(std::int64_t offset);
  void skip_to_member(const Call& call, std::size_t from);

  Answer next_in_text(const Call& call, Record& record, Refusal& refusal);
  Answer cut_record(const Call& call, std::size_t head_bytes, Record& record, Refusal& refusal);
  Answer pass_record(const Call& call, Refusal& refusal);
  Answer refuse_cut(const Call& call, Refusal& refusal);
  Answer refuse_here(const Call& call, Refusal found, std::size_t from, Refusal& refusal);
  Answer end_text(const Call& call, Refusal& refusal);
  std::int64_t leave_member(const Call& call);
  bool skip_in_text(const Call& call, std::int64_t bytes);
  bool is_followed(const Call& call, std::size_t from);
  bool skip_to_head(const Call& call, std::size_t from);

  std::int64_t offset() const noexcept { return moved_ ? moved_->offset() : stored_->position(); }

  const Call* call_ = nullptr;            ///< the current one
  Window* stored_;
  std::optional<StoredWindow> moved_;     ///< in place of the window that was given
  std::string path_;
  std::size_t max_record_bytes_;
  std::int64_t number_ = 0;  ///< of the record that comes next
  bool started_ = false;
  std::unique_ptr<MemberFormat> format_;  ///< nullptr: the file is one text
  MemberText member_;
  std::int64_t member_begin_ = -1;        ///< what is being read, as stored
  MemberStream* member_stream_ = nullptr;  ///< owned by stream_
  std::optional<StoredFile> stream_;
  std::optional<Window> window_;
  std::optional<WarcText> text_;
  WarcHead head_;
  std::size_t taken_ = 0;  ///< bytes of the record given last
};

/// Returns whether `type` is one of the eight types that WARC has: another may be a damaged one of these.
bool is_warc_type(std::string_view type) noexcept;

/// Returns WARC-Target-URI, without the angle brackets that wget puts around it.
std::optional<std::string_view> target_uri(const HeaderFields& fields) noexcept;

/// Reads a record's head at the start of `text`; false where it is not whole, has no version, type or length.
bool read_warc_head(std::string_view text, WarcHead& head);

}  // namespace flowrun::readers
