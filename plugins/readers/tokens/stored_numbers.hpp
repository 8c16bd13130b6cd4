#pragma once

// Little-endian numbers in a file, read from anywhere in it.

#include <flowrun/error.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace flowrun::readers {

/// The types that tokens are stored in; the values are Megatron-LM's codes where it has one.
enum class TokenType : std::uint8_t { kUint8 = 1, kInt8 = 2, kInt16 = 3, kInt32 = 4, kInt64 = 5, kUint16 = 8, kUint32 = 100 };

/// Returns the bytes of one token; 0 for a value that is none of the types.
std::size_t bytes_of(TokenType type) noexcept;

/// A place in a file from which on it cannot be read: kCorruptData with an offset, for the account of errors.
class DamageAt : public Error {
 public:
  DamageAt(std::int64_t offset, const std::string& message) : Error(Code::kCorruptData, message), offset_(offset) {}
  std::int64_t offset() const noexcept { return offset_; }

 private:
  std::int64_t offset_;
};

/// A file that is open for reading by position, from any thread. Errors: kNotFound and kIo, naming the path.
class OpenFile {
 public:
  explicit OpenFile(const std::string& path);
  ~OpenFile();
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  std::int64_t size() const noexcept { return size_; }
  /// Reads up to `count` bytes from `offset` and returns how many there are: fewer only at the end of the file.
  std::size_t read(std::int64_t offset, std::size_t count, char* out) const;

 private:
  std::string path_;
  int descriptor_;
  std::int64_t size_;
};

/// Checksums (CRC-32) of the blocks of a part of a file.
struct BlockChecksums {
  std::int64_t begin = 0, end = 0;  ///< the part
  std::int64_t block_bytes = 1;     ///< the last block may be shorter
  std::vector<std::uint32_t> values;
};

/// Returns zlib's CRC-32.
std::uint32_t crc32_of(const char* bytes, std::size_t count) noexcept;

/// A file read by position through one buffer: 256 KiB, or a block where blocks have checksums, each of which is checked when it is read.
/// Errors: kIo, naming the path; kCorruptData beyond the end; DamageAt for a block that does not fit its checksum, or bytes outside of all blocks.
class StoredNumbers {
 public:
  explicit StoredNumbers(const std::string& path) : StoredNumbers(std::make_shared<const OpenFile>(path), nullptr) {}
  StoredNumbers(std::shared_ptr<const OpenFile> file, std::shared_ptr<const BlockChecksums> checksums) : file_(std::move(file)), checksums_(std::move(checksums)) {}

  std::int64_t size() const noexcept { return file_->size(); }
  /// Copies `count` bytes from `offset`.
  void read(std::int64_t offset, std::size_t count, void* out);
  template <class T>
  T number(std::int64_t offset) {
    T value;
    read(offset, sizeof value, &value);
    return value;
  }
  /// Appends `count` tokens from byte `offset`. Returns whether each is a token's id: not negative and below 2^32.
  bool append_tokens(TokenType type, std::int64_t offset, std::int64_t count, std::vector<std::uint32_t>& out);

 private:
  void fill(std::int64_t offset);
  void fill_block(std::int64_t offset);

  std::shared_ptr<const OpenFile> file_;
  std::shared_ptr<const BlockChecksums> checksums_;
  std::int64_t begin_ = 0;
  std::vector<char> buffer_;  ///< what stands at begin_
};

}  // namespace flowrun::readers
