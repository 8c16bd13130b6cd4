// libdeflate decodes whole members, faster than zlib, which looks at the beginning of one, and decodes piece by piece what is not to be held.

#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "readers/common/warc/members.hpp"

namespace flowrun::readers {
namespace {

constexpr std::size_t kHeaderBytes = 10, kTrailerBytes = 8;
constexpr std::size_t kMaxStepBytes = 1u << 30;  // zlib counts in 32 bits
constexpr std::size_t kMaxRatio = 1032;  // of deflate

class GzipMembers : public MemberFormat {
 public:
  GzipMembers() : decompressor_(libdeflate_alloc_decompressor(), libdeflate_free_decompressor) {
    constexpr int kGzipAlone = 16;  // added to the window bits: no zlib header, no raw deflate
    if (!decompressor_) throw std::bad_alloc();
    for (z_stream* stream : {&peeking_, &running_})
      if (inflateInit2(stream, MAX_WBITS + kGzipAlone) != Z_OK) throw std::bad_alloc();
  }
  GzipMembers(const GzipMembers&) = delete;
  GzipMembers& operator=(const GzipMembers&) = delete;
  ~GzipMembers() override {
    inflateEnd(&peeking_);
    inflateEnd(&running_);
  }

  const char* name() const noexcept override { return "gzip"; }
  const char* damage_code() const noexcept override { return "damaged_gzip"; }

  /// RFC 1952: the magic, deflate, and flags of which the upper three are 0.
  std::size_t find(std::string_view bytes, std::size_t from) const noexcept override {
    for (std::size_t at = bytes.find("\x1F\x8B\x08", from); at != std::string_view::npos; at = bytes.find("\x1F\x8B\x08", at + 1))
      if (at + 3 < bytes.size() && (bytes[at + 3] & 0xE0) == 0) return at;
    return std::string_view::npos;
  }

  std::size_t padding(std::string_view bytes) override { return std::min(bytes.find_first_not_of('\0'), bytes.size()); }

  /// A member does not say how long it is: the next one's beginning does.
  std::size_t stored_size(std::string_view bytes) const noexcept override {
    const std::size_t next = find(bytes, kHeaderBytes + kTrailerBytes);
    return next == std::string_view::npos ? 0 : next;
  }

  std::string_view peek(std::string_view bytes) override {
    inflateReset(&peeking_);
    run(peeking_, bytes.data(), static_cast<uInt>(std::min<std::size_t>(bytes.size(), kMaxStepBytes)), peeked_, sizeof peeked_, Z_SYNC_FLUSH);
    return {peeked_, sizeof peeked_ - peeking_.avail_out};
  }

  bool says_text_size(std::string_view, std::string_view last, std::int64_t size) const noexcept override {
    return last.size() >= kHeaderBytes + kTrailerBytes && size_field(last) == static_cast<std::uint32_t>(size);
  }

  std::size_t decode(std::string_view bytes, std::size_t stored, std::size_t limit, MemberText& text) override {
    if (stored < kHeaderBytes + kTrailerBytes) return 0;
    const std::size_t said = size_field(bytes.substr(0, stored));
    if (said > limit || said / kMaxRatio > stored) return 0;
    std::size_t used = 0, written = 0;
    char* const out = text.reserve(std::max<std::size_t>(said, 1));
    const libdeflate_result result = libdeflate_gzip_decompress_ex(decompressor_.get(), bytes.data(), bytes.size(), out, said, &used, &written);
    text.resize(result == LIBDEFLATE_SUCCESS ? written : 0);
    return result == LIBDEFLATE_SUCCESS ? used : 0;
  }

  void begin() override { inflateReset(&running_); }

  Progress decode_on(std::string_view bytes, char* out, std::size_t size) override {
    const auto given = static_cast<uInt>(std::min<std::size_t>(bytes.size(), kMaxStepBytes)), room = static_cast<uInt>(std::min<std::size_t>(size, kMaxStepBytes));
    const int result = run(running_, bytes.data(), given, out, room, Z_NO_FLUSH);
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    const bool bad = result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END;
    return {given - running_.avail_in, room - running_.avail_out, result == Z_STREAM_END, !bad ? nullptr : running_.msg != nullptr ? running_.msg : "no valid stream"};
  }

 private:
  static int run(z_stream& stream, const char* in, uInt given, char* out, uInt room, int flush) noexcept {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in));
    stream.avail_in = given;
    stream.next_out = reinterpret_cast<Bytef*>(out);
    stream.avail_out = room;
    return inflate(&stream, flush);
  }
  /// ISIZE: the size of the text, modulo 2^32, in the last four bytes.
  static std::uint32_t size_field(std::string_view member) noexcept {
    std::uint32_t value = 0;
    std::memcpy(&value, member.data() + member.size() - sizeof value, sizeof value);
    return value;  // little endian, as the machines that flowrun runs on
  }

  std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> decompressor_;
  z_stream peeking_{}, running_{};
  char peeked_[kPeekBytes];
};

}  // namespace

std::unique_ptr<MemberFormat> gzip_members() { return std::make_unique<GzipMembers>(); }

}  // namespace flowrun::readers
