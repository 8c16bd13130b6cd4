#pragma once

// The regular files of a tar archive (v7, ustar, pax, GNU), read from front to back. Names are names alone: nothing is unpacked.

#include <flowrun/node.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "readers/common/window.hpp"

namespace flowrun::readers {

/// A regular file of an archive.
struct TarMember {
  std::string name;        ///< as the archive has it, without "./" in front; any bytes
  std::int64_t bytes = 0;  ///< as its header says
};

/// Why a part of an archive could not be read. Reading goes on at the next header that is valid, where there is one.
struct TarDamage {
  std::string message;
  std::int64_t position = 0;  ///< in the archive, decompressed, where the damage was met
  std::int64_t bytes = 0;     ///< passed over because of it; -1: nothing follows, and how much is missing is not known
};

/// Reads one archive through a window, or from memory.
///
/// Memory: libarchive's own (names and extended headers of at most 1 MiB each), and what the caller asks for. Links, folders and devices are
/// passed over. Archives one behind the other are read as one. Source: POSIX.1-2017, pax; checked against Python's tarfile.
class TarReader {
 public:
  enum class Step { kFile, kDamaged, kEnd };

  /// Reads `window` to its end. The window must live as long.
  explicit TarReader(Window& window);
  /// Reads bytes that must live as long.
  explicit TarReader(std::string_view bytes);
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;
  ~TarReader();

  /// Goes to the next regular file; what is left of the one before is passed over. Where the file under the window is damaged itself, the
  /// archive just ends: that file reports it.
  Step next(const Call& call, TarMember& member, TarDamage& damage);

  enum class Content { kWhole, kTooLarge, kCut };
  /// Reads the current file into `out`, at most `limit` bytes: kTooLarge where it has more, kCut where the archive ends or is damaged inside
  /// it (`next` then says so).
  Content read(const Call& call, std::string& out, std::size_t limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Returns whether bytes begin with a valid header of a tar archive (its checksum holds). Needs the first 512 bytes.
bool looks_like_tar(std::string_view bytes) noexcept;

/// Decompresses one gzip member or more from memory. Returns false where they are damaged or give more than `limit` bytes, with the reason.
bool gunzip(std::string_view bytes, std::size_t limit, std::string& out, std::string& reason);

}  // namespace flowrun::readers
