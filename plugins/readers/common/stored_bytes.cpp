#include "readers/common/stored_bytes.hpp"

#include <flowrun/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace flowrun::readers {
namespace {

constexpr std::size_t kBufferBytes = 128 << 10;

[[noreturn]] void throw_errno(const std::string& path, const char* action) {
  const int number = errno;
  throw Error(number == ENOENT ? Code::kNotFound : Code::kIo, path + ": " + action + ": " + std::strerror(number));
}

}  // namespace

std::int64_t stored_bytes(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw_errno(path, "cannot be read");
  if (S_ISDIR(status.st_mode)) throw Error(Code::kIo, path + " is a folder, expected a file");
  return status.st_size;
}

StoredBytes::StoredBytes(const std::string& path) : path_(path), size_(stored_bytes(path)), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), buffer_(kBufferBytes) {
  if (descriptor_ < 0) throw_errno(path, "cannot be opened");
  ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL);  // advice alone: a failure changes nothing
}

StoredBytes::StoredBytes(const std::string& path, std::int64_t begin, std::int64_t end) : StoredBytes(path) {
  if (::lseek(descriptor_, begin, SEEK_SET) < 0) throw_errno(path, "cannot be read");
  offset_ = begin;
  size_ = limit_ = std::min(size_, end);
}

StoredBytes::StoredBytes(StoredBytes&& other) noexcept
    : path_(std::move(other.path_)), size_(other.size_), limit_(other.limit_), descriptor_(std::exchange(other.descriptor_, -1)), buffer_(std::move(other.buffer_)),
      begin_(other.begin_), end_(other.end_), offset_(other.offset_) {}

StoredBytes::~StoredBytes() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::size_t StoredBytes::read_file(char* out, std::size_t size) {
  size = static_cast<std::size_t>(std::min<std::int64_t>(static_cast<std::int64_t>(size), std::max<std::int64_t>(limit_ - offset_, 0)));
  while (true) {
    const ssize_t got = ::read(descriptor_, out, size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno(path_, "cannot be read");
    offset_ += got;
    return static_cast<std::size_t>(got);
  }
}

std::size_t StoredBytes::read(char* out, std::size_t size) {
  if (begin_ == end_) return read_file(out, size);
  const std::size_t n = std::min(size, end_ - begin_);
  std::memcpy(out, buffer_.data() + begin_, n);
  begin_ += n;
  return n;
}

std::string_view StoredBytes::peek() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    end_ = read_file(buffer_.data(), buffer_.size());
  }
  return {buffer_.data() + begin_, end_ - begin_};
}

std::int64_t StoredBytes::bytes_left() const noexcept { return std::max<std::int64_t>(0, size_ - offset()); }

}  // namespace flowrun::readers
