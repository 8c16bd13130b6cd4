#include "index_file.hpp"

#include <flowrun/error.hpp>

#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <new>
#include <system_error>

namespace flowrun::mixers {
namespace {

constexpr char kMagic[8] = {'F', 'L', 'R', 'D', 'O', 'M', 'A', 'I'};
constexpr std::int64_t kVersion = 2;

}  // namespace

Checksum::Checksum() : state_(XXH3_createState()) {
  if (state_ == nullptr) throw std::bad_alloc();
  XXH3_64bits_reset(state_);
}
Checksum::~Checksum() { XXH3_freeState(state_); }
void Checksum::update(const void* data, std::size_t bytes) noexcept {
  if (bytes > 0) XXH3_64bits_update(state_, data, bytes);
}
std::uint64_t Checksum::digest() const noexcept { return XXH3_64bits_digest(state_); }

IndexWriter::IndexWriter(const std::string& path) : path_(path), out_(path, std::ios::binary) {
  if (!out_) throw Error(Code::kIo, path + ": cannot be written: " + std::strerror(errno));
  put(kMagic, sizeof kMagic);
  number(kVersion);
}

void IndexWriter::put(const void* data, std::size_t bytes) {
  checksum_.update(data, bytes);
  out_.write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
}

void IndexWriter::finish() {
  const std::uint64_t checksum = checksum_.digest();
  out_.write(reinterpret_cast<const char*>(&checksum), sizeof checksum);
  out_.close();
  if (!out_) throw Error(Code::kIo, path_ + ": cannot be written: " + std::strerror(errno));
}

IndexReader::IndexReader(const std::string& path) : path_(path), in_(path, std::ios::binary) {
  std::error_code error;
  left_ = std::filesystem::file_size(path, error);
  if (!in_ || error) throw Error(Code::kNotFound, path + ": cannot be read");
  char magic[sizeof kMagic]{};
  take(magic, sizeof magic, 1);
  if (std::memcmp(magic, kMagic, sizeof kMagic) != 0) throw Error(Code::kCorruptData, path + " is not an index of mixers/weighted");
  if (const std::int64_t version = number(); version != kVersion)
    throw Error(Code::kCorruptData, path + " has format version " + std::to_string(version) + ", expected " + std::to_string(kVersion));
}

std::int64_t IndexReader::count() {
  const std::int64_t value = number();
  if (value < 0) throw Error(Code::kCorruptData, path_ + " has a count of " + std::to_string(value));
  return value;
}

std::size_t IndexReader::checked(std::size_t width) {
  const auto elements = static_cast<std::uint64_t>(count());
  if (elements > left_ / width) throw Error(Code::kCorruptData, path_ + " ends before its last array");
  return elements;
}

void IndexReader::take(void* data, std::size_t elements, std::size_t width) {
  const std::size_t bytes = elements * width;
  if (bytes > left_ || !in_.read(static_cast<char*>(data), static_cast<std::streamsize>(bytes))) throw Error(Code::kCorruptData, path_ + " ends before its last array");
  left_ -= bytes;
  checksum_.update(data, bytes);
}

void IndexReader::finish() {
  const std::uint64_t expected = checksum_.digest();
  std::uint64_t found = 0;
  if (left_ != sizeof found || !in_.read(reinterpret_cast<char*>(&found), sizeof found) || found != expected)
    throw Error(Code::kCorruptData, path_ + " does not have the checksum that it was written with");
}

}  // namespace flowrun::mixers
