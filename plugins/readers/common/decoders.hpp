#pragma once

// Stored bytes to text bytes, one class for each format of compression, behind one interface.

#include <flowrun/error.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "readers/common/stored_bytes.hpp"

namespace flowrun::readers {

/// How the bytes of a file are stored.
enum class StoredFormat { kPlain, kGzip, kZstd, kXz, kBzip2, kLz4 };

/// Tells the format of a file by its first bytes (up to 10 are looked at) and, where they are those of no format, by the suffix of its name
/// (.gz, .zst, .xz, .bz2, .lz4): a file that promises a format and does not hold it is damaged, not text.
///
/// No UTF-8 text begins as one of the formats does: the marks of gzip, zstd and xz are not UTF-8, lz4's has control characters, and bzip2's
/// ten bytes are "BZh", a digit and digits of pi in binary.
StoredFormat find_format(std::string_view first_bytes, std::string_view name) noexcept;

/// Why the rest of a file cannot be read.
struct Damage {
  Code status = Code::kCorruptData;
  const char* code = "";        ///< "damaged_" or "unsupported_" and the format: "damaged_gzip", "unsupported_xz"
  std::string message;
  std::int64_t offset = 0;      ///< in the file as stored, where decoding stopped
  std::int64_t file_bytes = 0;  ///< stored bytes from there to the end; -1: the file ends there, too early, and how many are missing is not known
};

/// Turns stored bytes into text bytes. Members, frames and streams that follow one another are one text. Memory is bounded by the format, and by
/// 128 MiB of window where the format knows no bound: the text is never held, however much a few bytes unpack to.
class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Writes up to `size` bytes and returns how many; 0 at the end, or where `damage` is set.
  virtual std::size_t read(char* out, std::size_t size) = 0;
  std::optional<Damage> damage;
};

std::unique_ptr<Decoder> make_decoder(StoredFormat format, StoredBytes in);

}  // namespace flowrun::readers
