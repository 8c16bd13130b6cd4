#include "filter_file.hpp"

#include <flowrun/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace flowrun::dedupers {
namespace {

constexpr char kMagic[8] = {'F', 'L', 'R', 'B', 'L', 'O', 'M', '1'};

/// The file: this header, then the blocks, little-endian.
struct Header {
  char magic[8];
  std::uint64_t blocks, bits, size;
  std::uint64_t checksum;  ///< XXH3 of the blocks
};

std::uint64_t checksum_of(BlockedBloom& filter) noexcept { return XXH3_64bits(filter.words(), filter.shape().bytes()); }

}  // namespace

void save_filter(const std::string& path, BlockedBloom& filter, std::int64_t size) {
  Header header{{}, filter.shape().blocks, static_cast<std::uint64_t>(filter.shape().bits), static_cast<std::uint64_t>(size), checksum_of(filter)};
  std::copy(std::begin(kMagic), std::end(kMagic), header.magic);
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(&header), sizeof header);
  out.write(reinterpret_cast<const char*>(filter.words()), static_cast<std::streamsize>(filter.shape().bytes()));
  out.close();
  if (!out) throw Error(Code::kIo, path + ": cannot be written: " + std::strerror(errno));
}

std::int64_t load_filter(const std::string& path, BlockedBloom& filter) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(Code::kNotFound, path + ": cannot be read");
  Header header{};
  in.read(reinterpret_cast<char*>(&header), sizeof header);
  if (!in || std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) throw Error(Code::kCorruptData, path + " is not a Bloom filter");
  if (header.blocks != filter.shape().blocks || header.bits != static_cast<std::uint64_t>(filter.shape().bits))
    throw Error(Code::kCorruptData, path + " holds a filter of " + std::to_string(header.blocks) + " blocks, expected " + std::to_string(filter.shape().blocks));
  in.read(reinterpret_cast<char*>(filter.words()), static_cast<std::streamsize>(filter.shape().bytes()));
  if (!in || in.peek() != std::ifstream::traits_type::eof() || checksum_of(filter) != header.checksum)
    throw Error(Code::kCorruptData, path + " does not have the checksum that it was written with");
  return static_cast<std::int64_t>(header.size);
}

}  // namespace flowrun::dedupers
