#include "concat.hpp"

#include <flowrun/error.hpp>

#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>

namespace flowrun::packers {
namespace {

constexpr char kMagic[8] = {'F', 'L', 'R', 'C', 'O', 'N', 'C', 'T'};
constexpr std::uint32_t kVersion = 1;

/// The index's file: this header, then `segment_count` offsets of 8 bytes. All little-endian.
struct Header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t segment_documents;
  std::int64_t document_count;
  std::int64_t token_count;
  std::int64_t segment_count;
  std::uint64_t checksum;  ///< XXH3 of the offsets, seeded with that of the header before this member
};

std::uint64_t checksum_of(const Header& header, std::span<const std::int64_t> offsets) {
  const std::uint64_t seed = XXH3_64bits(&header, offsetof(Header, checksum));
  return XXH3_64bits_withSeed(offsets.data(), offsets.size_bytes(), seed);
}

}  // namespace

void OffsetIndex::append(std::span<const std::uint32_t> lengths) {
  for (const std::uint32_t length : lengths) {
    if (document_count_ % kSegmentDocuments == 0) offsets_.push_back(token_count_);
    ++document_count_;
    token_count_ += std::int64_t{length} + 1;
  }
}

std::int64_t OffsetIndex::segment_of(std::int64_t offset) const noexcept {
  return std::upper_bound(offsets_.begin(), offsets_.end(), offset) - offsets_.begin() - 1;
}

void OffsetIndex::save(const std::string& path) const {
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.version = kVersion;
  header.segment_documents = kSegmentDocuments;
  header.document_count = document_count_;
  header.token_count = token_count_;
  header.segment_count = segment_count();
  header.checksum = checksum_of(header, offsets_);
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(&header), sizeof header);
  out.write(reinterpret_cast<const char*>(offsets_.data()), static_cast<std::streamsize>(offsets_.size() * sizeof(std::int64_t)));
  out.close();
  if (!out) throw Error(Code::kIo, path + ": cannot be written: " + std::strerror(errno));
}

OffsetIndex OffsetIndex::load(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) throw Error(Code::kNotFound, path + ": cannot be read");
  const std::int64_t bytes = in.tellg();
  in.seekg(0);
  Header header{};
  in.read(reinterpret_cast<char*>(&header), sizeof header);
  if (!in || std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) throw Error(Code::kCorruptData, path + " is not an index of packers/concat");
  if (header.version != kVersion || header.segment_documents != kSegmentDocuments)
    throw Error(Code::kCorruptData, path + " has format version " + std::to_string(header.version) + ", expected " + std::to_string(kVersion));
  // The size of the file is checked before memory is asked for: the count may be damaged.
  const std::int64_t stored = (bytes - static_cast<std::int64_t>(sizeof header)) / 8;
  if (header.segment_count != stored || bytes % 8 != 0)
    throw Error(Code::kCorruptData, path + " has " + std::to_string(stored) + " offsets, expected " + std::to_string(header.segment_count));
  OffsetIndex index;
  index.document_count_ = header.document_count;
  index.token_count_ = header.token_count;
  index.offsets_.resize(static_cast<std::size_t>(stored));
  in.read(reinterpret_cast<char*>(index.offsets_.data()), stored * 8);
  if (!in || checksum_of(header, index.offsets_) != header.checksum)
    throw Error(Code::kCorruptData, path + " does not have the checksum that it was written with");
  return index;
}

void TokenWindow::append(std::int64_t offset, std::span<const std::uint32_t> document) {
  const std::int64_t separator_at = offset + static_cast<std::int64_t>(document.size());
  const std::int64_t from = std::max(first_, offset), to = std::min(end_, separator_at);
  if (from < to) tokens_.insert(tokens_.end(), document.begin() + (from - offset), document.begin() + (to - offset));
  if (separator_at >= first_ && separator_at < end_) tokens_.push_back(separator_);
}

}  // namespace flowrun::packers
