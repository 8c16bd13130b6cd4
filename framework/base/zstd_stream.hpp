#pragma once

// zstd for whole files and buffers: one place that checks every return value.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace flowrun {

/// Compresses what is written, as one frame with a content checksum, and hands the bytes to `sink`.
class ZstdWriter {
 public:
  explicit ZstdWriter(std::function<void(const void*, std::size_t)> sink, int level = 3);
  ~ZstdWriter();
  ZstdWriter(const ZstdWriter&) = delete;
  ZstdWriter& operator=(const ZstdWriter&) = delete;
  void write(std::string_view text);
  /// Ends the frame.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Returns `text` as one zstd frame with a content checksum.
std::string zstd_compress(std::string_view text, int level = 3);

/// Returns a frame's content, at most `limit` bytes. Throws Error(kCorruptData).
std::string zstd_decompress(std::string_view frame, std::size_t limit);

/// Decompresses a file of frames piece by piece. Throws Error(kCorruptData) naming path and offset, kNotFound or kIo.
void zstd_read_file(const std::string& path, const std::function<void(std::string_view)>& piece);

}  // namespace flowrun
