#include "readers/common/warc/member_stream.hpp"

#include <algorithm>
#include <limits>

namespace flowrun::readers {
namespace {

/// Enough of a member to see that its text begins with a record: what stands before the text, tables of codes, and the record's first line.
constexpr std::size_t kBeginningBytes = 4 << 10;

}  // namespace

StoredWindow::StoredWindow(const Call& call, const std::string& path, std::int64_t begin)
    : begin_(begin), file_(StoredBytes(path, begin, std::numeric_limits<std::int64_t>::max())), window_(call, file_) {}

bool begins_record(const Call& call, Window& stored, MemberFormat& format, std::size_t at) {
  while (stored.data().size() < at + kBeginningBytes && stored.extend(call)) {
  }
  const std::string_view rest = stored.data().substr(std::min(at, stored.data().size()));
  return rest.empty() || (format.find(rest, 0) == 0 && format.peek(rest).starts_with("WARC/"));
}

std::size_t MemberStream::read(char* out, std::size_t size) {
  std::size_t written = 0;
  while (written < size && !damage && !ended_) {
    if (!inside_ && !begin_member()) break;
    Window& stored = stored_.window();
    const bool has_more = !stored.data().empty() || stored.extend(**call_);
    const MemberFormat::Progress progress = format_->decode_on(stored.data(), out + written, size - written);
    stored.consume(progress.read);
    written += progress.written;
    if (progress.fault != nullptr) note(std::string("the data is damaged (") + progress.fault + ")");
    else if (progress.ended) inside_ = false;
    else if (!has_more && progress.written == 0) note("the file ends inside a member");
  }
  return written;
}

/// Goes into the next member; false where the text ends before it.
bool MemberStream::begin_member() {
  Window& stored = stored_.window();
  if (any_member_) {
    while (stored.data().empty() && stored.extend(**call_)) {
    }
    ended_ = format_->find(stored.data(), 0) != 0 || begins_record(**call_, stored, *format_, 0);
    if (ended_) return false;
  }
  format_->begin();
  return inside_ = any_member_ = true;
}

void MemberStream::note(const std::string& message) { damage = Damage{Code::kCorruptData, format_->damage_code(), message + ", at byte " + std::to_string(stored_.offset()) + " of the stored file", stored_.offset(), 0}; }

}  // namespace flowrun::readers
