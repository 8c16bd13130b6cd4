#include "base/zstd_stream.hpp"

#include <algorithm>
#include <cstdio>
#include <vector>

#include <fmt/format.h>
#include <zstd.h>

#include <flowrun/error.hpp>

namespace flowrun {
namespace {

std::size_t checked(std::size_t result, Code code, const char* doing) {
  if (ZSTD_isError(result)) throw Error(code, fmt::format("zstd cannot {}: {}", doing, ZSTD_getErrorName(result)));
  return result;
}

}  // namespace

struct ZstdWriter::Impl {
  std::function<void(const void*, std::size_t)> sink;
  ZSTD_CCtx* context = ZSTD_createCCtx();
  std::vector<char> buffer = std::vector<char>(ZSTD_CStreamOutSize());

  void run(std::string_view text, ZSTD_EndDirective mode) {
    ZSTD_inBuffer in{text.data(), text.size(), 0};
    for (;;) {
      ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
      const std::size_t left = checked(ZSTD_compressStream2(context, &out, &in, mode), Code::kInternal, "compress");
      if (out.pos != 0) sink(buffer.data(), out.pos);
      if (mode == ZSTD_e_end ? left == 0 : in.pos == in.size) return;
    }
  }
};

ZstdWriter::ZstdWriter(std::function<void(const void*, std::size_t)> sink, int level) : impl_(std::make_unique<Impl>()) {
  if (impl_->context == nullptr) throw Error(Code::kOutOfMemory, "no memory for a zstd context");
  impl_->sink = std::move(sink);
  checked(ZSTD_CCtx_setParameter(impl_->context, ZSTD_c_compressionLevel, level), Code::kInternal, "set the level");
  checked(ZSTD_CCtx_setParameter(impl_->context, ZSTD_c_checksumFlag, 1), Code::kInternal, "set the checksum");
}

ZstdWriter::~ZstdWriter() { ZSTD_freeCCtx(impl_->context); }

void ZstdWriter::write(std::string_view text) { impl_->run(text, ZSTD_e_continue); }

void ZstdWriter::finish() { impl_->run({}, ZSTD_e_end); }

std::string zstd_compress(std::string_view text, int level) {
  std::string frame;
  ZstdWriter writer([&](const void* data, std::size_t bytes) { frame.append(static_cast<const char*>(data), bytes); }, level);
  writer.write(text);
  writer.finish();
  return frame;
}

std::string zstd_decompress(std::string_view frame, std::size_t limit) {
  const std::size_t frame_bytes = ZSTD_findFrameCompressedSize(frame.data(), frame.size());
  if (ZSTD_isError(frame_bytes)) throw Error(Code::kCorruptData, fmt::format("a zstd frame is damaged or cut: {}", ZSTD_getErrorName(frame_bytes)));
  if (frame_bytes != frame.size()) throw Error(Code::kCorruptData, "bytes follow the end of a zstd frame");
  // In one call: a stream would be decoded into a window first and copied out of it. A block of a frame takes 3 bytes at least and gives 128 KiB at most, so
  // that a wrong limit asks for no more memory than the frame could fill.
  std::string text(std::min(limit, (frame.size() / 3 + 1) * ZSTD_BLOCKSIZE_MAX), '\0');
  const std::size_t bytes = ZSTD_decompress(text.data(), text.size(), frame.data(), frame.size());
  if (ZSTD_isError(bytes)) throw Error(Code::kCorruptData, fmt::format("a zstd frame of up to {} bytes is damaged: {}", limit, ZSTD_getErrorName(bytes)));
  text.resize(bytes);
  return text;
}

void zstd_read_file(const std::string& path, const std::function<void(std::string_view)>& piece) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (!file) throw Error(Code::kNotFound, fmt::format("cannot open '{}'", path));
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  std::vector<char> input(ZSTD_DStreamInSize()), output(ZSTD_DStreamOutSize());
  std::uint64_t offset = 0;
  std::size_t left = 0;
  while (const std::size_t got = std::fread(input.data(), 1, input.size(), file.get())) {
    ZSTD_inBuffer in{input.data(), got, 0};
    bool flushing = true;
    while (in.pos < in.size || flushing) {
      ZSTD_outBuffer out{output.data(), output.size(), 0};
      left = ZSTD_decompressStream(context.get(), &out, &in);
      if (ZSTD_isError(left))
        throw Error(Code::kCorruptData, fmt::format("'{}' is damaged near byte {}: {}", path, offset + in.pos, ZSTD_getErrorName(left)));
      if (out.pos != 0) piece({output.data(), out.pos});
      flushing = out.pos == out.size;
    }
    offset += got;
  }
  if (std::ferror(file.get())) throw Error(Code::kIo, fmt::format("cannot read '{}'", path));
  if (left != 0) throw Error(Code::kCorruptData, fmt::format("'{}' ends inside a zstd frame at byte {}", path, offset));
}

}  // namespace flowrun
