#pragma once

// WARC files are compressed record by record: a gzip member or a zstd frame each. Here a member is looked at, measured or decoded by itself.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace flowrun::readers {

/// Text of a member, in memory that is kept from one to the next.
class MemberText {
 public:
  std::string_view view() const noexcept { return {bytes_.get(), size_}; }
  char* reserve(std::size_t size) {
    if (size > capacity_) bytes_.reset(new char[capacity_ = size]);
    return bytes_.get();
  }
  std::size_t capacity() const noexcept { return capacity_; }
  void resize(std::size_t size) noexcept { size_ = size; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0, size_ = 0;
};

/// What compresses the members of a file. Threads: one call at a time.
class MemberFormat {
 public:
  virtual ~MemberFormat() = default;
  virtual const char* name() const noexcept = 0;         ///< "gzip"
  virtual const char* damage_code() const noexcept = 0;  ///< "damaged_gzip"

  /// Returns where in `bytes`, at or after `from`, a member may begin; npos where none does. May be wrong: `peek` tells.
  virtual std::size_t find(std::string_view bytes, std::size_t from) const noexcept = 0;
  /// Returns how many bytes at the start of `bytes` stand between members: padding, and frames without text. 0: none.
  virtual std::size_t padding(std::string_view bytes) = 0;
  /// Returns the size as stored of the member at the start of `bytes`; 0 where more bytes are needed to tell. May be wrong.
  virtual std::size_t stored_size(std::string_view bytes) const noexcept = 0;
  /// Returns up to kPeekBytes of the text of the member at the start of `bytes`; less where it is damaged or `bytes` are not all of it. Valid until the next call.
  virtual std::string_view peek(std::string_view bytes) = 0;
  /// Returns whether a member is whole and says of itself that its text has `size` bytes. It is known by what it begins and ends with, kEndBytes at least; that may not be enough.
  virtual bool says_text_size(std::string_view first, std::string_view last, std::int64_t size) const noexcept = 0;
  /// Decodes the member at the start of `bytes`, about `stored` bytes, with its checksum. Returns the size as stored; 0 where it is damaged, cut, or has more than `limit` bytes of text.
  virtual std::size_t decode(std::string_view bytes, std::size_t stored, std::size_t limit, MemberText& text) = 0;

  /// What a piece of work came to.
  struct Progress {
    std::size_t read = 0, written = 0;
    bool ended = false;           ///< the member, whose checksum holds
    const char* fault = nullptr;  ///< why it is damaged
  };
  /// Begins a member that is decoded piece by piece; `peek` and `decode` may be called in between.
  virtual void begin() = 0;
  /// Decodes on from `bytes`, as far as they go or fill `out`.
  virtual Progress decode_on(std::string_view bytes, char* out, std::size_t size) = 0;

  static constexpr std::size_t kPeekBytes = 16 << 10, kEndBytes = 64;
};

std::unique_ptr<MemberFormat> gzip_members();
std::unique_ptr<MemberFormat> zstd_members();

}  // namespace flowrun::readers
