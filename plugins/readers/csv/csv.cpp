#include "csv.hpp"

#include <cstring>

namespace flowrun::readers {
namespace {

/// Appends `text` with every doubled quote as one.
void append_unquoted(std::string_view text, char quote, std::string& out) {
  for (std::size_t found = text.find(quote); found != std::string_view::npos; found = text.find(quote)) {
    out.append(text, 0, found + 1);
    text.remove_prefix(found + 2);
  }
  out.append(text);
}

}  // namespace

CsvScanner::CsvScanner(CsvDialect dialect) : dialect_(dialect) {
  for (const char c : {dialect.delimiter, '\n', '\r'}) is_special_[static_cast<unsigned char>(c)] = true;
}

void CsvScanner::start() {
  state_ = State::kStart;
  at_ = text_size_ = 0;
  field_ = {};
  fields_.clear();
  dropped_ = ended_with_line_ = text_behind_quote_ = open_quote_ = false;
}

void CsvScanner::drop() noexcept {
  at_ = 0;
  field_ = {};
  fields_.clear();
  dropped_ = true;
}

bool CsvScanner::scan(std::string_view data, bool at_end) {
  while (at_ < data.size()) {
    find_state(data);
    if (at_ == data.size()) break;
    if (state_ != State::kPlain) continue;
    if (data[at_] != dialect_.delimiter) {
      if (end_record(data, at_end)) return true;
      break;
    }
    end_field();
    ++at_;
    field_.begin = at_;
    state_ = State::kStart;
  }
  if (!at_end) return false;
  if (state_ == State::kQuoteInQuoted) field_.closing_quote = at_ - 1;
  if (state_ == State::kQuoted) {
    field_.closing_quote = at_;
    open_quote_ = true;
  }
  text_size_ = at_;
  if (at_ > 0 || dropped_) end_field();
  return true;
}

/// Goes on in the field to the end of its part, or of the data. In state kPlain, `at_` is where the field ends.
void CsvScanner::find_state(std::string_view data) {
  switch (state_) {
    case State::kStart:
      if (dialect_.quote != 0 && data[at_] == dialect_.quote) {
        state_ = State::kQuoted;
        ++at_;
        return;
      }
      state_ = State::kPlain;
      [[fallthrough]];
    case State::kPlain:
      while (at_ < data.size() && !is_special_[static_cast<unsigned char>(data[at_])]) ++at_;
      return;
    case State::kQuoted: {
      const void* quote = std::memchr(data.data() + at_, dialect_.quote, data.size() - at_);
      at_ = quote == nullptr ? data.size() : static_cast<std::size_t>(static_cast<const char*>(quote) - data.data()) + 1;
      if (quote != nullptr) state_ = State::kQuoteInQuoted;
      return;
    }
    case State::kQuoteInQuoted:
      if (data[at_] == dialect_.quote) {
        field_.has_doubled_quotes = true;
        state_ = State::kQuoted;
        ++at_;
        return;
      }
      field_.closing_quote = at_ - 1;
      text_behind_quote_ |= !is_special_[static_cast<unsigned char>(data[at_])];
      state_ = State::kPlain;
      return find_state(data);
  }
}

void CsvScanner::end_field() {
  field_.end = at_;
  if (!dropped_) fields_.push_back(field_);
  field_ = {};
}

/// Ends the record at the line end at `at_`; false where more data must say whether a carriage return has a newline behind it.
bool CsvScanner::end_record(std::string_view data, bool at_end) {
  const bool is_return = data[at_] == '\r';
  if (is_return && at_ + 1 == data.size() && !at_end) return false;
  text_size_ = at_;
  if (at_ > 0 || dropped_) end_field();
  at_ += is_return && at_ + 1 < data.size() && data[at_ + 1] == '\n' ? 2 : 1;
  return ended_with_line_ = true;
}

std::string_view CsvScanner::field(std::string_view data, std::size_t index, std::string& buffer) const {
  const Field& field = fields_[index];
  if (field.closing_quote == 0) return data.substr(field.begin, field.end - field.begin);
  const std::string_view quoted = data.substr(field.begin + 1, field.closing_quote - field.begin - 1);
  const bool ends_with_quote = field.closing_quote + 1 >= field.end;
  if (!field.has_doubled_quotes && ends_with_quote) return quoted;
  buffer.clear();
  append_unquoted(quoted, dialect_.quote, buffer);
  if (!ends_with_quote) buffer.append(data, field.closing_quote + 1, field.end - field.closing_quote - 1);
  return buffer;
}

}  // namespace flowrun::readers
