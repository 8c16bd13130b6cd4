#include "stored_numbers.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>

#include <flowrun/error.hpp>

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

StoredNumbers::StoredNumbers(const std::string& path) : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), size_(0) {
  if (descriptor_ < 0) throw Error(errno == ENOENT ? Code::kNotFound : Code::kIo, path + ": cannot be opened: " + std::strerror(errno));
  try {
    size_ = stored_bytes(path);
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

StoredNumbers::~StoredNumbers() { ::close(descriptor_); }

void StoredNumbers::read(std::int64_t offset, std::size_t count, void* out) {
  char* to = static_cast<char*>(out);
  while (count > 0) {
    if (offset < begin_ || offset >= begin_ + static_cast<std::int64_t>(buffer_.size())) {
      buffer_.resize(kBufferBytes);
      ssize_t got;
      do got = ::pread(descriptor_, buffer_.data(), buffer_.size(), offset);
      while (got < 0 && errno == EINTR);
      if (got < 0) throw Error(Code::kIo, path_ + ": cannot be read: " + std::strerror(errno));
      if (got == 0) throw Error(Code::kCorruptData, "the file ends at byte " + std::to_string(offset) + ", expected " + std::to_string(count) + " more");
      buffer_.resize(static_cast<std::size_t>(got));
      begin_ = offset;
    }
    const auto from = static_cast<std::size_t>(offset - begin_);
    const std::size_t taken = std::min(count, buffer_.size() - from);
    std::memcpy(to, buffer_.data() + from, taken);
    to += taken;
    offset += static_cast<std::int64_t>(taken);
    count -= taken;
  }
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
