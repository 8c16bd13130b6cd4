// Frames of zstd, as https://iipc.github.io/warc-specifications/specifications/warc-zstd/ has them: a file may begin with a skippable frame that holds the dictionary of all others.

#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <string>

#include "readers/common/warc/members.hpp"

namespace flowrun::readers {
namespace {

constexpr std::string_view kMagic = "\x28\xB5\x2F\xFD";
constexpr std::uint32_t kSkippableMagic = 0x184D2A50, kSkippableMask = 0xFFFFFFF0, kDictionaryMagic = 0x184D2A5D;
constexpr std::size_t kSkippableHeaderBytes = 8;
constexpr std::size_t kMaxDictionaryBytes = 64 << 20;
constexpr int kMaxWindowLog = 27;  // zstd's own limit, as in decoders.cpp

std::uint32_t read_u32(std::string_view bytes, std::size_t at) noexcept {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

class ZstdMembers : public MemberFormat {
 public:
  ZstdMembers() : context_(ZSTD_createDCtx(), ZSTD_freeDCtx), running_(ZSTD_createDCtx(), ZSTD_freeDCtx) {
    if (!context_ || !running_) throw std::bad_alloc();
    for (ZSTD_DCtx* context : {context_.get(), running_.get()}) ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, kMaxWindowLog);
  }

  const char* name() const noexcept override { return "zstd"; }
  const char* damage_code() const noexcept override { return "damaged_zstd"; }

  std::size_t find(std::string_view bytes, std::size_t from) const noexcept override { return bytes.find(kMagic, from); }

  /// Takes the dictionary out of the frame that holds it.
  std::size_t padding(std::string_view bytes) override {
    if (bytes.size() < kSkippableHeaderBytes || (read_u32(bytes, 0) & kSkippableMask) != kSkippableMagic) return 0;
    const std::size_t size = kSkippableHeaderBytes + read_u32(bytes, 4);
    if (read_u32(bytes, 0) == kDictionaryMagic && size <= bytes.size()) load_dictionary(bytes.substr(kSkippableHeaderBytes, size - kSkippableHeaderBytes));
    return size;
  }

  std::size_t stored_size(std::string_view bytes) const noexcept override {
    const std::size_t size = ZSTD_findFrameCompressedSize(bytes.data(), bytes.size());
    return ZSTD_isError(size) ? 0 : size;
  }

  std::string_view peek(std::string_view bytes) override {
    return {peeked_, decode_into(bytes, peeked_, sizeof peeked_, nullptr)};
  }

  /// That a frame is whole shows in its blocks alone.
  bool says_text_size(std::string_view first, std::string_view, std::int64_t size) const noexcept override {
    return stored_size(first) == first.size() && ZSTD_getFrameContentSize(first.data(), first.size()) == static_cast<unsigned long long>(size);
  }

  std::size_t decode(std::string_view bytes, std::size_t stored, std::size_t limit, MemberText& text) override {
    const unsigned long long said = ZSTD_getFrameContentSize(bytes.data(), stored);
    if (said == ZSTD_CONTENTSIZE_ERROR) return 0;
    if (said == ZSTD_CONTENTSIZE_UNKNOWN) return decode_unknown(bytes.substr(0, stored), limit, text);
    if (said > limit) return 0;
    char* const out = text.reserve(std::max<std::size_t>(static_cast<std::size_t>(said), 1));
    const std::size_t written = ZSTD_decompressDCtx(reset(), out, text.capacity(), bytes.data(), stored);
    text.resize(ZSTD_isError(written) ? 0 : written);
    return ZSTD_isError(written) ? 0 : stored;
  }

  void begin() override { ZSTD_DCtx_reset(running_.get(), ZSTD_reset_session_only); }

  Progress decode_on(std::string_view bytes, char* out, std::size_t size) override {
    ZSTD_inBuffer source{bytes.data(), bytes.size(), 0};
    ZSTD_outBuffer target{out, size, 0};
    const std::size_t result = ZSTD_decompressStream(running_.get(), &target, &source);
    return {source.pos, target.pos, result == 0, ZSTD_isError(result) ? ZSTD_getErrorName(result) : nullptr};
  }

 private:
  ZSTD_DCtx* reset() {
    ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only);
    return context_.get();
  }

  /// The dictionary may be a frame of zstd itself. One that cannot be used shows as damage of the frames that need it.
  void load_dictionary(std::string_view stored) {
    dictionary_ = stored;
    if (stored.starts_with(kMagic)) {
      const unsigned long long size = ZSTD_getFrameContentSize(stored.data(), stored.size());
      dictionary_.assign(size <= kMaxDictionaryBytes ? static_cast<std::size_t>(size) : 0, '\0');
      const std::size_t written = ZSTD_decompressDCtx(reset(), dictionary_.data(), dictionary_.size(), stored.data(), stored.size());
      dictionary_.resize(ZSTD_isError(written) ? 0 : written);
    }
    for (ZSTD_DCtx* context : {context_.get(), running_.get()}) ZSTD_DCtx_loadDictionary(context, dictionary_.data(), dictionary_.size());
  }

  /// Decodes into `out` as far as it goes, and says whether the frame has ended.
  std::size_t decode_into(std::string_view bytes, char* out, std::size_t size, bool* ended) {
    reset();
    ZSTD_inBuffer source{bytes.data(), bytes.size(), 0};
    ZSTD_outBuffer target{out, size, 0};
    std::size_t result = 1;
    while (result != 0 && target.pos < size) {
      const std::size_t before = source.pos + target.pos;
      result = ZSTD_decompressStream(context_.get(), &target, &source);
      if (ZSTD_isError(result) || source.pos + target.pos == before) break;
    }
    if (ended != nullptr) *ended = result == 0;
    return target.pos;
  }

  /// Decodes a frame that does not say how long its text is, in a buffer that doubles.
  std::size_t decode_unknown(std::string_view member, std::size_t limit, MemberText& text) {
    for (std::size_t size = std::min(limit, 8 * member.size() + 1024);; size = std::min(limit, 2 * size)) {
      bool ended = false;
      char* const out = text.reserve(size);
      const std::size_t written = decode_into(member, out, size, &ended);
      text.resize(ended ? written : 0);
      if (ended) return member.size();
      if (written < size || size == limit) return 0;
    }
  }

  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context_, running_;
  std::string dictionary_;
  char peeked_[kPeekBytes];
};

}  // namespace

std::unique_ptr<MemberFormat> zstd_members() { return std::make_unique<ZstdMembers>(); }

}  // namespace flowrun::readers
