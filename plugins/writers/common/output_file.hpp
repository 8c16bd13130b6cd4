#pragma once

// One file that is written from its beginning to its end, compressed where its name says so.

#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace flowrun::writers {

/// Takes chunks of text, all but the last of OutputFile::kChunkBytes, and gives the bytes to store.
class Encoder {
 public:
  virtual ~Encoder() = default;
  /// Appends what is ready to `out`; all that is left if this is the last chunk.
  virtual void encode(std::string_view chunk, bool is_last, std::string& out) = 0;
};

/// A file whose bytes depend on its text alone, never on the pieces in which the text comes: the compressor sees chunks of one size, its level
/// is fixed, and no time stands in the header. `.gz` is one gzip member, `.zst` one zstd frame with a checksum; other names are plain.
///
/// Errors: kIo, naming the path. Threads: one call at a time.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::string_view text);
  /// Writes what is left and closes the file. Nothing may be written after it. Without it the file is incomplete.
  void finish();

  static constexpr std::size_t kChunkBytes = 256 << 10;

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  void store(std::string_view chunk, bool is_last);
  [[noreturn]] void fail(const char* action) const;

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::unique_ptr<Encoder> encoder_;  ///< null: plain
  std::string chunk_;                 ///< text that does not fill a chunk yet
  std::string encoded_;               ///< kept for its memory alone
};

}  // namespace flowrun::writers
