#include "packers/common/numbers_file.hpp"

#include <flowrun/error.hpp>

#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>

namespace flowrun::packers {
namespace {

constexpr char kMagic[8] = {'F', 'L', 'R', 'P', 'A', 'C', 'K', '1'};

/// The file: this header, then `count` numbers of 8 bytes. All little-endian.
struct Header {
  char magic[8];
  char plugin[24];  ///< ends with zeros
  std::int64_t count;
  std::uint64_t checksum;  ///< XXH3 of the numbers, seeded with that of the header before this member
};

std::uint64_t checksum_of(const Header& header, std::span<const std::int64_t> numbers) {
  const std::uint64_t seed = XXH3_64bits(&header, offsetof(Header, checksum));
  return XXH3_64bits_withSeed(numbers.data(), numbers.size_bytes(), seed);
}

Header make_header(std::string_view plugin, std::int64_t count) {
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  std::copy_n(plugin.begin(), std::min(plugin.size(), sizeof header.plugin - 1), header.plugin);
  header.count = count;
  return header;
}

}  // namespace

void save_numbers(const std::string& path, std::string_view plugin, std::span<const std::int64_t> numbers) {
  Header header = make_header(plugin, static_cast<std::int64_t>(numbers.size()));
  header.checksum = checksum_of(header, numbers);
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(&header), sizeof header);
  out.write(reinterpret_cast<const char*>(numbers.data()), static_cast<std::streamsize>(numbers.size_bytes()));
  out.close();
  if (!out) throw Error(Code::kIo, path + ": cannot be written: " + std::strerror(errno));
}

std::vector<std::int64_t> load_numbers(const std::string& path, std::string_view plugin) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) throw Error(Code::kNotFound, path + ": cannot be read");
  const std::int64_t bytes = in.tellg();
  in.seekg(0);
  Header header{};
  in.read(reinterpret_cast<char*>(&header), sizeof header);
  if (!in || std::memcmp(&header, make_header(plugin, 0).magic, offsetof(Header, count)) != 0)
    throw Error(Code::kCorruptData, path + " is not an index of " + std::string(plugin));
  // The size of the file is checked before memory is asked for: the count may be damaged.
  const std::int64_t stored = (bytes - static_cast<std::int64_t>(sizeof header)) / 8;
  if (header.count != stored || bytes % 8 != 0)
    throw Error(Code::kCorruptData, path + " has " + std::to_string(stored) + " numbers, expected " + std::to_string(header.count));
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(stored));
  in.read(reinterpret_cast<char*>(numbers.data()), stored * 8);
  if (!in || checksum_of(header, numbers) != header.checksum)
    throw Error(Code::kCorruptData, path + " does not have the checksum that it was written with");
  return numbers;
}

}  // namespace flowrun::packers
