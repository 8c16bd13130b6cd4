#include "readers/common/warc/warc_records.hpp"

#include <algorithm>
#include <utility>

namespace flowrun::readers {
namespace {

constexpr std::string_view kVersion = "WARC/";
constexpr std::string_view kLineEnds = "\r\n";
constexpr std::size_t kMaxHeadBytes = 1 << 20;
/// Members that are longer as stored are not held as a whole.
constexpr std::size_t kMaxMemberBytes = 1 << 20;
/// From this size on, it is cheaper to look at the head of a member than to decode it.
constexpr std::size_t kLargeMemberBytes = 64 << 10;

/// Returns whether a line that begins here begins a record: "WARC/1.0", with any number.
bool is_version(std::string_view text) noexcept {
  const auto is_digit = [&](std::size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
  return text.starts_with(kVersion) && is_digit(5) && text.size() > 6 && text[6] == '.' && is_digit(7);
}

/// Returns whether `text` is one record or more, and nothing else.
bool holds_whole_records(std::string_view text, WarcHead& head) {
  bool any = false;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(kLineEnds), text.size()));
    if (text.empty()) return any;
    if (!read_warc_head(text, head) || static_cast<std::uint64_t>(head.block_bytes) > text.size() - head.bytes) return false;
    text.remove_prefix(head.bytes + static_cast<std::size_t>(head.block_bytes));
    any = true;
  }
}

std::string shown(std::string_view text) {
  std::string out(text.substr(0, 16));
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  return out;
}

}  // namespace

bool read_warc_head(std::string_view text, WarcHead& head) {
  const std::size_t size = is_version(text) ? header_size(text) : std::string_view::npos;
  if (size == std::string_view::npos) return false;
  head.fields.read(text.substr(0, size));
  head.bytes = size;
  const auto type = head.fields.find("WARC-Type"), length = head.fields.find("Content-Length");
  const auto bytes = length ? read_size(*length) : std::nullopt;
  if (!type || !bytes) return false;
  head.type = *type;
  head.block_bytes = *bytes;
  return true;
}

bool is_warc_type(std::string_view type) noexcept {
  constexpr std::string_view kTypes[] = {"warcinfo", "response", "resource", "request", "metadata", "revisit", "conversion", "continuation"};
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

std::optional<std::string_view> target_uri(const HeaderFields& fields) noexcept {
  auto uri = fields.find("WARC-Target-URI");
  if (uri && uri->starts_with('<') && uri->ends_with('>')) uri = uri->substr(1, uri->size() - 2);
  return uri;
}

RecordReader::Step WarcRecordReader::next(const Call& call, Record& record, Refusal& refusal) {
  call_ = &call;
  if (!std::exchange(started_, true)) start(call);
  while (true) {
    call.check_stop();
    const Answer answer = text_ ? next_in_text(call, record, refusal) : format_ ? next_member(call, refusal) : Answer(Step::kEnd);
    if (answer) return *answer;
  }
}

Refusal WarcRecordReader::refuse(const char* code, std::string message, std::int64_t documents) const {
  const std::int64_t offset = member_begin_ >= 0 ? member_begin_ : text_ ? text_->stored_offset() : -1;
  Refusal refusal{number_, code, std::move(message), offset};
  refusal.documents = documents;
  return refusal;
}

void WarcRecordReader::start(const Call& call) {
  switch (find_format(stored_->data(), path_)) {
    case StoredFormat::kPlain: text_.emplace(*stored_); break;
    case StoredFormat::kGzip: format_ = gzip_members(); break;
    case StoredFormat::kZstd: format_ = zstd_members(); break;
    default:  // whose streams are no records
      stream_.emplace(path_);
      window_.emplace(call, *stream_);
      text_.emplace(*window_);
  }
}

// ---------------------------------------------------------------------------------------------------------------------------- members

WarcRecordReader::Answer WarcRecordReader::next_member(const Call& call, Refusal& refusal) {
  if (!skip_padding(call)) return Step::kEnd;
  member_begin_ = offset();
  if (format_->find(stored_->data(), 0) != 0) {
    refusal = refuse(format_->damage_code(), std::string("no ") + format_->name() + " member begins at byte " + std::to_string(member_begin_) + " of the stored file", 0);
    ++number_;
    skip_to_member(call, 1);
    refusal.file_bytes = offset() - member_begin_;
    return Step::kRefused;
  }
  const std::size_t size = member_size(call);
  const auto pass = [&](bool may_be_unwanted, Answer& answer) {
    if (!begins_record(call, *stored_, *format_, size)) return false;
    const std::string_view member = stored_->data().substr(0, size);
    if (!pass_member(format_->peek(member), member, member, may_be_unwanted, answer, refusal)) return false;
    stored_->consume(size);
    return true;
  };
  Answer answer;
  if (size >= kLargeMemberBytes && pass(true, answer)) return answer;
  const std::size_t used = size == 0 ? 0 : format_->decode(stored_->data(), size, max_record_bytes_ + kMaxHeadBytes, member_);
  if (used == 0 && size > 0 && pass(false, answer)) return answer;
  if (used == 0 || !holds_whole_records(member_.view(), head_)) return stream_member(call, size == 0, refusal);
  stored_->consume(used);
  text_.emplace(member_.view());
  return {};
}

/// Goes to the next member; false at the end of the file.
bool WarcRecordReader::skip_padding(const Call& call) {
  constexpr std::size_t kLeastBytes = 4 << 10;  // to look at
  while (true) {
    while (stored_->data().size() < kLeastBytes && stored_->extend(call)) {
    }
    std::size_t left = format_->padding(stored_->data());
    if (left > stored_->data().size() && left <= kMaxMemberBytes * 64) {  // a dictionary is to be seen whole
      while (stored_->data().size() < left && stored_->extend(call)) {
      }
      format_->padding(stored_->data());
    }
    if (left == 0) return !stored_->data().empty();
    while (left > 0) {
      const std::size_t now = std::min(left, stored_->data().size());
      stored_->consume(now);
      left -= now;
      if (left > 0 && stored_->data().empty() && !stored_->extend(call)) return false;
    }
  }
}

/// Returns the size as stored of the member that begins here, as far as it shows; 0 where it is large.
std::size_t WarcRecordReader::member_size(const Call& call) {
  while (true) {
    if (const std::size_t size = format_->stored_size(stored_->data()); size > 0) return size;
    if (stored_->data().size() >= kMaxMemberBytes) return 0;
    if (!stored_->extend(call)) return stored_->data().size();
  }
}

/// Returns whether a member can be passed over: its head and its own statement of its size agree that it is one record, which is not wanted or too large. `first` and `last` are its ends.
bool WarcRecordReader::pass_member(std::string_view peeked, std::string_view first, std::string_view last, bool may_be_unwanted, Answer& answer, Refusal& refusal) {
  if (!read_warc_head(peeked, head_)) return false;
  const std::int64_t text_bytes = static_cast<std::int64_t>(head_.bytes) + head_.block_bytes + 4;  // CR LF CR LF
  if (!format_->says_text_size(first, last, text_bytes)) return false;
  const bool unwanted = is_unwanted(head_, peeked.substr(head_.bytes));
  const bool too_large = static_cast<std::uint64_t>(head_.block_bytes) > max_record_bytes_;
  if (!too_large && !(unwanted && may_be_unwanted)) return false;
  if (!unwanted) refusal = refuse("record_too_large", "a record of " + std::to_string(head_.block_bytes) + " bytes, expected at most " + std::to_string(max_record_bytes_) + " ('max_record_bytes')");
  ++number_;
  answer = unwanted ? Answer() : Answer(Step::kRefused);
  return true;
}

/// Reads a member piece by piece: one that is large, damaged, or not made of whole records.
WarcRecordReader::Answer WarcRecordReader::stream_member(const Call& call, bool is_large, Refusal& refusal) {
  const std::string peeked(format_->peek(stored_->data())), first(stored_->data().substr(0, MemberFormat::kEndBytes));
  if (is_large && read_warc_head(peeked, head_) &&
      (static_cast<std::uint64_t>(head_.block_bytes) > max_record_bytes_ || is_unwanted(head_, std::string_view(peeked).substr(head_.bytes)))) {
    skip_to_member(call, 1);
    const std::int64_t end = offset();
    const std::string last(StoredBytes(path_, std::max(member_begin_, end - static_cast<std::int64_t>(MemberFormat::kEndBytes)), end).peek());
    Answer answer;
    if (pass_member(peeked, first, last, true, answer, refusal)) return answer;
    go_to(member_begin_);
  }
  auto stream = std::make_unique<MemberStream>(call_, path_, member_begin_, *format_);
  member_stream_ = stream.get();
  stream_.emplace(std::move(stream));
  window_.emplace(call, *stream_);
  text_.emplace(*window_);
  return {};
}

/// Shows the stored bytes from `offset` on.
void WarcRecordReader::go_to(std::int64_t offset) {
  moved_.emplace(*call_, path_, offset);
  stored_ = &moved_->window();
}

/// Goes on to the next member that holds a record, at least `from` bytes on, or to the end of the file.
void WarcRecordReader::skip_to_member(const Call& call, std::size_t from) {
  constexpr std::size_t kMarkBytes = 4;  // of which a part may stand at the end of what is seen
  while (true) {
    const std::size_t found = format_->find(stored_->data(), from);
    if (found != std::string_view::npos) {
      if (begins_record(call, *stored_, *format_, found)) return stored_->consume(found);
      from = found + 1;
      continue;
    }
    const std::size_t size = stored_->data().size(), kept = std::min(size > from ? size - from : 0, kMarkBytes - 1);
    stored_->consume(size - kept);
    from = 0;
    if (!stored_->extend(call)) return stored_->consume(stored_->data().size());
  }
}

// ------------------------------------------------------------------------------------------------------------------------------- text

WarcRecordReader::Answer WarcRecordReader::next_in_text(const Call& call, Record& record, Refusal& refusal) {
  text_->consume(std::exchange(taken_, 0));
  do text_->consume(std::min(text_->data().find_first_not_of(kLineEnds), text_->data().size()));
  while (text_->data().empty() && text_->extend(call));
  if (text_->data().empty()) return end_text(call, refusal);
  std::size_t head_bytes = header_size(text_->data());
  while (head_bytes == std::string_view::npos && text_->data().size() < kMaxHeadBytes && text_->extend(call)) head_bytes = header_size(text_->data());
  if (!is_version(text_->data()))
    return refuse_here(call, refuse("bad_warc", "found '" + shown(text_->data()) + "', expected a record (WARC/1.0, WARC/1.1)", 0), 1, refusal);
  if (head_bytes == std::string_view::npos && text_->data().size() < kMaxHeadBytes) {
    head_ = {};
    return refuse_cut(call, refusal);
  }
  if (!read_warc_head(text_->data(), head_))
    return refuse_here(call, refuse("bad_warc", "the head of a record has no 'WARC-Type' or no valid 'Content-Length', expected both"), 1, refusal);
  return cut_record(call, head_bytes, record, refusal);
}

WarcRecordReader::Answer WarcRecordReader::cut_record(const Call& call, std::size_t head_bytes, Record& record, Refusal& refusal) {
  const bool too_large = static_cast<std::uint64_t>(head_.block_bytes) > max_record_bytes_;
  if (too_large || is_unwanted(head_, text_->data().substr(head_bytes))) return pass_record(call, refusal);
  const std::size_t end = head_bytes + static_cast<std::size_t>(head_.block_bytes);
  while (text_->data().size() < end)
    if (!text_->extend(call)) return refuse_cut(call, refusal);
  if (!is_followed(call, end)) {
    if (text_->is_damaged()) return end_text(call, refusal);
    const std::string message = "a record's block of " + std::to_string(head_.block_bytes) + " bytes ('Content-Length') is not followed by another record";
    return refuse_here(call, refuse("bad_warc", message), head_bytes, refusal);
  }
  read_warc_head(text_->data(), head_);  // what `extend` may have moved
  taken_ = end;
  const Answer answer = read_record(head_, text_->data().substr(head_bytes, end - head_bytes), record, refusal);
  ++number_;
  return answer;
}

/// Passes over a record that is not wanted, or too large, without holding it.
WarcRecordReader::Answer WarcRecordReader::pass_record(const Call& call, Refusal& refusal) {
  const bool unwanted = is_unwanted(head_, text_->data().substr(head_.bytes));
  const std::int64_t documents = unwanted ? 0 : 1, block_bytes = head_.block_bytes;
  const std::int64_t begin = text_->stored_offset();
  Refusal cut = refuse("truncated_warc", "the text ends inside a record of " + std::to_string(block_bytes) + " bytes", documents);
  Refusal wrong = refuse("bad_warc", "a record's block of " + std::to_string(block_bytes) + " bytes ('Content-Length') is not followed by another record", documents);
  Refusal large = refuse("record_too_large", "a record of " + std::to_string(block_bytes) + " bytes, expected at most " + std::to_string(max_record_bytes_) + " ('max_record_bytes')", documents);
  const std::size_t head_bytes = head_.bytes;
  if (!skip_in_text(call, static_cast<std::int64_t>(head_bytes) + block_bytes)) {
    if (text_->is_damaged()) return end_text(call, refusal);
    ++number_;
    refusal = std::move(cut);
    if (begin >= 0) refusal.file_bytes = text_->stored_offset() - begin;
    return Step::kRefused;
  }
  if (!is_followed(call, 0)) return text_->is_damaged() ? end_text(call, refusal) : refuse_here(call, std::move(wrong), 0, refusal);
  ++number_;
  if (unwanted) return {};
  refusal = std::move(large);
  return Step::kRefused;
}

/// Refuses a record that the text ends in. Its length may be wrong, so what follows its head is looked through.
WarcRecordReader::Answer WarcRecordReader::refuse_cut(const Call& call, Refusal& refusal) {
  if (text_->is_damaged()) return end_text(call, refusal);
  return refuse_here(call, refuse("truncated_warc", "the text ends inside a record"), std::max<std::size_t>(head_.bytes, 1), refusal);
}

/// Refuses what begins here and goes on at the next head, at least `from` bytes on.
WarcRecordReader::Answer WarcRecordReader::refuse_here(const Call& call, Refusal found, std::size_t from, Refusal& refusal) {
  refusal = std::move(found);
  const std::int64_t begin = text_->stored_offset();
  if (!skip_to_head(call, from)) {
    refusal.message += "; the rest of the member, more than " + std::to_string(max_record_bytes_) + " bytes ('max_record_bytes') without a record, is given up";
    refusal.file_bytes = leave_member(call);
  } else if (text_->data().empty() && text_->is_damaged()) {
    return end_text(call, refusal);  // the damage is why
  } else if (begin >= 0) {
    refusal.file_bytes = text_->stored_offset() - begin;
  }
  ++number_;
  return Step::kRefused;
}

/// Leaves a member before its end, for the next one, and returns how many bytes it takes as stored.
std::int64_t WarcRecordReader::leave_member(const Call& call) {
  const std::int64_t begin = std::exchange(member_begin_, -1);
  member_stream_ = nullptr;
  text_.reset();
  window_.reset();
  stream_.reset();
  skip_to_member(call, 1);
  return offset() - begin;
}

/// Leaves a text that has ended, and reports its damage.
WarcRecordReader::Answer WarcRecordReader::end_text(const Call& call, Refusal& refusal) {
  const std::optional<Damage> damage = stream_ ? stream_->damage() : std::nullopt;
  const std::int64_t begin = std::exchange(member_begin_, -1), end = member_stream_ != nullptr && !damage ? member_stream_->end() : -1;
  const bool was_streamed = std::exchange(member_stream_, nullptr) != nullptr;
  text_.reset();
  window_.reset();
  stream_.reset();
  taken_ = 0;
  if (end >= 0) go_to(end);
  if (!damage) return {};
  refusal = {number_++, damage->code, damage->message, damage->offset};
  refusal.documents = 0;
  refusal.file_bytes = damage->file_bytes;
  if (!was_streamed) return Step::kRefused;
  skip_to_member(call, 1);
  refusal.message = std::string("the ") + format_->name() + " member at byte " + std::to_string(begin) + " is given up: " + refusal.message;
  refusal.offset = begin;
  refusal.file_bytes = offset() - begin;
  return Step::kRefused;
}

/// Passes over bytes of the text; false where it ends before.
bool WarcRecordReader::skip_in_text(const Call& call, std::int64_t bytes) {
  while (bytes > 0) {
    const std::int64_t now = std::min(bytes, static_cast<std::int64_t>(text_->data().size()));
    text_->consume(static_cast<std::size_t>(now));
    bytes -= now;
    if (bytes > 0 && !text_->extend(call)) return false;
  }
  return true;
}

/// Returns whether nothing stands `from` bytes on but line ends before the next record or the end of the text. Where that is damaged, no record is known to be whole by its end.
bool WarcRecordReader::is_followed(const Call& call, std::size_t from) {
  while (true) {
    const std::string_view rest = text_->data().substr(std::min(from, text_->data().size()));
    const std::size_t line_ends = std::min(rest.find_first_not_of(kLineEnds), rest.size());
    // Half of a line end: the block has taken the other half.
    if (rest.starts_with('\n') && rest.substr(0, line_ends).find('\r') != std::string_view::npos) return false;
    if (rest.size() >= line_ends + kVersion.size()) return rest.substr(line_ends).starts_with(kVersion);
    if (!text_->extend(call)) return line_ends == rest.size() && !text_->is_damaged();
  }
}

/// Goes to the next line that begins a record, or to the end of the text. Returns false where that is a member without a record for long: it is left.
bool WarcRecordReader::skip_to_head(const Call& call, std::size_t from) {
  constexpr std::size_t kLongestMark = 8;  // "WARC/1.0"
  std::size_t passed = 0;
  from = std::min(from, text_->data().size());
  bool at_line = from > 0 && text_->data()[from - 1] == '\n';
  text_->consume(from);
  while (true) {
    const std::string_view data = text_->data();
    for (std::size_t at = data.find(kVersion); at != std::string_view::npos; at = data.find(kVersion, at + 1)) {
      if (at + kLongestMark > data.size()) break;
      if ((at == 0 ? at_line : data[at - 1] == '\n') && is_version(data.substr(at))) return text_->consume(at), true;
    }
    const std::size_t kept = std::min(data.size(), kLongestMark - 1), gone = data.size() - kept;
    if (gone > 0) at_line = data[gone - 1] == '\n';
    passed += gone;
    text_->consume(gone);
    if (member_stream_ != nullptr && passed > max_record_bytes_) {
      return false;
    }
    if (!text_->extend(call)) return text_->consume(text_->data().size()), true;
  }
}

}  // namespace flowrun::readers
