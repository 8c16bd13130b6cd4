#include "readers/common/tar_reader.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <exception>
#include <new>
#include <utility>

namespace flowrun::readers {
namespace {

constexpr std::size_t kBlock = 512;

}  // namespace

struct TarReader::Impl {
  Impl() : archive(archive_read_new(), archive_read_free) {
    if (!archive) throw std::bad_alloc();
    archive_read_support_format_tar(archive.get());
    archive_read_support_format_empty(archive.get());
    // What stands behind an end mark is read too: two archives one behind the other, and what a zeroed block would hide.
    archive_read_set_format_option(archive.get(), "tar", "read_concatenated_archives", "1");
  }

  /// Gives libarchive the window's bytes; they are consumed when it asks for more. No exception may pass through C.
  static la_ssize_t give(struct archive* archive, void* self_, const void** bytes) {
    auto& self = *static_cast<Impl*>(self_);
    try {
      self.window->consume(std::exchange(self.lent, 0));
      while (self.window->data().empty() && self.window->extend(*self.call)) {
      }
      const std::string_view data = self.window->data();
      *bytes = data.data();
      self.note_end(data);
      return static_cast<la_ssize_t>(self.lent = data.size());
    } catch (...) {
      self.thrown = std::current_exception();
      archive_set_error(archive, ECANCELED, "stopped");
      return ARCHIVE_FATAL;
    }
  }

  /// Counts the zero bytes that the archive ends with as far as it is read: without a block of them it was cut between two files.
  void note_end(std::string_view data) noexcept {
    const std::size_t last = data.find_last_not_of('\0');
    zeros = last == std::string_view::npos ? zeros + data.size() : data.size() - last - 1;
    given += static_cast<std::int64_t>(data.size());
  }

  void rethrow() {
    if (thrown) std::rethrow_exception(std::exchange(thrown, nullptr));
  }
  bool is_cut_below() const noexcept { return window != nullptr && window->file().damage().has_value(); }
  std::int64_t position() const noexcept { return archive_filter_bytes(archive.get(), 0); }
  std::string explain() const {
    const char* text = archive_error_string(archive.get());
    return text ? text : "no reason given";
  }

  bool open() {
    if (window == nullptr || std::exchange(opened, true)) return true;
    const bool good = archive_read_open1(archive.get()) == ARCHIVE_OK;
    rethrow();
    ended = !good;
    return good;
  }

  int next_header() {
    const int result = archive_read_next_header(archive.get(), &entry);
    rethrow();
    return result;
  }

  /// Takes the entry as `member` and returns whether it is a regular file with a name.
  bool take_file() {
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr) name = archive_entry_pathname_utf8(entry);
    if (name == nullptr || archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr) return false;
    std::string_view path = name;
    while (path.starts_with("./")) path.remove_prefix(2);
    member = {std::string(path), archive_entry_size(entry)};
    return pending = true;
  }

  Step end(TarDamage& damage) {
    ended = true;
    if (is_cut_below() || given == 0 || zeros >= kBlock) return Step::kEnd;
    damage = {"the archive ends early, without its end mark, so files may be missing", given, -1};
    return Step::kDamaged;
  }

  std::unique_ptr<struct archive, decltype(&archive_read_free)> archive;
  struct archive_entry* entry = nullptr;
  Window* window = nullptr;
  const Call* call = nullptr;
  std::exception_ptr thrown;
  std::size_t lent = 0;           ///< bytes of the window that libarchive holds
  std::size_t zeros = 0;          ///< at the end of what was given
  std::int64_t given = 0;         ///< bytes given to libarchive
  bool opened = false, ended = false;
  TarMember member;
  bool pending = false;  ///< `member` was found behind a damage and is given next
};

TarReader::TarReader(Window& window) : impl_(std::make_unique<Impl>()) {
  impl_->window = &window;
  archive_read_set_read_callback(impl_->archive.get(), &Impl::give);
  archive_read_set_callback_data(impl_->archive.get(), impl_.get());
}

TarReader::TarReader(std::string_view bytes) : impl_(std::make_unique<Impl>()) {
  impl_->note_end(bytes);
  if (archive_read_open_memory(impl_->archive.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) impl_->ended = true;
}

TarReader::~TarReader() = default;

TarReader::Step TarReader::next(const Call& call, TarMember& member, TarDamage& damage) {
  Impl& impl = *impl_;
  impl.call = &call;
  if (std::exchange(impl.pending, false)) {
    member = std::move(impl.member);
    return Step::kFile;
  }
  if (impl.ended) return Step::kEnd;
  if (!impl.open()) {
    damage = {"the archive cannot be read (" + impl.explain() + ")", 0, -1};
    return impl.is_cut_below() ? Step::kEnd : Step::kDamaged;
  }
  damage = {};
  while (true) {
    call.check_stop();
    const int result = impl.next_header();
    if (result == ARCHIVE_RETRY || result == ARCHIVE_FATAL || result == ARCHIVE_FAILED) {  // RETRY: a header whose checksum fails; the next try looks one block further
      if (damage.message.empty()) damage = {"the archive is damaged (" + impl.explain() + ")", impl.position(), 0};
      if (result == ARCHIVE_RETRY) continue;
      impl.ended = true;
      if (impl.is_cut_below()) return Step::kEnd;
    } else if (result == ARCHIVE_EOF) {
      if (damage.message.empty()) return impl.end(damage);
      impl.ended = true;
    } else if (!impl.take_file()) {
      continue;
    }
    if (damage.message.empty()) {
      impl.pending = false;
      member = std::move(impl.member);
      return Step::kFile;
    }
    damage.bytes = impl.position() - damage.position;
    if (damage.bytes == 0 && impl.ended) damage.bytes = -1;
    return Step::kDamaged;
  }
}

TarReader::Content TarReader::read(const Call& call, std::string& out, std::size_t limit) {
  Impl& impl = *impl_;
  impl.call = &call;
  out.clear();
  constexpr std::size_t kMostAtFirst = 256 << 10;  // memory grows with what is there, not with what a header says
  const std::size_t first = std::min(kMostAtFirst, static_cast<std::size_t>(std::max<std::int64_t>(archive_entry_size(impl.entry), 0)) + 1);
  while (true) {
    const std::size_t size = out.size();
    out.resize(std::min(limit + 1, size + std::max(first, size)));
    const la_ssize_t got = archive_read_data(impl.archive.get(), out.data() + size, out.size() - size);
    impl.rethrow();
    out.resize(size + static_cast<std::size_t>(std::max<la_ssize_t>(got, 0)));
    if (got < 0) return Content::kCut;
    if (got == 0) return Content::kWhole;
    if (out.size() > limit) return Content::kTooLarge;
  }
}

bool looks_like_tar(std::string_view bytes) noexcept {
  constexpr std::size_t kField = 148, kFieldBytes = 8;  // where the checksum stands, as octal digits; it counts itself as spaces
  if (bytes.size() < kBlock || bytes[0] == '\0') return false;
  std::string_view digits = bytes.substr(kField, kFieldBytes);
  digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
  long expected = 0, sum = ' ' * static_cast<long>(kFieldBytes);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), expected, 8);
  if (parsed.ec != std::errc()) return false;
  for (std::size_t i = 0; i < kBlock; ++i)
    if (i < kField || i >= kField + kFieldBytes) sum += static_cast<unsigned char>(bytes[i]);
  return sum == expected;
}

bool gunzip(std::string_view bytes, std::size_t limit, std::string& out, std::string& reason) {
  z_stream stream{};
  if (inflateInit2(&stream, MAX_WBITS + 16) != Z_OK) throw std::bad_alloc();  // 16: gzip alone
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> ending(&stream, inflateEnd);
  out.clear();
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  constexpr std::size_t kPart = 256 << 10;
  for (int result = Z_OK; stream.avail_in > 0 || result == Z_OK;) {
    const std::size_t size = out.size();
    out.resize(std::min(limit + 1, size + std::max(kPart, size)));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + size);
    stream.avail_out = static_cast<uInt>(out.size() - size);
    result = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    if (out.size() > limit) return reason = "more than " + std::to_string(limit) + " bytes", false;
    if (result == Z_STREAM_END) {
      while (stream.avail_in > 0 && *stream.next_in == 0) ++stream.next_in, --stream.avail_in;  // padding, as gzip itself takes it
      if (stream.avail_in > 0) inflateReset(&stream);
    } else if (result == Z_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (result != Z_OK || (stream.avail_in == 0 && stream.avail_out > 0)) {
      return reason = stream.msg ? stream.msg : "it ends inside a gzip member", false;
    }
  }
  return true;
}

}  // namespace flowrun::readers
