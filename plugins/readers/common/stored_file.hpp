#pragma once

// A file as its bytes are meant: plain, or decompressed while it is read (gzip, zstd, xz, bzip2 and lz4, each with any number of members,
// frames or streams one behind the other).

#include <flowrun/params.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "readers/common/decoders.hpp"
#include "readers/common/stored_bytes.hpp"

namespace flowrun::readers {

/// One file being read, from front to back, by one thread at a time. What to decode is decided by `find_format`.
///
/// Memory: one buffer of 128 KiB and the decoder's window. Bytes before a damage are given out as far as they can be decoded.
/// Errors: kNotFound, kIo. Damage is a value, not an error, because the run may go on without the rest of the file.
class StoredFile {
 public:
  explicit StoredFile(const std::string& path) : StoredFile(path, StoredBytes(path)) {}
  /// Reads the bytes from `begin` to `end` as if they were the file: whole members, frames or streams of it.
  StoredFile(const std::string& path, std::int64_t begin, std::int64_t end) : StoredFile(path, StoredBytes(path, begin, end)) {}
  /// Reads the bytes as they are stored.
  explicit StoredFile(StoredBytes bytes) : plain_(true), decoder_(make_decoder(StoredFormat::kPlain, std::move(bytes))) {}
  /// Reads what `decoder` gives, as text that is not at its place in a file.
  explicit StoredFile(std::unique_ptr<Decoder> decoder) : decoder_(std::move(decoder)) {}

  /// Writes up to `size` bytes and returns how many; 0 at the end, or where the file is damaged.
  std::size_t read(char* out, std::size_t size) { return decoder_->read(out, size); }
  const std::optional<Damage>& damage() const noexcept { return decoder_->damage; }
  /// Returns whether positions in the text are offsets in the file.
  bool is_plain() const noexcept { return plain_; }

 private:
  StoredFile(const std::string& path, StoredBytes bytes);

  bool plain_ = false;
  std::unique_ptr<Decoder> decoder_;
};

}  // namespace flowrun::readers
