#include "text_set.hpp"

#include <flowrun/error.hpp>

#define XXH_STATIC_LINKING_ONLY  // the size of XXH3_state_t
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace flowrun::dedupers {
namespace {

constexpr std::size_t kFirstSlots = 64, kSavedAtOnce = 4096;
constexpr int kFilterBits = 4;  // few, as the filter takes what it has to: at 10 bits an element 2 of 100 answers are wrong, at 3 half of them
constexpr char kMagic[8] = {'F', 'L', 'R', 'T', 'E', 'X', 'T', '1'};

/// The state's file: this header, then `count` hashes of 16 bytes (low, high), little-endian.
struct Header {
  char magic[8];
  std::uint64_t count;
  std::uint64_t checksum;  ///< XXH3 of all hashes, fed in order
};

}  // namespace

TextSet::TextSet(std::int64_t memory_bytes, std::string folder)
    : limit_bytes_(memory_bytes), folder_(folder.empty() ? std::filesystem::temp_directory_path().string() : std::move(folder)) {
  if (limit_bytes_ != 0 && limit_bytes_ < kLeastBytes)
    throw Error(Code::kInvalidArgument, "'memory_bytes' is " + std::to_string(limit_bytes_) + ", expected at least " + std::to_string(kLeastBytes));
}

bool TextSet::insert(Hash128 hash) {
  if (hash == Hash128{}) hash.low = 1;  // all zero marks a free slot
  const Table& table = tables_[hash.high >> 56];
  if (table.used > 0 && find(tables_[hash.high >> 56].slots, hash) == hash) return false;
  if (runs_ && filter_->may_contain(hash) && is_on_disk(hash)) return false;
  add(hash);
  ++size_;
  return true;
}

/// Returns the slot that holds `hash`, or the free one where it belongs. There must be a free one.
Hash128& TextSet::find(std::vector<Hash128>& slots, Hash128 hash) {
  const std::size_t mask = slots.size() - 1;
  std::size_t at = hash.low & mask;
  while (!(slots[at] == Hash128{}) && !(slots[at] == hash)) at = (at + 1) & mask;
  return slots[at];
}

bool TextSet::is_on_disk(Hash128 hash) {
  Hash128& found = found_[hash.low & (found_.size() - 1)];
  if (found == hash) return true;
  if (!runs_->contains(hash)) return false;
  found = hash;
  return true;
}

/// Adds a hash that is nowhere yet.
void TextSet::add(Hash128 hash) {
  Table& table = tables_[hash.high >> 56];
  if ((table.used + 1) * 8 > table.slots.size() * 7 && !grow(table)) {  // at most 7/8 full
    spill();
    grow(table);
  }
  find(table.slots, hash) = hash;
  ++table.used;
}

/// Doubles a table, or returns false where there is no room for that.
bool TextSet::grow(Table& table) {
  const std::size_t slots = std::max(kFirstSlots, 2 * table.slots.size());
  const auto added = static_cast<std::int64_t>(slots * sizeof(Hash128));
  if (limit_bytes_ > 0 && table_bytes_ + added > limit_bytes_ / 16 * 9) return false;
  std::vector<Hash128> larger(slots);
  for (const Hash128& hash : table.slots)
    if (!(hash == Hash128{})) find(larger, hash) = hash;
  table_bytes_ += added - static_cast<std::int64_t>(table.slots.size() * sizeof(Hash128));
  table.slots = std::move(larger);
  return true;
}

/// Moves all hashes from memory to disk. The tables, one after another, are in order; within one they are sorted here.
void TextSet::spill() {
  const auto limit = static_cast<std::size_t>(limit_bytes_);
  if (!runs_) {
    runs_.emplace(folder_, limit / 8);
    filter_.emplace(BloomShape{limit / 4 / BloomShape::kBlockBytes, kFilterBits});
    found_.resize(std::bit_floor(limit / 16 / sizeof(Hash128)));
    spill_bytes_ = static_cast<std::int64_t>(limit / 8 + filter_->shape().bytes() + found_.size() * sizeof(Hash128));
  }
  std::uint64_t count = 0;
  for (const Table& table : tables_) count += table.used;
  std::size_t table = 0, at = 0;
  std::vector<Hash128> sorted;
  runs_->add(count, [&](Hash128& hash) {
    for (; at == sorted.size() && table < tables_.size(); ++table) {
      sorted = std::exchange(tables_[table], Table{}).slots;
      std::erase(sorted, Hash128{});
      std::sort(sorted.begin(), sorted.end());
      at = 0;
    }
    if (at == sorted.size()) return false;
    hash = sorted[at++];
    filter_->insert(hash);
    return true;
  });
  table_bytes_ = 0;
}

void TextSet::for_each(const std::function<void(const Hash128&)>& use) const {
  for (const Table& table : tables_)
    for (const Hash128& hash : table.slots)
      if (!(hash == Hash128{})) use(hash);
  if (runs_) runs_->for_each(use);
}

void TextSet::save(const std::string& path) const {
  Header header{};
  std::copy(std::begin(kMagic), std::end(kMagic), header.magic);
  header.count = static_cast<std::uint64_t>(size_);
  XXH3_state_t checksum;
  XXH3_64bits_reset(&checksum);
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(&header), sizeof header);
  std::vector<Hash128> hashes;
  const auto write = [&] {
    XXH3_64bits_update(&checksum, hashes.data(), hashes.size() * sizeof(Hash128));
    out.write(reinterpret_cast<const char*>(hashes.data()), static_cast<std::streamsize>(hashes.size() * sizeof(Hash128)));
    hashes.clear();
  };
  for_each([&](const Hash128& hash) {
    hashes.push_back(hash);
    if (hashes.size() == kSavedAtOnce) write();
  });
  write();
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

  TextSet loaded(limit_bytes_, folder_);
  XXH3_state_t checksum;
  XXH3_64bits_reset(&checksum);
  std::vector<Hash128> hashes(kSavedAtOnce);
  for (std::uint64_t left = header.count; left > 0;) {
    const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(left, hashes.size()));
    in.read(reinterpret_cast<char*>(hashes.data()), static_cast<std::streamsize>(n * sizeof(Hash128)));
    if (!in) throw Error(Code::kCorruptData, path + " ends before its " + std::to_string(header.count) + " hashes");
    XXH3_64bits_update(&checksum, hashes.data(), n * sizeof(Hash128));
    for (std::size_t i = 0; i < n; ++i) loaded.add(hashes[i]);
    loaded.size_ += static_cast<std::int64_t>(n);
    left -= n;
  }
  if (XXH3_64bits_digest(&checksum) != header.checksum || in.peek() != std::ifstream::traits_type::eof())
    throw Error(Code::kCorruptData, path + " does not have the checksum that it was written with");
  *this = std::move(loaded);
}

}  // namespace flowrun::dedupers
