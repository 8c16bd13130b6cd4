#pragma once

#include <flowrun/node.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "readers/common/stored_file.hpp"

namespace flowrun::readers {

/// The part of a file's text that a reader looks at: unread bytes, taken from the front, extended at the back. It grows to the longest
/// record and no further. Behind the bytes there are always kPadding more that may be read.
class Window {
 public:
  static constexpr std::size_t kPadding = 64;
  /// Drops a UTF-8 byte order mark at the start of the file.
  Window(const Call& call, StoredFile& file);

  std::string_view data() const noexcept { return {buffer_.get() + begin_, end_ - begin_}; }
  /// Returns how many bytes from the start of `data` may be read, whatever they hold.
  std::size_t readable() const noexcept { return capacity_ - begin_ + kPadding; }
  /// Reads more bytes behind `data` (which may move) and returns whether there were any. Throws kCancelled when the run is stopping.
  bool extend(const Call& call);
  void consume(std::size_t n) noexcept {
    begin_ += n;
    position_ += static_cast<std::int64_t>(n);
  }
  /// Returns the position of `data` in the decompressed file.
  std::int64_t position() const noexcept { return position_; }
  /// Returns the position as an offset in the file as stored, -1 where it is compressed.
  std::int64_t stored_offset() const noexcept { return file_->is_plain() ? position_ : -1; }
  /// Says where in the text `data` is, for the end of a message; nothing for a plain file, which has that as its offset.
  std::string place() const { return file_->is_plain() ? std::string() : ", at byte " + std::to_string(position_) + " of the decompressed text"; }
  const StoredFile& file() const noexcept { return *file_; }

  /// Returns the index behind the next '\n' at or after `from`; the size of `data` at the end of the file; npos where there is none among
  /// the first `limit` bytes.
  std::size_t line_end(const Call& call, std::size_t from, std::size_t limit);

 private:
  void make_room();

  StoredFile* file_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
  std::int64_t position_ = 0;
  std::unique_ptr<char[]> buffer_;
};

/// Returns whether a line holds nothing but spaces, tabs, carriage returns and its newline.
inline bool is_blank(std::string_view line) noexcept { return line.find_first_not_of(" \t\r\n") == std::string_view::npos; }

}  // namespace flowrun::readers
