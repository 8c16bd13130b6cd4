#pragma once

// A file as its bytes are meant: plain, or decompressed while it is read (.gz with any number of members, .zst with any number of frames).

#include <flowrun/params.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace flowrun::readers {

/// Why the rest of a file cannot be read.
struct Damage {
  Code status = Code::kCorruptData;
  const char* code = "";        ///< "damaged_gzip", "damaged_zstd", "unsupported_zstd"
  std::string message;
  std::int64_t offset = 0;      ///< in the file as stored, where decoding stopped
  std::int64_t file_bytes = 0;  ///< stored bytes from there to the end
};

/// Turns stored bytes into text bytes.
class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Writes up to `size` bytes and returns how many; 0 at the end, or where `damage` is set.
  virtual std::size_t read(char* out, std::size_t size) = 0;
  std::optional<Damage> damage;
};

/// One file being read, from front to back, by one thread at a time. What to decode is decided by the name's suffix.
///
/// Memory: one buffer of 128 KiB and the decoder's window. Bytes before a damage are given out as far as they can be decoded.
/// Errors: kNotFound, kIo. Damage is a value, not an error, because the run may go on without the rest of the file.
class StoredFile {
 public:
  explicit StoredFile(const std::string& path);

  /// Writes up to `size` bytes and returns how many; 0 at the end, or where the file is damaged.
  std::size_t read(char* out, std::size_t size) { return decoder_->read(out, size); }
  const std::optional<Damage>& damage() const noexcept { return decoder_->damage; }
  /// Returns whether positions in the text are offsets in the file.
  bool is_plain() const noexcept { return plain_; }

 private:
  bool plain_;
  std::unique_ptr<Decoder> decoder_;
};

/// Returns the size of a file in bytes. Throws kNotFound or kIo, naming it.
std::int64_t stored_bytes(const std::string& path);

}  // namespace flowrun::readers
