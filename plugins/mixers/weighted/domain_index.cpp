#include "domain_index.hpp"

#include <flowrun/error.hpp>

#define XXH_STATIC_LINKING_ONLY  // for the size of XXH3_state_t
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

namespace flowrun::mixers {
namespace {

constexpr char kMagic[8] = {'F', 'L', 'R', 'D', 'O', 'M', 'A', 'I'};
constexpr std::uint64_t kVersion = 1;

/// The index's file: this header, then for each domain the bytes of its name and the number of its documents (8 bytes each), its name, its
/// rows (8 bytes each) and its lengths (4 bytes each). All little-endian.
struct Header {
  char magic[8];
  std::uint64_t version;
  std::uint64_t domain_count;
  std::int64_t row_count;
  std::int64_t draw_count;
  std::uint64_t checksum;  ///< XXH3 of the header before this member and of all that follows it
};

/// Writes values and adds them to the checksum.
class Writer {
 public:
  Writer(const std::string& path, Header header) : path_(path), out_(path, std::ios::binary), header_(header) {
    XXH3_64bits_reset(&checksum_);
    XXH3_64bits_update(&checksum_, &header_, offsetof(Header, checksum));
    out_.write(reinterpret_cast<const char*>(&header_), sizeof header_);
  }
  void put(const void* data, std::size_t bytes) {
    XXH3_64bits_update(&checksum_, data, bytes);
    out_.write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
  }
  void put(std::uint64_t value) { put(&value, sizeof value); }
  void finish() {
    header_.checksum = XXH3_64bits_digest(&checksum_);
    out_.seekp(0);
    out_.write(reinterpret_cast<const char*>(&header_), sizeof header_);
    out_.close();
    if (!out_) throw Error(Code::kIo, path_ + ": cannot be written: " + std::strerror(errno));
  }

 private:
  std::string path_;
  std::ofstream out_;
  Header header_;
  XXH3_state_t checksum_;
};

/// Takes values from the front of a file's bytes.
class Reader {
 public:
  Reader(const std::string& path, std::string_view bytes) : path_(&path), left_(bytes) {}
  std::uint64_t number() {
    std::uint64_t value = 0;
    std::memcpy(&value, take(1, sizeof value).data(), sizeof value);
    return value;
  }
  std::string text(std::uint64_t bytes) { return std::string(take(bytes, 1)); }
  template <class T>
  std::vector<T> values(std::uint64_t count) {
    const std::string_view from = take(count, sizeof(T));
    std::vector<T> out(count);
    if (count > 0) std::memcpy(out.data(), from.data(), from.size());
    return out;
  }
  bool at_end() const noexcept { return left_.empty(); }

 private:
  std::string_view take(std::uint64_t count, std::size_t width) {
    if (count > left_.size() / width) throw Error(Code::kCorruptData, *path_ + " ends before its last domain");
    const std::string_view taken = left_.substr(0, count * width);
    left_.remove_prefix(taken.size());
    return taken;
  }

  const std::string* path_;
  std::string_view left_;
};

}  // namespace

void DomainIndex::append(std::string_view domain_name, std::uint32_t length) {
  const std::int64_t row = row_count_++;
  if (length == 0) return;
  Domain& to = domain(domain_name);
  to.rows.push_back(row);
  to.lengths.push_back(length);
  to.token_count += length;
}

Domain& DomainIndex::domain(std::string_view name) {
  if (recent_ < domains_.size() && domains_[recent_].name == name) return domains_[recent_];
  const auto [it, is_first] = numbers_.emplace(name, domains_.size());
  if (is_first) domains_.push_back({it->first, {}, {}, 0});
  recent_ = it->second;
  return domains_[recent_];
}

std::int64_t DomainIndex::empty_count() const noexcept {
  std::int64_t documents = 0;
  for (const Domain& domain : domains_) documents += static_cast<std::int64_t>(domain.rows.size());
  return row_count_ - documents;
}

bool DomainIndex::has(std::string_view domain) const { return numbers_.contains(std::string(domain)); }

void DomainIndex::save(const std::string& path) const {
  Header header{};
  std::copy(std::begin(kMagic), std::end(kMagic), header.magic);
  header.version = kVersion;
  header.domain_count = domains_.size();
  header.row_count = row_count_;
  header.draw_count = draw_count;
  Writer out(path, header);
  for (const Domain& domain : domains_) {
    out.put(domain.name.size());
    out.put(domain.rows.size());
    out.put(domain.name.data(), domain.name.size());
    out.put(domain.rows.data(), domain.rows.size() * sizeof(std::int64_t));
    out.put(domain.lengths.data(), domain.lengths.size() * sizeof(std::uint32_t));
  }
  out.finish();
}

DomainIndex DomainIndex::load(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(Code::kNotFound, path + ": cannot be read");
  Header header{};
  in.read(reinterpret_cast<char*>(&header), sizeof header);
  if (!in || std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) throw Error(Code::kCorruptData, path + " is not an index of mixers/weighted");
  if (header.version != kVersion)
    throw Error(Code::kCorruptData, path + " has format version " + std::to_string(header.version) + ", expected " + std::to_string(kVersion));
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  XXH3_state_t checksum;
  XXH3_64bits_reset(&checksum);
  XXH3_64bits_update(&checksum, &header, offsetof(Header, checksum));
  XXH3_64bits_update(&checksum, bytes.data(), bytes.size());
  if (XXH3_64bits_digest(&checksum) != header.checksum) throw Error(Code::kCorruptData, path + " does not have the checksum that it was written with");

  DomainIndex index;
  index.row_count_ = header.row_count;
  index.draw_count = header.draw_count;
  Reader reader(path, bytes);
  for (std::uint64_t i = 0; i < header.domain_count; ++i) {
    const std::uint64_t name_bytes = reader.number(), documents = reader.number();
    Domain& domain = index.domain(reader.text(name_bytes));
    domain.rows = reader.values<std::int64_t>(documents);
    domain.lengths = reader.values<std::uint32_t>(documents);
    for (const std::uint32_t length : domain.lengths) domain.token_count += length;
  }
  if (!reader.at_end()) throw Error(Code::kCorruptData, path + " goes on after its last domain");
  return index;
}

}  // namespace flowrun::mixers
