#pragma once

// Finds the fields of CSV records (RFC 4180) in text that may come in parts. What RFC 4180 leaves open or forbids is taken as Python's csv module
// takes it, and noted: its `strict = True` refuses what `text_behind_quote` and `open_quote` say. Checked against that module on random and
// real tables.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::readers {

/// The bytes that cut a record. Both are ASCII and neither is a line end.
struct CsvDialect {
  char delimiter = ',';
  char quote = '"';  ///< 0: fields are never quoted
};

/// Finds the end of one record after another and where its fields are. A record ends at a line end outside quotes: "\n", "\r\n" or "\r".
class CsvScanner {
 public:
  explicit CsvScanner(CsvDialect dialect);

  /// Begins a new record.
  void start();
  /// Looks on in `data`, which begins with the record and has only grown since the last call, and returns whether the record has ended. With
  /// `at_end` nothing follows `data`, so it always has.
  bool scan(std::string_view data, bool at_end);
  /// Forgets the fields and the `size` bytes that were looked at, so that the end of a record of any length can be found in bounded memory.
  void drop() noexcept;

  /// Returns the bytes of the record that were looked at, its line end included once it has ended.
  std::size_t size() const noexcept { return at_; }
  /// Returns the bytes of the record without its line end.
  std::size_t text_size() const noexcept { return text_size_; }
  /// Returns how many fields the record has: 0 for an empty line.
  std::size_t field_count() const noexcept { return fields_.size(); }
  /// Returns field `index` of the record, whose bytes `data` shows: out of `buffer` where quotes had to be taken out.
  std::string_view field(std::string_view data, std::size_t index, std::string& buffer) const;
  bool ended_with_line() const noexcept { return ended_with_line_; }      ///< and not with the data
  bool text_behind_quote() const noexcept { return text_behind_quote_; }  ///< a closing quote is not the end of its field
  bool open_quote() const noexcept { return open_quote_; }                ///< the data ended inside quotes

 private:
  enum class State { kStart, kPlain, kQuoted, kQuoteInQuoted };
  struct Field {
    std::size_t begin = 0, end = 0;
    std::size_t closing_quote = 0;  ///< 0: the field is not quoted
    bool has_doubled_quotes = false;
  };

  void find_state(std::string_view data);
  void end_field();
  bool end_record(std::string_view data, bool at_end);

  CsvDialect dialect_;
  bool is_special_[256] = {};  ///< ends a field that is not quoted
  State state_ = State::kStart;
  std::size_t at_ = 0, text_size_ = 0;
  Field field_;
  std::vector<Field> fields_;
  bool dropped_ = false, ended_with_line_ = false, text_behind_quote_ = false, open_quote_ = false;
};

}  // namespace flowrun::readers
