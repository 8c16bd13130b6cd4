#include "readers/common/xml_records.hpp"

#include <algorithm>
#include <utility>

namespace flowrun::readers {
namespace {

/// Longer than any tag that is looked for, with what follows its name.
constexpr std::size_t kLongestTag = 16;

}  // namespace

RecordReader::Step XmlRecordReader::next(const Call& call, Record& record, Refusal& refusal) {
  while (true) {
    window_->consume(std::exchange(taken_, 0));
    skip_blanks(call);
    while (window_->data().size() < kLongestTag && window_->extend(call)) {
    }
    const std::string_view data = window_->data();
    if (data.empty()) return read_end(record, refusal);
    std::optional<Step> step;
    if (begins(data, tags_.record)) step = read_record(call, record, refusal);
    else if (begins(data, "<?xml") || begins(data, tags_.root)) step = read_head(call, refusal);
    else if (begins(data, tags_.root_end)) close(call);
    else step = refuse_garbage(call, refusal);
    if (step) return *step;
  }
}

bool XmlRecordReader::begins(std::string_view data, std::string_view tag) noexcept {
  return data.starts_with(tag) && data.size() > tag.size() && std::string_view(" \t\r\n/>").find(data[tag.size()]) != std::string_view::npos;
}

std::optional<RecordReader::Step> XmlRecordReader::read_head(const Call& call, Refusal&) {
  wants_end_ = true;
  const std::size_t end = find(call, ">", 0);
  take(end == std::string_view::npos ? window_->data().size() : end + 1);
  return {};
}

RecordReader::Step XmlRecordReader::read_end(Record&, Refusal& refusal) {
  if (has_damage() || !std::exchange(wants_end_, false)) return Step::kEnd;
  refusal = complain("truncated_xml", "the file ends early, without " + std::string(tags_.root_end) + ">");
  refusal.file_bytes = -1;
  return Step::kRefused;
}

std::size_t XmlRecordReader::find(const Call& call, std::string_view mark, std::size_t from) {
  while (true) {
    const std::string_view data = window_->data();
    if (const std::size_t found = data.find(mark, from); found != std::string_view::npos) return found;
    from = std::max(from, data.size() - std::min(data.size(), mark.size() - 1));
    if (data.size() >= max_record_bytes_ || !window_->extend(call)) return std::string_view::npos;
  }
}

RecordReader::Step XmlRecordReader::refuse_too_large(const Call& call, Refusal& refusal) {
  refusal = refuse("record_too_large", "a record of more than " + std::to_string(max_record_bytes_) + " bytes ('max_record_bytes')");
  skip_to_record(call);
  return Step::kRefused;
}

void XmlRecordReader::skip_blanks(const Call& call) {
  do {
    const std::string_view data = window_->data();
    window_->consume(std::min(data.find_first_not_of(" \t\r\n"), data.size()));
  } while (window_->data().empty() && window_->extend(call));
}

/// Leaves the window at the next record, or at the end of the root, in bounded memory.
void XmlRecordReader::skip_to_record(const Call& call) {
  for (std::size_t from = 1;;) {
    const std::string_view data = window_->data();
    for (std::size_t at = data.find('<', from); at != std::string_view::npos && at + kLongestTag <= data.size(); at = data.find('<', at + 1))
      if (begins(data.substr(at), tags_.record) || begins(data.substr(at), tags_.root_end)) return window_->consume(at);
    // What is left may be the beginning of a tag; at the end of the file it is looked at by itself.
    const std::size_t kept = std::min(data.size(), kLongestTag - 1);
    window_->consume(data.size() - kept);
    from = 0;
    if (window_->extend(call)) continue;
    const std::string_view rest = window_->data();
    std::size_t at = rest.find('<');
    while (at != std::string_view::npos && !begins(rest.substr(at), tags_.root_end)) at = rest.find('<', at + 1);
    return window_->consume(std::min(at, rest.size()));
  }
}

void XmlRecordReader::close(const Call& call) {
  wants_end_ = false;
  const std::size_t end = find(call, ">", 0);
  take(end == std::string_view::npos ? window_->data().size() : end + 1);
}

/// Refuses what is no record up to the next one.
RecordReader::Step XmlRecordReader::refuse_garbage(const Call& call, Refusal& refusal) {
  std::string found(window_->data().substr(0, kLongestTag));
  for (char& c : found)
    if (c < ' ' || c > '~') c = '?';
  refusal = refuse("bad_xml", "found '" + found + "', expected " + std::string(tags_.record) + ">");
  skip_to_record(call);
  return Step::kRefused;
}

}  // namespace flowrun::readers
