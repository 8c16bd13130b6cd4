#pragma once

// A stream kept as an artifact: rows in zstd blocks that end by their own size, never where batches end, so that the bytes are the same for any batch
// size and thread count; readable in order and by row. The format is docs/spool-format.md.

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <flowrun/message.hpp>

#include "base/durable.hpp"
#include "graph/column_buffer.hpp"
#include "graph/flow.hpp"

namespace flowrun::graph {

/// Writes one spool file; one thread at a time.
class SpoolWriter {
 public:
  /// `level` is zstd's.
  SpoolWriter(const std::string& path, const Field& schema, int level = 3);
  void append(const ArrowArray& batch);
  /// Writes the index and commits the file.
  void finish();
  std::int64_t rows() const noexcept { return rows_; }

 private:
  void flush();

  struct Block {
    std::uint64_t offset, stored_bytes, raw_bytes, first_row, rows;
  };
  io::StagedFile file_;
  Field schema_;
  int level_;
  ColumnBuffer buffer_;
  std::int64_t buffered_bytes_ = 0, rows_ = 0;
  std::vector<Block> blocks_;
};

/// Reads a spool file. [any thread] Throws Error(kCorruptData) naming file and offset for damage.
class SpoolReader {
 public:
  explicit SpoolReader(std::string path);
  ~SpoolReader();
  SpoolReader(const SpoolReader&) = delete;
  SpoolReader& operator=(const SpoolReader&) = delete;

  const Field& schema() const noexcept { return schema_; }
  std::int64_t rows() const noexcept { return rows_; }
  std::int64_t block_count() const noexcept { return static_cast<std::int64_t>(blocks_.size()); }
  /// Returns a block's rows, decompressed anew.
  OwnedArray load_block(std::int64_t block) const;
  /// Returns rows [first, first + n); keeps the blocks used last.
  OwnedArray read(std::int64_t first, std::int64_t n);

 private:
  struct Block {
    std::uint64_t offset, stored_bytes, raw_bytes, first_row, rows;
  };
  std::string read_at(std::uint64_t offset, std::uint64_t bytes, const char* what) const;
  std::shared_ptr<const OwnedArray> cached_block(std::int64_t block);
  void check_blocks(std::uint64_t end) const;

  std::string path_;
  int descriptor_ = -1;
  Field schema_;
  std::int64_t rows_ = 0;
  std::vector<Block> blocks_;
  /// Blocks kept by `read`: enough for the rows of a step drawn from anywhere in the data.
  static constexpr std::size_t kCachedBlocks = 64;
  std::mutex mutex_;  // protects cache_ and recent_
  std::unordered_map<std::int64_t, std::pair<std::shared_ptr<const OwnedArray>, std::list<std::int64_t>::iterator>> cache_;
  std::list<std::int64_t> recent_;
};

/// Writes a documents or tokens stream into the folder of an artifact: `data.spool`, and for tokens `index.spool` (every column but input_ids,
/// and `length`).
class SpoolBody final : public OrderedBody {
 public:
  SpoolBody(const std::string& folder, const Field& schema);
  flowrun_status process(const flowrun_call* call, std::uint32_t port, const Message& in, std::span<ArrowArray> out) override;
  flowrun_status finish(const flowrun_call* call, std::span<ArrowArray> out) override;

 private:
  Field schema_;
  int ids_column_;
  SpoolWriter data_;
  std::unique_ptr<SpoolWriter> index_;
};

/// Reads a spooled stream in order; a unit is a block.
class SpoolSource final : public SourceBody {
 public:
  /// `batch_bytes` and `batch_documents` cut blocks that are larger.
  SpoolSource(const std::string& folder, std::int64_t batch_bytes, std::int64_t batch_documents);
  const Field& schema() const noexcept { return reader_->schema(); }
  std::int64_t unit_count() override { return reader_->block_count(); }
  std::unique_ptr<UnitReader> open_unit(const flowrun_call* call, std::int64_t unit) override;

 private:
  std::shared_ptr<SpoolReader> reader_;
  std::int64_t batch_bytes_, batch_documents_;
};

/// A spooled token stream as rows by position, for plugins.
class SpoolDataset {
 public:
  explicit SpoolDataset(const std::string& folder);
  ~SpoolDataset();
  SpoolDataset(const SpoolDataset&) = delete;
  SpoolDataset& operator=(const SpoolDataset&) = delete;
  const flowrun_dataset* table() const noexcept { return &table_; }
  const Field& schema() const noexcept { return data_.schema(); }

 private:
  SpoolReader data_, index_;
  ArrowSchema schema_{}, index_schema_{};
  flowrun_dataset table_{};
};

/// Returns the schema of a tokens stream's index: every column but input_ids, and `length`.
Field index_schema(const Field& tokens);

}  // namespace flowrun::graph
