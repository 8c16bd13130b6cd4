#include "common/unnamed_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <flowrun/error.hpp>

namespace flowrun::common {
namespace {

int open_unnamed(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return descriptor;
  std::string name = folder + "/.flowrun-XXXXXX";  // a file system without such files: named for a moment
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

}  // namespace

UnnamedFile::UnnamedFile(std::string folder) : folder_(std::move(folder)), descriptor_(open_unnamed(folder_)) {
  if (descriptor_ < 0) fail("no file can be made", 0);
}

UnnamedFile::UnnamedFile(UnnamedFile&& other) noexcept
    : folder_(std::move(other.folder_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(std::exchange(other.size_, 0)) {}

UnnamedFile& UnnamedFile::operator=(UnnamedFile&& other) noexcept {
  std::swap(folder_, other.folder_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

UnnamedFile::~UnnamedFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void UnnamedFile::append(const void* bytes, std::size_t size) {
  const char* from = static_cast<const char*>(bytes);
  for (std::size_t left = size; left > 0;) {
    const ssize_t n = ::pwrite(descriptor_, from, left, static_cast<off_t>(size_));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("a temporary file cannot be written", left);
    from += n;
    left -= static_cast<std::size_t>(n);
    size_ += static_cast<std::uint64_t>(n);
  }
}

std::size_t UnnamedFile::read(std::uint64_t offset, void* bytes, std::size_t size) const {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = ::pread(descriptor_, static_cast<char*>(bytes) + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("a temporary file cannot be read", size - done);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

void* UnnamedFile::map_more(std::size_t size) {
  // The space is taken now: a disk that is full when a page is written back would end the process by a signal.
  if (const int error = ::posix_fallocate(descriptor_, static_cast<off_t>(size_), static_cast<off_t>(size)); error != 0) {
    errno = error;
    fail("a temporary file cannot grow", size);
  }
  void* const bytes = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, static_cast<off_t>(size_));
  if (bytes == MAP_FAILED) fail("a temporary file cannot be mapped", size);
  // Read ahead, the file would lie in the system's cache in pieces of up to 2 MiB, and newer kernels map the whole of a piece where one byte is touched.
  ::madvise(bytes, size, MADV_RANDOM);
  size_ += size;
  return bytes;
}

void UnnamedFile::unmap(void* bytes, std::size_t size) noexcept { ::munmap(bytes, size); }

void UnnamedFile::fail(const char* what, std::size_t need) const {
  const int error = errno;
  std::string message = "in '" + folder_ + "': " + what + ": " + std::strerror(error);
  struct statvfs file_system;
  if (need > 0 && ::statvfs(folder_.c_str(), &file_system) == 0)
    message += "; needs " + std::to_string(need) + " bytes, " + std::to_string(std::uint64_t{file_system.f_bavail} * file_system.f_frsize) + " are free";
  throw Error(Code::kIo, message);
}

}  // namespace flowrun::common
