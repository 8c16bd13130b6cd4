#include "readers/common/stored_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

namespace flowrun::readers {
namespace {

[[noreturn]] void throw_errno(const std::string& path, const char* action) {
  const int number = errno;
  throw Error(number == ENOENT ? Code::kNotFound : Code::kIo, path + ": " + action + ": " + std::strerror(number));
}

/// The bytes of a file as stored, through one buffer.
class StoredBytes {
 public:
  explicit StoredBytes(const std::string& path) : path_(path), size_(stored_bytes(path)), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) throw_errno(path, "cannot be opened");
    ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL);  // advice alone: a failure changes nothing
  }
  StoredBytes(const StoredBytes&) = delete;
  StoredBytes& operator=(const StoredBytes&) = delete;
  ~StoredBytes() { ::close(descriptor_); }

  /// Reads past the buffer.
  std::size_t read(char* out, std::size_t size) {
    while (true) {
      const ssize_t got = ::read(descriptor_, out, size);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw_errno(path_, "cannot be read");
      offset_ += got;
      return static_cast<std::size_t>(got);
    }
  }
  /// Returns what is in the buffer, filled anew where it is empty; nothing at the end of the file.
  std::string_view peek() {
    if (begin_ == end_) {
      begin_ = 0;
      end_ = read(buffer_.data(), buffer_.size());
    }
    return {buffer_.data() + begin_, end_ - begin_};
  }
  void skip(std::size_t n) noexcept { begin_ += n; }
  /// Returns the offset in the file of the first byte that has not been skipped.
  std::int64_t offset() const noexcept { return offset_ - static_cast<std::int64_t>(end_ - begin_); }
  /// Returns the stored bytes that are left. A file that grows while it is read has none, not fewer.
  std::int64_t bytes_left() const noexcept { return std::max<std::int64_t>(0, size_ - offset()); }

 private:
  static constexpr std::size_t kBufferBytes = 128 << 10;
  std::string path_;
  std::int64_t size_;
  int descriptor_;
  std::vector<char> buffer_ = std::vector<char>(kBufferBytes);
  std::size_t begin_ = 0, end_ = 0;
  std::int64_t offset_ = 0;
};

Damage damage_at(const StoredBytes& in, const char* code, std::string message, Code status = Code::kCorruptData) {
  return {status, code, std::move(message) + ", at byte " + std::to_string(in.offset()) + " of the stored file", in.offset(), in.bytes_left()};
}

class PlainDecoder : public Decoder {
 public:
  explicit PlainDecoder(const std::string& path) : in_(path) {}
  std::size_t read(char* out, std::size_t size) override { return in_.read(out, size); }

 private:
  StoredBytes in_;
};

/// RFC 1952. Zero bytes behind a member are padding, as gzip itself takes them.
class GzipDecoder : public Decoder {
 public:
  explicit GzipDecoder(const std::string& path) : in_(path) {
    constexpr int kGzipAlone = 16;  // added to the window bits: no zlib header, no raw deflate
    if (inflateInit2(&stream_, MAX_WBITS + kGzipAlone) != Z_OK) throw std::bad_alloc();
  }
  ~GzipDecoder() override { inflateEnd(&stream_); }

  std::size_t read(char* out, std::size_t size) override {
    const std::size_t limit = std::min<std::size_t>(size, 1u << 30);  // avail_out has 32 bits
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(limit);
    while (stream_.avail_out > 0 && !damage) {
      if (!inside_ && !skip_padding()) break;
      const std::string_view bytes = in_.peek();
      if (bytes.empty()) {
        damage = damage_at(in_, "damaged_gzip", "the file ends inside a gzip member");
        break;
      }
      step(bytes);
    }
    return limit - stream_.avail_out;
  }

 private:
  /// Goes to the next member; false where there is none.
  bool skip_padding() {
    for (std::string_view bytes = in_.peek(); !bytes.empty(); bytes = in_.peek()) {
      const std::size_t zeros = any_member_ ? std::min(bytes.find_first_not_of('\0'), bytes.size()) : 0;
      in_.skip(zeros);
      if (zeros < bytes.size()) return inside_ = any_member_ = true;
    }
    return false;
  }
  void step(std::string_view bytes) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    const int result = inflate(&stream_, Z_NO_FLUSH);
    in_.skip(bytes.size() - stream_.avail_in);
    if (result == Z_STREAM_END) {
      inside_ = false;
      inflateReset(&stream_);
    } else if (result == Z_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      damage = damage_at(in_, "damaged_gzip", std::string("the gzip data is damaged (") + (stream_.msg ? stream_.msg : "no valid stream") + ")");
    }
  }

  StoredBytes in_;
  z_stream stream_{};
  bool inside_ = false, any_member_ = false;
};

/// RFC 8878. The decoder is given one block at a time (the size that it asks for), so that a damaged block loses itself alone.
class ZstdDecoder : public Decoder {
 public:
  explicit ZstdDecoder(const std::string& path) : in_(path), stream_(ZSTD_createDStream(), ZSTD_freeDStream) {
    if (!stream_) throw std::bad_alloc();
    wanted_ = ZSTD_initDStream(stream_.get());
  }

  std::size_t read(char* out, std::size_t size) override {
    ZSTD_outBuffer target{out, size, 0};
    while (target.pos < size && !damage) {
      std::string_view bytes = in_.peek();
      if (bytes.empty() && !inside_) break;
      const std::size_t before = target.pos;
      // What the decoder still holds is taken out before it sees more: with a block that fails, it would be lost.
      const std::size_t given = holding_ ? 0 : std::min(bytes.size(), std::max<std::size_t>(wanted_, 1));
      ZSTD_inBuffer source{bytes.data(), given, 0};
      const std::size_t result = ZSTD_decompressStream(stream_.get(), &target, &source);
      if (ZSTD_isError(result)) {
        note(result);
        break;
      }
      in_.skip(source.pos);
      inside_ = result != 0;
      wanted_ = result;
      const bool was_holding = std::exchange(holding_, target.pos == size);
      if (bytes.empty() && inside_ && !was_holding && target.pos == before) damage = damage_at(in_, "damaged_zstd", "the file ends inside a zstd frame");
    }
    return target.pos;
  }

 private:
  void note(std::size_t result) {
    const bool too_large = ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge;
    const std::string message = std::string("the zstd data ") + (too_large ? "needs a window of more than 128 MiB (" : "is damaged (") + ZSTD_getErrorName(result) + ")";
    damage = too_large ? damage_at(in_, "unsupported_zstd", message, Code::kUnsupported) : damage_at(in_, "damaged_zstd", message);
  }

  StoredBytes in_;
  std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream_;
  std::size_t wanted_ = 0;
  bool inside_ = false;   ///< of a frame
  bool holding_ = false;  ///< the last call filled its target, so there may be more to come
};

std::unique_ptr<Decoder> make_decoder(const std::string& path) {
  if (path.ends_with(".gz")) return std::make_unique<GzipDecoder>(path);
  if (path.ends_with(".zst")) return std::make_unique<ZstdDecoder>(path);
  return std::make_unique<PlainDecoder>(path);
}

}  // namespace

StoredFile::StoredFile(const std::string& path) : plain_(!path.ends_with(".gz") && !path.ends_with(".zst")), decoder_(make_decoder(path)) {}

std::int64_t stored_bytes(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw_errno(path, "cannot be read");
  if (S_ISDIR(status.st_mode)) throw Error(Code::kIo, path + " is a folder, expected a file");
  return status.st_size;
}

}  // namespace flowrun::readers
