#include "graph/spool.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <flowrun/node.hpp>

#include "base/zstd_stream.hpp"

namespace flowrun::graph {
namespace {

constexpr char kMagic[9] = "FLRSPOOL";
constexpr std::uint32_t kVersion = 1;
/// Raw bytes at which a block ends: large enough to compress well, small enough that one document drawn at random stays cheap.
constexpr std::int64_t kDocumentsBlockBytes = std::int64_t{1} << 20;
constexpr std::int64_t kTokensBlockBytes = std::int64_t{256} << 10;
/// More than one block can hold: every column ends below 2 GiB.
constexpr std::uint64_t kRawBytesMax = std::uint64_t{1} << 36;

nlohmann::json to_json(const Field& field) {
  nlohmann::json children = nlohmann::json::array();
  for (const auto& child : field.children) children.push_back(to_json(child));
  return {{"name", field.name}, {"format", field.format}, {"nullable", field.nullable}, {"children", std::move(children)}};
}

Field field_from(const nlohmann::json& object) {
  Field field{object.at("name").get<std::string>(), object.at("format").get<std::string>(), object.at("nullable").get<bool>(), {}};
  for (const auto& child : object.at("children")) field.children.push_back(field_from(child));
  return field;
}

/// Returns the bytes that a row takes, from its offsets and widths.
std::int64_t row_bytes(const ArrowArray& array, const Field& field, std::int64_t row) {
  if (field.format == "+s") {
    std::int64_t total = 0;
    for (std::size_t i = 0; i < field.children.size(); ++i) total += row_bytes(*array.children[i], field.children[i], array.offset + row);
    return total;
  }
  if (field.format == "u" || field.format == "z" || field.format == "+l") {
    const auto* offsets = static_cast<const std::int32_t*>(array.buffers[1]) + array.offset + row;
    const std::int64_t values = std::int64_t{offsets[1]} - offsets[0];
    return 4 + values * (field.format == "+l" ? 4 : 1);
  }
  return field.format == "b" ? 1 : detail::bit_width(field.format[0]) / 8;
}

template <class T>
T read_number(std::string_view& in) {
  T value{};
  if (in.size() < sizeof value) throw Error(Code::kCorruptData, "the index ends early");
  std::memcpy(&value, in.data(), sizeof value);
  in.remove_prefix(sizeof value);
  return value;
}

}  // namespace

// ------------------------------------------------------------------------------------------------------------------------ writer

SpoolWriter::SpoolWriter(const std::string& path, const Field& schema, int level) : file_(path), schema_(schema), level_(level), buffer_(schema) {
  const std::string text = to_json(schema).dump();
  const std::uint32_t header[2] = {kVersion, static_cast<std::uint32_t>(text.size())};
  file_.write(std::string(kMagic, 8) + std::string(reinterpret_cast<const char*>(header), sizeof header) + text);
}

void SpoolWriter::append(const ArrowArray& batch) {
  const std::int64_t limit = schema_.find("input_ids") >= 0 ? kTokensBlockBytes : kDocumentsBlockBytes;
  std::int64_t first = 0;
  for (std::int64_t row = 0; row < batch.length; ++row) {
    buffered_bytes_ += row_bytes(batch, schema_, row);
    if (buffered_bytes_ < limit) continue;
    buffer_.append(batch, first, row + 1 - first);
    first = row + 1;
    flush();
  }
  if (first < batch.length) buffer_.append(batch, first, batch.length - first);
  rows_ += batch.length;
}

void SpoolWriter::flush() {
  if (buffer_.rows() == 0) return;
  const auto rows = static_cast<std::uint64_t>(buffer_.rows());
  const std::uint64_t first_row = blocks_.empty() ? 0 : blocks_.back().first_row + blocks_.back().rows;
  std::string raw;
  buffer_.serialize(raw);
  const std::string stored = zstd_compress(raw, level_);
  blocks_.push_back({file_.written_bytes(), stored.size(), raw.size(), first_row, rows});
  file_.write(stored);
  buffered_bytes_ = 0;
}

void SpoolWriter::finish() {
  flush();
  const std::uint64_t index_offset = file_.written_bytes();
  const std::string index = zstd_compress({reinterpret_cast<const char*>(blocks_.data()), blocks_.size() * sizeof(Block)});
  const std::uint64_t trailer[4] = {index_offset, index.size(), blocks_.size(), static_cast<std::uint64_t>(rows_)};
  file_.write(index + std::string(reinterpret_cast<const char*>(trailer), sizeof trailer) + std::string(kMagic, 8));
  file_.commit();
}

// ------------------------------------------------------------------------------------------------------------------------ reader

SpoolReader::SpoolReader(std::string path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) throw Error(errno == ENOENT ? Code::kNotFound : Code::kIo, fmt::format("cannot open '{}': {}", path_, std::strerror(errno)));
  try {
    const off_t size = ::lseek(descriptor_, 0, SEEK_END);
    if (size < 56) throw Error(Code::kCorruptData, fmt::format("it has {} bytes, too few for a spool", size));
    const std::string head = read_at(0, 16, "the header");
    std::string_view cursor(head);
    if (cursor.substr(0, 8) != std::string_view(kMagic, 8)) throw Error(Code::kCorruptData, "it does not begin as a spool");
    cursor.remove_prefix(8);
    const auto version = read_number<std::uint32_t>(cursor);
    if (version != kVersion) throw Error(Code::kUnsupported, fmt::format("it has spool version {}, expected {}", version, kVersion));
    const auto schema_bytes = read_number<std::uint32_t>(cursor);
    if (schema_bytes > static_cast<std::uint64_t>(size)) throw Error(Code::kCorruptData, "the schema is longer than the file");
    const auto schema = nlohmann::json::parse(read_at(16, schema_bytes, "the schema"), nullptr, false);
    if (schema.is_discarded()) throw Error(Code::kCorruptData, "the schema is not JSON");
    schema_ = field_from(schema);
    const std::string tail = read_at(static_cast<std::uint64_t>(size) - 40, 40, "the trailer");
    if (tail.substr(32) != std::string_view(kMagic, 8)) throw Error(Code::kCorruptData, "it does not end as a spool; it was cut");
    cursor = tail;
    const auto index_offset = read_number<std::uint64_t>(cursor), index_bytes = read_number<std::uint64_t>(cursor);
    const auto block_count = read_number<std::uint64_t>(cursor);
    rows_ = static_cast<std::int64_t>(read_number<std::uint64_t>(cursor));
    if (index_offset > static_cast<std::uint64_t>(size) || index_bytes > static_cast<std::uint64_t>(size) - index_offset || block_count > static_cast<std::uint64_t>(size))
      throw Error(Code::kCorruptData, "the trailer points outside the file");
    const std::string index = zstd_decompress(read_at(index_offset, index_bytes, "the index"), block_count * sizeof(Block));
    if (index.size() != block_count * sizeof(Block)) throw Error(Code::kCorruptData, "the index has the wrong size");
    blocks_.resize(block_count);
    if (block_count != 0) std::memcpy(blocks_.data(), index.data(), index.size());
    check_blocks(index_offset);
  } catch (Error& error) {
    ::close(descriptor_);
    error.add_context(fmt::format("in '{}'; remove its folder and run again", path_));
    throw;
  } catch (const nlohmann::json::exception& error) {
    ::close(descriptor_);
    throw Error(Code::kCorruptData, fmt::format("'{}' has a damaged schema: {}", path_, error.what()));
  }
}

/// Checks what no checksum covers: the schema's types, and that the blocks lie in the file one after another and hold all rows.
void SpoolReader::check_blocks(std::uint64_t end) const {
  const ColumnBuffer fits(schema_);
  std::uint64_t row = 0;
  for (const auto& block : blocks_) {
    if (block.offset > end || block.stored_bytes > end - block.offset || block.first_row != row || block.rows == 0 || block.raw_bytes > kRawBytesMax)
      throw Error(Code::kCorruptData, fmt::format("the index has a bad entry for row {}", row));
    row += block.rows;
  }
  if (row != static_cast<std::uint64_t>(rows_)) throw Error(Code::kCorruptData, fmt::format("the index holds {} rows, the trailer says {}", row, rows_));
}

SpoolReader::~SpoolReader() { ::close(descriptor_); }

std::string SpoolReader::read_at(std::uint64_t offset, std::uint64_t bytes, const char* what) const {
  std::string text(bytes, '\0');
  std::uint64_t done = 0;
  while (done < bytes) {
    const ssize_t got = ::pread(descriptor_, text.data() + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error(Code::kIo, fmt::format("cannot read {} of '{}': {}", what, path_, std::strerror(errno)));
    if (got == 0) throw Error(Code::kCorruptData, fmt::format("'{}' ends inside {} at byte {}", path_, what, offset + done));
    done += static_cast<std::uint64_t>(got);
  }
  return text;
}

OwnedArray SpoolReader::load_block(std::int64_t block) const {
  const Block& entry = blocks_.at(static_cast<std::size_t>(block));
  try {
    const std::string raw = zstd_decompress(read_at(entry.offset, entry.stored_bytes, "a block"), entry.raw_bytes);
    std::string_view cursor(raw);
    OwnedArray array = ColumnBuffer::deserialize(schema_, cursor);
    if (!cursor.empty() || array.get().length != static_cast<std::int64_t>(entry.rows)) throw Error(Code::kCorruptData, "a block does not hold what the index says");
    return array;
  } catch (Error& error) {
    error.add_context(fmt::format("in '{}', block {} at byte {}; remove its folder and run again", path_, block, entry.offset));
    throw;
  }
}

std::shared_ptr<const OwnedArray> SpoolReader::cached_block(std::int64_t block) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = cache_.find(block); it != cache_.end()) {
      recent_.splice(recent_.begin(), recent_, it->second.second);
      return it->second.first;
    }
  }
  auto loaded = std::make_shared<const OwnedArray>(load_block(block));
  const std::lock_guard lock(mutex_);
  if (cache_.contains(block)) return cache_.at(block).first;
  recent_.push_front(block);
  cache_.emplace(block, std::make_pair(loaded, recent_.begin()));
  if (cache_.size() > kCachedBlocks) {
    cache_.erase(recent_.back());
    recent_.pop_back();
  }
  return loaded;
}

OwnedArray SpoolReader::read(std::int64_t first, std::int64_t n) {
  if (first < 0 || n < 0 || first > rows_ - n) throw Error(Code::kInvalidArgument, fmt::format("rows {} to {} of {} in '{}'", first, first + n, rows_, path_));
  ColumnBuffer buffer(schema_);
  auto it = std::upper_bound(blocks_.begin(), blocks_.end(), static_cast<std::uint64_t>(first), [](std::uint64_t row, const Block& block) { return row < block.first_row; });
  while (n > 0) {
    const Block& block = *std::prev(it);
    const auto array = cached_block(std::prev(it) - blocks_.begin());
    const std::int64_t from = first - static_cast<std::int64_t>(block.first_row);
    const std::int64_t take = std::min(n, static_cast<std::int64_t>(block.rows) - from);
    buffer.append(array->get(), from, take);
    first += take;
    n -= take;
    ++it;
  }
  return buffer.take();
}

// ------------------------------------------------------------------------------------------------------------------ flow and dataset

Field index_schema(const Field& tokens) {
  Field index = fields::batch({});
  for (const auto& column : tokens.children)
    if (column.name != "input_ids") index.children.push_back(column);
  index.children.push_back(fields::uint32("length"));
  return index;
}

SpoolBody::SpoolBody(const std::string& folder, const Field& schema)
    : schema_(schema), ids_column_(schema.find("input_ids")), data_(folder + "/data.spool", schema) {
  if (ids_column_ >= 0) index_ = std::make_unique<SpoolWriter>(folder + "/index.spool", index_schema(schema));
}

flowrun_status SpoolBody::process(const flowrun_call* call, std::uint32_t, const Message& in, std::span<ArrowArray>) {
  return guarded(call, [&] {
    const ArrowArray& batch = in.array();
    data_.append(batch);
    if (!index_) return;
    const ListColumn ids(batch, *batch.children[ids_column_]);
    std::vector<std::uint32_t> lengths;
    for (std::int64_t row = 0; row < batch.length; ++row) lengths.push_back(static_cast<std::uint32_t>(ids[row].size()));
    std::vector<OwnedArray> columns;
    for (std::size_t i = 0; i < schema_.children.size(); ++i)
      if (static_cast<int>(i) != ids_column_) columns.push_back(borrow_column(*batch.children[i], batch.offset, batch.length));
    columns.push_back(make_column(std::move(lengths)));
    index_->append(make_batch(std::move(columns), batch.length).get());
  });
}

flowrun_status SpoolBody::finish(const flowrun_call* call, std::span<ArrowArray>) {
  return guarded(call, [&] {
    data_.finish();
    if (index_) index_->finish();
  });
}

namespace {

/// Gives one block in pieces of the batch limits.
class BlockReader final : public UnitReader {
 public:
  BlockReader(std::shared_ptr<SpoolReader> reader, std::int64_t block, std::int64_t batch_bytes, std::int64_t batch_documents)
      : reader_(std::move(reader)), block_(block), batch_bytes_(batch_bytes), batch_documents_(batch_documents) {}

  bool next(const flowrun_call*, OwnedArray& out) override {
    if (!rows_) rows_ = reader_->load_block(block_);
    const Field& schema = reader_->schema();
    const std::int64_t total = rows_.get().length;
    std::int64_t bytes = 0, end = first_;
    while (end < total && end - first_ < batch_documents_ && bytes < batch_bytes_) bytes += row_bytes(rows_.get(), schema, end++);
    if (first_ == 0 && end == total) out = std::move(rows_);
    else out = copy_rows(rows_.get(), schema, first_, end - first_);
    first_ = end;
    return end == total;
  }

 private:
  std::shared_ptr<SpoolReader> reader_;
  std::int64_t block_, batch_bytes_, batch_documents_, first_ = 0;
  OwnedArray rows_;
};

}  // namespace

SpoolSource::SpoolSource(const std::string& folder, std::int64_t batch_bytes, std::int64_t batch_documents)
    : reader_(std::make_shared<SpoolReader>(folder + "/data.spool")), batch_bytes_(batch_bytes), batch_documents_(batch_documents) {}

std::unique_ptr<UnitReader> SpoolSource::open_unit(const flowrun_call*, std::int64_t unit) {
  return std::make_unique<BlockReader>(reader_, unit, batch_bytes_, batch_documents_);
}

SpoolDataset::SpoolDataset(const std::string& folder) : data_(folder + "/data.spool"), index_(folder + "/index.spool") {
  export_schema(data_.schema(), &schema_);
  export_schema(index_.schema(), &index_schema_);
  table_.size = sizeof table_;
  table_.self = this;
  table_.schema = &schema_;
  table_.index_schema = &index_schema_;
  table_.count = [](void* self) { return static_cast<SpoolDataset*>(self)->data_.rows(); };
  table_.index = [](void* self, const flowrun_call* call, std::int64_t first, std::int64_t n, ArrowArray* out) {
    return guarded(call, [&] { static_cast<SpoolDataset*>(self)->index_.read(first, n).move_to(out); });
  };
  table_.read = [](void* self, const flowrun_call* call, std::int64_t first, std::int64_t n, ArrowArray* out) {
    return guarded(call, [&] { static_cast<SpoolDataset*>(self)->data_.read(first, n).move_to(out); });
  };
}

SpoolDataset::~SpoolDataset() {
  schema_.release(&schema_);
  index_schema_.release(&index_schema_);
}

}  // namespace flowrun::graph
