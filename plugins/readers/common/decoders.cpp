#include "readers/common/decoders.hpp"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace flowrun::readers {
namespace {

/// zstd's own limit of a window, and the limit that is set for xz: `xz -9` and `zstd --ultra -22` need up to that, `--long=31` more.
constexpr std::uint64_t kMaxWindowBytes = 128 << 20;

/// avail_in and avail_out of zlib and bzip2 have 32 bits.
constexpr std::size_t kMaxStepBytes = 1u << 30;

Damage damage_at(const StoredBytes& in, const char* code, std::string message, Code status = Code::kCorruptData) {
  return {status, code, std::move(message) + ", at byte " + std::to_string(in.offset()) + " of the stored file", in.offset(), in.bytes_left()};
}

Damage early_end(const StoredBytes& in, const char* code, const char* inside) {
  return {Code::kCorruptData, code, "the file ends early, after " + std::to_string(in.offset()) + " bytes, inside " + inside, in.offset(), -1};
}

class PlainDecoder : public Decoder {
 public:
  explicit PlainDecoder(StoredBytes in) : in_(std::move(in)) {}
  std::size_t read(char* out, std::size_t size) override { return in_.read(out, size); }

 private:
  StoredBytes in_;
};

/// RFC 1952. Zero bytes behind a member are padding, as gzip itself takes them.
class GzipDecoder : public Decoder {
 public:
  explicit GzipDecoder(StoredBytes in) : in_(std::move(in)) {
    constexpr int kGzipAlone = 16;  // added to the window bits: no zlib header, no raw deflate
    if (inflateInit2(&stream_, MAX_WBITS + kGzipAlone) != Z_OK) throw std::bad_alloc();
  }
  ~GzipDecoder() override { inflateEnd(&stream_); }

  std::size_t read(char* out, std::size_t size) override {
    const std::size_t limit = std::min(size, kMaxStepBytes);
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(limit);
    while (stream_.avail_out > 0 && !damage) {
      if (!inside_ && !skip_padding()) break;
      const std::string_view bytes = in_.peek();
      if (bytes.empty()) {
        damage = early_end(in_, "damaged_gzip", "a gzip member");
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
  explicit ZstdDecoder(StoredBytes in) : in_(std::move(in)), stream_(ZSTD_createDStream(), ZSTD_freeDStream) {
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
      if (bytes.empty() && inside_ && !was_holding && target.pos == before) damage = early_end(in_, "damaged_zstd", "a zstd frame");
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

/// The .xz file format 1.1: any number of streams, with stream padding. Text comes out as it is decoded, before the check of its block.
class XzDecoder : public Decoder {
 public:
  explicit XzDecoder(StoredBytes in) : in_(std::move(in)) {
    constexpr std::uint64_t kBesideWindow = 1 << 20;  // liblzma counts its own state too
    constexpr std::uint32_t kFlags = LZMA_CONCATENATED | LZMA_TELL_UNSUPPORTED_CHECK;
    if (lzma_stream_decoder(&stream_, kMaxWindowBytes + kBesideWindow, kFlags) != LZMA_OK) throw std::bad_alloc();
    ended_ = in_.peek().empty();  // an empty file is an empty text, though no stream
  }
  ~XzDecoder() override { lzma_end(&stream_); }

  std::size_t read(char* out, std::size_t size) override {
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out);
    stream_.avail_out = size;
    while (stream_.avail_out > 0 && !damage && !ended_) step(in_.peek());
    return size - stream_.avail_out;
  }

 private:
  void step(std::string_view bytes) {
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(bytes.data());
    stream_.avail_in = bytes.size();
    const lzma_ret result = lzma_code(&stream_, bytes.empty() ? LZMA_FINISH : LZMA_RUN);
    in_.skip(bytes.size() - stream_.avail_in);
    if (result == LZMA_STREAM_END) {
      ended_ = true;
    } else if (result != LZMA_OK) {
      note(result);
    }
  }
  void note(lzma_ret result) {
    switch (result) {
      case LZMA_MEM_ERROR: throw std::bad_alloc();
      case LZMA_BUF_ERROR: damage = early_end(in_, "damaged_xz", "an xz stream"); break;
      case LZMA_FORMAT_ERROR: damage = damage_at(in_, "damaged_xz", "the xz data is damaged (no stream begins here)"); break;
      case LZMA_MEMLIMIT_ERROR:
        damage = damage_at(in_, "unsupported_xz", "the xz data needs " + std::to_string((lzma_memusage(&stream_) >> 20) + 1) + " MiB to be decoded, expected a dictionary of at most 128 MiB",
                           Code::kUnsupported);
        break;
      case LZMA_OPTIONS_ERROR: damage = damage_at(in_, "unsupported_xz", "the xz data uses a filter or an option that liblzma does not know", Code::kUnsupported); break;
      case LZMA_UNSUPPORTED_CHECK: damage = damage_at(in_, "unsupported_xz", "the xz data has a check that liblzma does not know", Code::kUnsupported); break;
      default: damage = damage_at(in_, "damaged_xz", "the xz data is damaged"); break;
    }
  }

  StoredBytes in_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool ended_ = false;
};

/// bzip2 1.0: any number of streams. Text comes out as it is decoded, before the check of its block.
class Bzip2Decoder : public Decoder {
 public:
  explicit Bzip2Decoder(StoredBytes in) : in_(std::move(in)) { start(); }
  ~Bzip2Decoder() override { BZ2_bzDecompressEnd(&stream_); }

  std::size_t read(char* out, std::size_t size) override {
    const std::size_t limit = std::min(size, kMaxStepBytes);
    stream_.next_out = out;
    stream_.avail_out = static_cast<unsigned>(limit);
    while (stream_.avail_out > 0 && !damage) {
      const std::string_view bytes = in_.peek();
      if (bytes.empty() && !inside_) break;
      if (!step(bytes) && bytes.empty()) damage = early_end(in_, "damaged_bzip2", "a bzip2 stream");
    }
    return limit - stream_.avail_out;
  }

 private:
  void start() {
    stream_ = {};
    if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) throw std::bad_alloc();
  }
  /// Returns whether any text came out or the stream ended. With no bytes to read, text of a block that has been read may still come.
  bool step(std::string_view bytes) {
    const unsigned room = stream_.avail_out;
    stream_.next_in = const_cast<char*>(bytes.data());
    stream_.avail_in = static_cast<unsigned>(bytes.size());
    inside_ = true;
    const int result = BZ2_bzDecompress(&stream_);
    in_.skip(bytes.size() - stream_.avail_in);
    if (result == BZ_STREAM_END) {
      restart();
      return true;
    }
    if (result == BZ_MEM_ERROR) throw std::bad_alloc();
    if (result != BZ_OK) {
      damage = damage_at(in_, "damaged_bzip2", result == BZ_DATA_ERROR_MAGIC ? "the bzip2 data is damaged (no stream begins here)" : "the bzip2 data is damaged");
      return true;
    }
    return stream_.avail_out < room;
  }
  void restart() {
    char* const next_out = stream_.next_out;
    const unsigned avail_out = stream_.avail_out;
    BZ2_bzDecompressEnd(&stream_);
    start();
    stream_.next_out = next_out;
    stream_.avail_out = avail_out;
    inside_ = false;
  }

  StoredBytes in_;
  bz_stream stream_{};
  bool inside_ = false;  ///< of a stream
};

/// The LZ4 frame format 1.6: any number of frames, skippable ones too; not the legacy format. Its blocks are 4 MiB at most. As with zstd, the
/// decoder is given one block at a time, so that a damaged block loses itself alone.
class Lz4Decoder : public Decoder {
 public:
  explicit Lz4Decoder(StoredBytes in) : in_(std::move(in)) {
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context_, LZ4F_VERSION))) throw std::bad_alloc();
  }
  ~Lz4Decoder() override { LZ4F_freeDecompressionContext(context_); }

  std::size_t read(char* out, std::size_t size) override {
    std::size_t written = 0;
    while (written < size && !damage) {
      const std::string_view bytes = holding_ ? std::string_view() : in_.peek();
      if (bytes.empty() && !holding_) {
        if (inside_) damage = early_end(in_, "damaged_lz4", "an lz4 frame");
        break;
      }
      written += step(bytes, out + written, size - written);
    }
    return written;
  }

 private:
  /// Decodes some of `bytes` (none: what the decoder still holds) and returns how many bytes came out.
  std::size_t step(std::string_view bytes, char* out, std::size_t size) {
    constexpr std::size_t kBlockHeaderBytes = 4;  // of the next block; asked for together with a block
    const std::size_t block = wanted_ > kBlockHeaderBytes ? wanted_ - kBlockHeaderBytes : kBlockHeaderBytes;
    std::size_t taken = std::min(bytes.size(), block), written = size;
    const std::size_t result = LZ4F_decompress(context_, out, &written, bytes.data(), &taken, nullptr);
    if (LZ4F_isError(result)) {
      damage = damage_at(in_, "damaged_lz4", std::string("the lz4 data is damaged (") + LZ4F_getErrorName(result) + ")");
      return 0;
    }
    in_.skip(taken);
    wanted_ = result;
    inside_ = result != 0;
    holding_ = inside_ && written == size;
    return written;
  }

  StoredBytes in_;
  LZ4F_dctx* context_ = nullptr;
  std::size_t wanted_ = 0;
  bool inside_ = false;   ///< of a frame
  bool holding_ = false;  ///< the last call filled its target, so there may be more to come
};

/// The start of a file in each format. bzip2's goes on with its first block: the binary digits of pi, or of its square root where it is empty.
bool is_bzip2(std::string_view bytes) noexcept {
  if (bytes.size() < 10 || !bytes.starts_with("BZh") || bytes[3] < '1' || bytes[3] > '9') return false;
  const std::string_view block = bytes.substr(4, 6);
  return block == "\x31\x41\x59\x26\x53\x59" || block == "\x17\x72\x45\x38\x50\x90";
}

}  // namespace

StoredFormat find_format(std::string_view first_bytes, std::string_view name) noexcept {
  using std::string_view_literals::operator""sv;
  if (first_bytes.starts_with("\x1F\x8B\x08")) return StoredFormat::kGzip;
  if (first_bytes.starts_with("\x28\xB5\x2F\xFD")) return StoredFormat::kZstd;
  if (first_bytes.starts_with("\xFD" "7zXZ\0"sv)) return StoredFormat::kXz;
  if (first_bytes.starts_with("\x04\x22\x4D\x18")) return StoredFormat::kLz4;
  if (is_bzip2(first_bytes)) return StoredFormat::kBzip2;
  if (name.ends_with(".gz")) return StoredFormat::kGzip;
  if (name.ends_with(".zst")) return StoredFormat::kZstd;
  if (name.ends_with(".xz")) return StoredFormat::kXz;
  if (name.ends_with(".bz2")) return StoredFormat::kBzip2;
  if (name.ends_with(".lz4")) return StoredFormat::kLz4;
  return StoredFormat::kPlain;
}

std::unique_ptr<Decoder> make_decoder(StoredFormat format, StoredBytes in) {
  switch (format) {
    case StoredFormat::kGzip: return std::make_unique<GzipDecoder>(std::move(in));
    case StoredFormat::kZstd: return std::make_unique<ZstdDecoder>(std::move(in));
    case StoredFormat::kXz: return std::make_unique<XzDecoder>(std::move(in));
    case StoredFormat::kBzip2: return std::make_unique<Bzip2Decoder>(std::move(in));
    case StoredFormat::kLz4: return std::make_unique<Lz4Decoder>(std::move(in));
    case StoredFormat::kPlain: break;
  }
  return std::make_unique<PlainDecoder>(std::move(in));
}

}  // namespace flowrun::readers
