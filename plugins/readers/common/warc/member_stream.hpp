#pragma once

#include <flowrun/node.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

#include "readers/common/decoders.hpp"
#include "readers/common/stored_file.hpp"
#include "readers/common/warc/members.hpp"
#include "readers/common/window.hpp"

namespace flowrun::readers {

/// The bytes of a file as they are stored, from `begin` on.
class StoredWindow {
 public:
  StoredWindow(const Call& call, const std::string& path, std::int64_t begin);
  Window& window() noexcept { return window_; }
  /// Returns the offset in the file of what the window shows.
  std::int64_t offset() const noexcept { return begin_ + window_.position(); }

 private:
  std::int64_t begin_;
  StoredFile file_;
  Window window_;
};

/// Returns whether a member that begins `at` bytes into `stored` holds the beginning of a WARC record, or the file ends there.
bool begins_record(const Call& call, Window& stored, MemberFormat& format, std::size_t at);

/// Decodes members piece by piece, up to the first one that begins with a record, but for the first; so a record may span members.
class MemberStream : public Decoder {
 public:
  /// Begins at byte `begin` of the file. `call` points to that of the call in which text is asked for; `format` lives as long.
  MemberStream(const Call* const& call, const std::string& path, std::int64_t begin, MemberFormat& format) : call_(&call), stored_(*call, path, begin), format_(&format) {}
  std::size_t read(char* out, std::size_t size) override;
  /// Returns where the next record's member begins, once the text has ended without damage.
  std::int64_t end() const noexcept { return stored_.offset(); }

 private:
  bool begin_member();
  void note(const std::string& message);

  const Call* const* call_;
  StoredWindow stored_;
  MemberFormat* format_;
  bool inside_ = false, any_member_ = false, ended_ = false;
};

}  // namespace flowrun::readers
