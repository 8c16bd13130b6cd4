#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::readers {

/// Returns the size of a file in bytes. Throws kNotFound or kIo, naming it.
std::int64_t stored_bytes(const std::string& path);

/// The bytes of a file as stored, from front to back, through one buffer of 128 KiB. Throws kNotFound or kIo, naming the file.
class StoredBytes {
 public:
  explicit StoredBytes(const std::string& path);
  /// Shows the bytes from `begin` to `end` alone, or to the file's end where that comes first. Offsets are those of the file.
  StoredBytes(const std::string& path, std::int64_t begin, std::int64_t end);
  StoredBytes(StoredBytes&& other) noexcept;
  StoredBytes& operator=(StoredBytes&&) = delete;
  ~StoredBytes();

  /// Writes up to `size` bytes and returns how many; 0 at the end. Past what `peek` has shown, the buffer is left out.
  std::size_t read(char* out, std::size_t size);
  /// Returns what is in the buffer, filled anew where it is empty; nothing at the end of the file.
  std::string_view peek();
  void skip(std::size_t n) noexcept { begin_ += n; }
  /// Returns the offset in the file of the first byte that has not been skipped.
  std::int64_t offset() const noexcept { return offset_ - static_cast<std::int64_t>(end_ - begin_); }
  /// Returns the stored bytes that are left. A file that grows while it is read has none, not fewer.
  std::int64_t bytes_left() const noexcept;

 private:
  std::size_t read_file(char* out, std::size_t size);

  std::string path_;
  std::int64_t size_;  ///< offset of the end
  std::int64_t limit_ = std::numeric_limits<std::int64_t>::max();  ///< nothing is read from there on; a whole file may grow
  int descriptor_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  ///< of what is unread in buffer_
  std::int64_t offset_ = 0;          ///< in the file, behind the buffer
};

}  // namespace flowrun::readers
