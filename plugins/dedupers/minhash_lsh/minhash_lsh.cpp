#include "minhash_lsh.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#define XXH_STATIC_LINKING_ONLY  // the size of XXH3_state_t
#include <xxhash.h>

#include <flowrun/error.hpp>

namespace flowrun::dedupers {
namespace {

constexpr unsigned kDocumentBits = 40;
constexpr std::uint64_t kDocumentsMax = std::uint64_t{1} << kDocumentBits;
constexpr char kMagic[8] = {'F', 'L', 'R', 'M', 'I', 'N', 'H', '1'};

/// The file of a snapshot: this header, then `records` of 16 bytes, little-endian.
struct Header {
  char magic[8];
  std::uint64_t documents, records;
  std::uint64_t checksum;  // XXH3 of the records
};

}  // namespace

MinhashLsh::MinhashLsh(std::size_t memory_bytes, const std::string& folder)
    : memory_bytes_(memory_bytes), folder_(folder), buckets_(std::in_place, memory_bytes / 2, folder) {}

void MinhashLsh::add(std::span<const BucketKey> keys) {
  if (documents_ == kDocumentsMax) throw Error(Code::kUnsupported, "more than " + std::to_string(kDocumentsMax) + " documents");
  for (const BucketKey& key : keys) buckets_->add({key.high, key.low | documents_});
  ++documents_;
}

void MinhashLsh::finish(const std::function<void()>& between) {
  clusters_.emplace(memory_bytes_ / 2, folder_);
  between();
  Record first{};  // of the run of equal keys
  std::uint64_t count = 0;
  for (auto cursor = buckets_->read(); cursor.next();) {
    const Record& record = cursor.record;
    if ((count++ & 0xFFFFF) == 0) between();
    const bool is_first = count == 1 || record.first != first.first || record.second >> kDocumentBits != first.second >> kDocumentBits;
    if (is_first) first = record;
    else clusters_->add(first.second & (kDocumentsMax - 1), record.second & (kDocumentsMax - 1));
  }
  buckets_.reset();
  clusters_->finish(between);
}

void MinhashLsh::save(const std::string& path) {
  Header header{};
  std::copy(std::begin(kMagic), std::end(kMagic), header.magic);
  header.documents = documents_;
  header.records = buckets_->size();
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(&header), sizeof header);
  XXH3_state_t checksum;
  XXH3_64bits_reset(&checksum);
  for (auto cursor = buckets_->read(); cursor.next();) {
    XXH3_64bits_update(&checksum, &cursor.record, sizeof(Record));
    out.write(reinterpret_cast<const char*>(&cursor.record), sizeof(Record));
  }
  header.checksum = XXH3_64bits_digest(&checksum);
  out.seekp(0);
  out.write(reinterpret_cast<const char*>(&header), sizeof header);
  out.close();
  if (!out) throw Error(Code::kIo, "'" + path + "' cannot be written: " + std::strerror(errno));
}

void MinhashLsh::load(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(Code::kNotFound, "'" + path + "' cannot be read");
  Header header{};
  in.read(reinterpret_cast<char*>(&header), sizeof header);
  if (!in || std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) throw Error(Code::kCorruptData, "'" + path + "' holds no signatures");
  MinhashLsh loaded(memory_bytes_, folder_);
  loaded.documents_ = header.documents;
  XXH3_state_t checksum;
  XXH3_64bits_reset(&checksum);
  for (std::uint64_t i = 0; i < header.records; ++i) {
    Record record{};
    in.read(reinterpret_cast<char*>(&record), sizeof record);
    if (!in) throw Error(Code::kCorruptData, "'" + path + "' ends before its " + std::to_string(header.records) + " records");
    XXH3_64bits_update(&checksum, &record, sizeof record);
    loaded.buckets_->add(record);
  }
  if (XXH3_64bits_digest(&checksum) != header.checksum || in.peek() != std::ifstream::traits_type::eof())
    throw Error(Code::kCorruptData, "'" + path + "' does not have the checksum that it was written with");
  *this = std::move(loaded);
}

}  // namespace flowrun::dedupers
