#include "text_set.hpp"

#include <flowrun/error.hpp>

#define XXH_STATIC_LINKING_ONLY  // the size of XXH3_state_t
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

namespace flowrun::dedupers {
namespace {

constexpr std::size_t kFirstSlots = 64;
constexpr char kMagic[8] = {'F', 'L', 'R', 'T', 'E', 'X', 'T', '1'};

/// The state's file: this header, then `count` hashes of 16 bytes (low, high), little-endian.
struct Header {
  char magic[8];
  std::uint64_t count;
  std::uint64_t checksum;  ///< XXH3 of all hashes, fed in order
};

}  // namespace

bool TextSet::insert(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return insert(Hash{hash.low64, hash.high64});
}

bool TextSet::insert(Hash hash) {
  if (hash == Hash{}) hash.low = 1;  // all zero marks a free slot
  Table& table = tables_[hash.high >> 56];
  if ((table.used + 1) * 8 > table.slots.size() * 7) {  // at most 7/8 full
    if (!table.slots.empty() && find(table.slots, hash) == hash) return false;
    grow(table);
  }
  Hash& slot = find(table.slots, hash);
  if (slot == hash) return false;
  slot = hash;
  ++table.used;
  ++size_;
  return true;
}

/// Returns the slot that holds `hash`, or the free one where it belongs. There must be a free one.
TextSet::Hash& TextSet::find(std::vector<Hash>& slots, Hash hash) {
  const std::size_t mask = slots.size() - 1;
  std::size_t at = hash.low & mask;
  while (!(slots[at] == Hash{}) && !(slots[at] == hash)) at = (at + 1) & mask;
  return slots[at];
}

void TextSet::grow(Table& table) {
  const std::size_t slots = std::max(kFirstSlots, 2 * table.slots.size());
  const auto added = static_cast<std::int64_t>(slots * sizeof(Hash));
  if (limit_bytes_ > 0 && bytes_ + added > limit_bytes_)
    throw Error(Code::kOutOfMemory, "the hashes of " + std::to_string(size_) + " different texts take " + std::to_string(bytes_) + " bytes and need " +
                                        std::to_string(bytes_ + added) + ", have 'memory_bytes' = " + std::to_string(limit_bytes_));
  std::vector<Hash> larger(slots);
  for (const Hash& hash : table.slots)
    if (!(hash == Hash{})) find(larger, hash) = hash;
  bytes_ += added - static_cast<std::int64_t>(table.slots.size() * sizeof(Hash));
  table.slots = std::move(larger);
}

void TextSet::save(const std::string& path) const {
  Header header{};
  std::copy(std::begin(kMagic), std::end(kMagic), header.magic);
  header.count = static_cast<std::uint64_t>(size_);
  XXH3_state_t checksum;
  XXH3_64bits_reset(&checksum);
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(&header), sizeof header);
  std::vector<Hash> hashes;
  for (const Table& table : tables_) {
    hashes.clear();
    std::copy_if(table.slots.begin(), table.slots.end(), std::back_inserter(hashes), [](const Hash& hash) { return !(hash == Hash{}); });
    XXH3_64bits_update(&checksum, hashes.data(), hashes.size() * sizeof(Hash));
    out.write(reinterpret_cast<const char*>(hashes.data()), static_cast<std::streamsize>(hashes.size() * sizeof(Hash)));
  }
  header.checksum = XXH3_64bits_digest(&checksum);
  out.seekp(0);
  out.write(reinterpret_cast<const char*>(&header), sizeof header);
  out.close();
  if (!out) throw Error(Code::kIo, path + ": cannot be written: " + std::strerror(errno));
}

void TextSet::load(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(Code::kNotFound, path + ": cannot be read");
  Header header{};
  in.read(reinterpret_cast<char*>(&header), sizeof header);
  if (!in || std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) throw Error(Code::kCorruptData, path + " is not a set of texts");

  TextSet loaded(limit_bytes_);
  XXH3_state_t checksum;
  XXH3_64bits_reset(&checksum);
  std::vector<Hash> hashes(1 << 16);
  for (std::uint64_t left = header.count; left > 0;) {
    const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(left, hashes.size()));
    in.read(reinterpret_cast<char*>(hashes.data()), static_cast<std::streamsize>(n * sizeof(Hash)));
    if (!in) throw Error(Code::kCorruptData, path + " ends before its " + std::to_string(header.count) + " hashes");
    XXH3_64bits_update(&checksum, hashes.data(), n * sizeof(Hash));
    for (std::size_t i = 0; i < n; ++i) loaded.insert(hashes[i]);
    left -= n;
  }
  if (XXH3_64bits_digest(&checksum) != header.checksum || loaded.size_ != static_cast<std::int64_t>(header.count) || in.peek() != std::ifstream::traits_type::eof())
    throw Error(Code::kCorruptData, path + " does not have the checksum that it was written with");
  *this = std::move(loaded);
}

}  // namespace flowrun::dedupers
