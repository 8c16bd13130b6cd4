#include "id_list.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <flowrun/error.hpp>
#include <xxhash.h>

namespace flowrun::dedupers {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{64} << 10;
constexpr char kMagic[8] = {'F', 'L', 'R', 'I', 'D', 'S', '0', '1'};

/// Of the file of a snapshot: this header, then each id behind its size (8 bytes, little-endian).
struct Header {
  char magic[8];
  std::uint64_t count;
  std::uint64_t checksum;  // of the ids, each hashed with the one before
};

std::uint64_t checksum_of(std::string_view id, std::uint64_t before) noexcept { return XXH3_64bits_withSeed(id.data(), id.size(), before); }

}  // namespace

void IdList::add(std::string_view id) {
  id_buffer_ += id;
  bytes_ += id.size();
  end_buffer_.push_back(bytes_);
  ++count_;
  if (id_buffer_.size() >= kBufferBytes || end_buffer_.size() * sizeof(std::uint64_t) >= kBufferBytes) flush();
}

void IdList::flush() {
  ids_.append(id_buffer_.data(), id_buffer_.size());
  ends_.append(end_buffer_.data(), end_buffer_.size() * sizeof(std::uint64_t));
  id_buffer_.clear();
  end_buffer_.clear();
}

std::uint64_t IdList::end_of(std::uint64_t index) const {
  std::uint64_t end = 0;
  if (ends_.read(index * sizeof end, &end, sizeof end) != sizeof end) throw Error(Code::kIo, "a temporary file of ids has lost its end");
  return end;
}

std::string IdList::at(std::uint64_t index) const {
  const std::uint64_t begin = index == 0 ? 0 : end_of(index - 1), size = end_of(index) - begin;
  std::string id(size, '\0');
  if (ids_.read(begin, id.data(), size) != size) throw Error(Code::kIo, "a temporary file of ids has lost its end");
  return id;
}

void IdList::save(const std::string& path) {
  flush();
  Header header{};
  std::copy(std::begin(kMagic), std::end(kMagic), header.magic);
  header.count = count_;
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(&header), sizeof header);
  for (std::uint64_t i = 0; i < count_; ++i) {
    const std::string id = at(i);
    const std::uint64_t size = id.size();
    header.checksum = checksum_of(id, header.checksum);
    out.write(reinterpret_cast<const char*>(&size), sizeof size).write(id.data(), static_cast<std::streamsize>(size));
  }
  out.seekp(0);
  out.write(reinterpret_cast<const char*>(&header), sizeof header);
  out.close();
  if (!out) throw Error(Code::kIo, "'" + path + "' cannot be written: " + std::strerror(errno));
}

void IdList::load(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) throw Error(Code::kNotFound, "'" + path + "' cannot be read");
  const auto bytes = static_cast<std::uint64_t>(in.tellg());
  in.seekg(0);
  Header header{};
  in.read(reinterpret_cast<char*>(&header), sizeof header);
  if (!in || std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) throw Error(Code::kCorruptData, "'" + path + "' holds no ids");
  std::uint64_t checksum = 0;
  std::string id;
  for (std::uint64_t i = 0; i < header.count; ++i) {
    std::uint64_t size = 0;
    in.read(reinterpret_cast<char*>(&size), sizeof size);
    if (!in || size > bytes) throw Error(Code::kCorruptData, "'" + path + "' ends before its " + std::to_string(header.count) + " ids");
    id.resize(size);
    in.read(id.data(), static_cast<std::streamsize>(size));
    if (!in) throw Error(Code::kCorruptData, "'" + path + "' ends before its " + std::to_string(header.count) + " ids");
    checksum = checksum_of(id, checksum);
    add(id);
  }
  if (checksum != header.checksum || in.peek() != std::ifstream::traits_type::eof())
    throw Error(Code::kCorruptData, "'" + path + "' does not have the checksum that it was written with");
}

}  // namespace flowrun::dedupers
