#include "writers/common/output_file.hpp"

#include <flowrun/error.hpp>

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace flowrun::writers {
namespace {

// The defaults of both command lines: a better ratio costs several times as long.
constexpr int kGzipLevel = 6;
constexpr int kZstdLevel = 3;

class GzipEncoder : public Encoder {
 public:
  GzipEncoder() {
    constexpr int kGzipHeader = 16;  // added to the window bits; zlib then writes no name and no time
    if (deflateInit2(&stream_, kGzipLevel, Z_DEFLATED, MAX_WBITS + kGzipHeader, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
  }
  GzipEncoder(const GzipEncoder&) = delete;
  GzipEncoder& operator=(const GzipEncoder&) = delete;
  ~GzipEncoder() override { deflateEnd(&stream_); }

  void encode(std::string_view chunk, bool is_last, std::string& out) override {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(chunk.data()));  // zlib's type is not const, but it does not write there
    stream_.avail_in = static_cast<uInt>(chunk.size());
    do {
      char buffer[64 << 10];
      stream_.next_out = reinterpret_cast<Bytef*>(buffer);
      stream_.avail_out = sizeof buffer;
      deflate(&stream_, is_last ? Z_FINISH : Z_NO_FLUSH);  // fails only where it is called wrongly
      out.append(buffer, sizeof buffer - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

 private:
  z_stream stream_{};
};

class ZstdEncoder : public Encoder {
 public:
  ZstdEncoder() : context_(ZSTD_createCCtx()) {
    if (!context_) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kZstdLevel);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  }

  void encode(std::string_view chunk, bool is_last, std::string& out) override {
    ZSTD_inBuffer in{chunk.data(), chunk.size(), 0};
    std::size_t left = 0;
    do {
      char buffer[128 << 10];
      ZSTD_outBuffer to{buffer, sizeof buffer, 0};
      left = ZSTD_compressStream2(context_.get(), &to, &in, is_last ? ZSTD_e_end : ZSTD_e_continue);
      if (ZSTD_isError(left)) throw Error(Code::kInternal, std::string("zstd: ") + ZSTD_getErrorName(left));
      out.append(buffer, to.pos);
    } while (is_last ? left != 0 : in.pos < in.size);
  }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context_;
};

std::unique_ptr<Encoder> encoder_of(const std::string& path) {
  if (path.ends_with(".gz")) return std::make_unique<GzipEncoder>();
  if (path.ends_with(".zst")) return std::make_unique<ZstdEncoder>();
  return nullptr;
}

}  // namespace

OutputFile::OutputFile(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "wbe")), encoder_(encoder_of(path)) {
  if (!file_) fail("created");
}

void OutputFile::write(std::string_view text) {
  while (!text.empty()) {
    const std::size_t taken = std::min(text.size(), kChunkBytes - chunk_.size());
    chunk_.append(text, 0, taken);
    text.remove_prefix(taken);
    if (chunk_.size() < kChunkBytes) return;
    store(chunk_, false);
    chunk_.clear();
  }
}

void OutputFile::finish() {
  store(chunk_, true);
  if (std::fclose(file_.release()) != 0) fail("written");
}

void OutputFile::store(std::string_view chunk, bool is_last) {
  encoded_.clear();
  if (encoder_) {
    encoder_->encode(chunk, is_last, encoded_);
    chunk = encoded_;
  }
  if (std::fwrite(chunk.data(), 1, chunk.size(), file_.get()) != chunk.size()) fail("written");
}

void OutputFile::fail(const char* action) const { throw Error(Code::kIo, path_ + ": cannot be " + action + ": " + std::strerror(errno)); }

}  // namespace flowrun::writers
