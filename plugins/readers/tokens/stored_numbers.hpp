#pragma once

// Little-endian numbers in a file, read from anywhere in it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace flowrun::readers {

/// The types that tokens are stored in; the values are Megatron-LM's codes where it has one.
enum class TokenType : std::uint8_t { kUint8 = 1, kInt8 = 2, kInt16 = 3, kInt32 = 4, kInt64 = 5, kUint16 = 8, kUint32 = 100 };

/// Returns the bytes of one token; 0 for a value that is none of the types.
std::size_t bytes_of(TokenType type) noexcept;

/// A file read by position through one buffer of 256 KiB. Errors: kNotFound and kIo, naming the path; kCorruptData beyond the end.
class StoredNumbers {
 public:
  explicit StoredNumbers(const std::string& path);
  ~StoredNumbers();
  StoredNumbers(const StoredNumbers&) = delete;
  StoredNumbers& operator=(const StoredNumbers&) = delete;

  std::int64_t size() const noexcept { return size_; }
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
  std::string path_;
  int descriptor_;
  std::int64_t size_, begin_ = 0;
  std::vector<char> buffer_;  ///< what stands at begin_
};

}  // namespace flowrun::readers
