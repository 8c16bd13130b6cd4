#include "stored_numbers.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>

#include "readers/common/stored_file.hpp"

namespace flowrun::readers {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are read as they stand in the file");

constexpr std::size_t kBufferBytes = 256 << 10;

template <class Stored>
bool append_as(const char* bytes, std::size_t count, std::vector<std::uint32_t>& out) {
  bool good = true;
  for (std::size_t i = 0; i < count; ++i) {
    Stored value;
    std::memcpy(&value, bytes + i * sizeof value, sizeof value);
    good = good && value >= 0 && static_cast<std::uint64_t>(value) <= std::numeric_limits<std::uint32_t>::max();
    out.push_back(static_cast<std::uint32_t>(value));
  }
  return good;
}

}  // namespace

std::uint32_t crc32_of(const char* bytes, std::size_t count) noexcept { return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const unsigned char*>(bytes), count)); }

std::size_t bytes_of(TokenType type) noexcept {
  switch (type) {
    case TokenType::kUint8:
    case TokenType::kInt8: return 1;
    case TokenType::kInt16:
    case TokenType::kUint16: return 2;
    case TokenType::kInt32:
    case TokenType::kUint32: return 4;
    case TokenType::kInt64: return 8;
  }
  return 0;
}

OpenFile::OpenFile(const std::string& path) : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), size_(0) {
  if (descriptor_ < 0) throw Error(errno == ENOENT ? Code::kNotFound : Code::kIo, path + ": cannot be opened: " + std::strerror(errno));
  try {
    size_ = stored_bytes(path);
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

OpenFile::~OpenFile() { ::close(descriptor_); }

std::size_t OpenFile::read(std::int64_t offset, std::size_t count, char* out) const {
  std::size_t done = 0;
  while (done < count) {
    const ssize_t got = ::pread(descriptor_, out + done, count - done, offset + static_cast<std::int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error(Code::kIo, path_ + ": cannot be read: " + std::strerror(errno));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

void StoredNumbers::read(std::int64_t offset, std::size_t count, void* out) {
  char* to = static_cast<char*>(out);
  while (count > 0) {
    if (offset < begin_ || offset >= begin_ + static_cast<std::int64_t>(buffer_.size())) checksums_ ? fill_block(offset) : fill(offset);
    if (buffer_.empty()) throw Error(Code::kCorruptData, "the file ends at byte " + std::to_string(offset) + ", expected " + std::to_string(count) + " more");
    const auto from = static_cast<std::size_t>(offset - begin_);
    const std::size_t taken = std::min(count, buffer_.size() - from);
    std::memcpy(to, buffer_.data() + from, taken);
    to += taken;
    offset += static_cast<std::int64_t>(taken);
    count -= taken;
  }
}

void StoredNumbers::fill(std::int64_t offset) {
  buffer_.resize(kBufferBytes);
  buffer_.resize(file_->read(offset, buffer_.size(), buffer_.data()));
  begin_ = offset;
}

void StoredNumbers::fill_block(std::int64_t offset) {
  const BlockChecksums& checksums = *checksums_;
  if (offset < checksums.begin || offset >= checksums.end) throw DamageAt(offset, "byte " + std::to_string(offset) + " is in no block that has a checksum");
  const std::int64_t block = (offset - checksums.begin) / checksums.block_bytes;
  begin_ = checksums.begin + block * checksums.block_bytes;
  const std::int64_t end = std::min(begin_ + checksums.block_bytes, checksums.end);
  buffer_.resize(static_cast<std::size_t>(end - begin_));
  buffer_.resize(file_->read(begin_, buffer_.size(), buffer_.data()));
  if (crc32_of(buffer_.data(), buffer_.size()) == checksums.values.at(static_cast<std::size_t>(block))) return;
  buffer_.clear();
  throw DamageAt(begin_, "bytes " + std::to_string(begin_) + " to " + std::to_string(end) + " of the file do not have their checksum");
}

bool StoredNumbers::append_tokens(TokenType type, std::int64_t offset, std::int64_t count, std::vector<std::uint32_t>& out) {
  const std::size_t width = bytes_of(type);
  bool good = true;
  char chunk[32 << 10];
  while (count > 0) {
    const std::size_t now = std::min(static_cast<std::size_t>(count), sizeof chunk / width);
    read(offset, now * width, chunk);
    switch (type) {
      case TokenType::kUint8: good &= append_as<std::uint8_t>(chunk, now, out); break;
      case TokenType::kInt8: good &= append_as<std::int8_t>(chunk, now, out); break;
      case TokenType::kInt16: good &= append_as<std::int16_t>(chunk, now, out); break;
      case TokenType::kUint16: good &= append_as<std::uint16_t>(chunk, now, out); break;
      case TokenType::kInt32: good &= append_as<std::int32_t>(chunk, now, out); break;
      case TokenType::kUint32: good &= append_as<std::uint32_t>(chunk, now, out); break;
      case TokenType::kInt64: good &= append_as<std::int64_t>(chunk, now, out); break;
    }
    offset += static_cast<std::int64_t>(now * width);
    count -= static_cast<std::int64_t>(now);
  }
  return good;
}

}  // namespace flowrun::readers
