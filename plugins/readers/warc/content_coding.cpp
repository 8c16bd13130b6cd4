#include "content_coding.hpp"

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <new>

#include "readers/common/warc/header_fields.hpp"

namespace flowrun::readers {
namespace {

constexpr std::size_t kFirstBytes = 64 << 10;

/// Grows `out` for what a decoder writes next: doubled, up to a byte more than the limit.
std::size_t grow(std::string& out, std::size_t used, std::size_t limit) {
  if (used == out.size()) out.resize(std::min(limit + 1, std::max(kFirstBytes, 2 * out.size())));
  return out.size() - used;
}

/// Runs a decoder to its end. `step(in, in_size, out, out_size)` moves what it has read and written off its arguments and says what it came to.
enum class Stepped { kMore, kEnded, kBad };

template <class Step>
BodyResult decode_all(std::string_view body, std::size_t limit, std::string& out, const Step& step) {
  out.clear();
  std::size_t used = 0;
  while (true) {
    const std::size_t room = grow(out, used, limit);
    char* target = out.data() + used;
    std::size_t left = room;
    const std::size_t before = body.size();
    const Stepped stepped = step(body, target, left);
    used += room - left;
    if (used > limit) return BodyResult::kTooLarge;
    const bool stuck = body.size() == before && left == room;
    if (stepped == Stepped::kMore && !stuck) continue;
    out.resize(used);
    if (stepped == Stepped::kEnded) return BodyResult::kWhole;
    return stepped == Stepped::kBad ? BodyResult::kDamaged : BodyResult::kCut;
  }
}

constexpr int kGzip = MAX_WBITS + 16, kZlib = MAX_WBITS, kRawDeflate = -MAX_WBITS;

BodyResult inflate_body(std::string_view body, int window_bits, std::size_t limit, std::string& out) {
  z_stream stream{};
  if (inflateInit2(&stream, window_bits) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> ends(&stream, inflateEnd);
  return decode_all(body, limit, out, [&](std::string_view& in, char*& target, std::size_t& left) {
    const std::size_t given = std::min<std::size_t>(in.size(), 1u << 30), room = std::min<std::size_t>(left, 1u << 30);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream.avail_in = static_cast<uInt>(given);
    stream.next_out = reinterpret_cast<Bytef*>(target);
    stream.avail_out = static_cast<uInt>(room);
    const int result = inflate(&stream, Z_NO_FLUSH);
    in.remove_prefix(given - stream.avail_in);
    left -= room - stream.avail_out;
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    return result == Z_STREAM_END ? Stepped::kEnded : result == Z_OK || result == Z_BUF_ERROR ? Stepped::kMore : Stepped::kBad;
  });
}

BodyResult unbrotli_body(std::string_view body, std::size_t limit, std::string& out) {
  const std::unique_ptr<BrotliDecoderState, decltype(&BrotliDecoderDestroyInstance)> state(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr), BrotliDecoderDestroyInstance);
  if (!state) throw std::bad_alloc();
  return decode_all(body, limit, out, [&](std::string_view& in, char*& target, std::size_t& left) {
    std::size_t in_left = in.size();
    auto* next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    auto* next_out = reinterpret_cast<std::uint8_t*>(target);
    const BrotliDecoderResult result = BrotliDecoderDecompressStream(state.get(), &in_left, &next_in, &left, &next_out, nullptr);
    in.remove_prefix(in.size() - in_left);
    return result == BROTLI_DECODER_RESULT_SUCCESS ? Stepped::kEnded : result == BROTLI_DECODER_RESULT_ERROR ? Stepped::kBad : Stepped::kMore;
  });
}

BodyResult unzstd_body(std::string_view body, std::size_t limit, std::string& out) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  if (!context) throw std::bad_alloc();
  return decode_all(body, limit, out, [&](std::string_view& in, char*& target, std::size_t& left) {
    ZSTD_inBuffer source{in.data(), in.size(), 0};
    ZSTD_outBuffer to{target, left, 0};
    const std::size_t result = ZSTD_decompressStream(context.get(), &to, &source);
    in.remove_prefix(source.pos);
    left -= to.pos;
    return ZSTD_isError(result) ? Stepped::kBad : result == 0 ? Stepped::kEnded : Stepped::kMore;
  });
}

/// Without a magic, whether a body has the coding shows when it is decoded.
BodyResult unless_empty(BodyResult result, const std::string& out) { return result == BodyResult::kDamaged && out.empty() ? BodyResult::kNotEncoded : result; }

}  // namespace

BodyResult join_chunks(std::string_view body, std::string& out) {
  out.clear();
  for (bool first = true;; first = false) {
    const std::size_t line_end = body.find('\n');
    const std::string_view line = trimmed(body.substr(0, std::min(line_end, body.find(';'))));  // extensions are left out
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
    const bool bad = error != std::errc() || end != line.data() + line.size();
    if (line_end == std::string_view::npos || bad) return first ? BodyResult::kNotEncoded : body.empty() ? BodyResult::kCut : BodyResult::kDamaged;
    body.remove_prefix(line_end + 1);
    if (size == 0) return BodyResult::kWhole;
    out.append(body, 0, size);
    if (size > body.size()) return BodyResult::kCut;
    body.remove_prefix(size);
    if (body.starts_with("\r\n")) body.remove_prefix(2);
    else if (body.starts_with('\n')) body.remove_prefix(1);
    else return body.empty() || body == "\r" ? BodyResult::kCut : BodyResult::kDamaged;
  }
}

BodyResult decompress_body(std::string_view coding, std::string_view body, std::size_t limit, std::string& out) {
  if (body.empty()) return BodyResult::kNotEncoded;
  if (same_name(coding, "gzip") || same_name(coding, "x-gzip")) return body.starts_with("\x1F\x8B") ? inflate_body(body, kGzip, limit, out) : BodyResult::kNotEncoded;
  if (same_name(coding, "zstd")) return body.starts_with("\x28\xB5\x2F\xFD") ? unzstd_body(body, limit, out) : BodyResult::kNotEncoded;
  if (same_name(coding, "br")) return unless_empty(unbrotli_body(body, limit, out), out);
  if (!same_name(coding, "deflate")) return BodyResult::kNotEncoded;
  const BodyResult result = inflate_body(body, kZlib, limit, out);
  if (result != BodyResult::kDamaged || !out.empty()) return result;
  return unless_empty(inflate_body(body, kRawDeflate, limit, out), out);
}

}  // namespace flowrun::readers
