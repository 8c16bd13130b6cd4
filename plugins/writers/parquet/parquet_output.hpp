#pragma once

// Rows as a Parquet file through Arrow C++: zstd, pages with checksums, row groups by size.

#include <flowrun/message.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace flowrun::writers {

/// How the file is laid out.
struct ParquetLayout {
  std::int64_t row_group_bytes = 64 << 20;  ///< a row group ends with the row that takes its values to this, before compression
  int compression_level = 3;                ///< of zstd
};

/// A Parquet file whose bytes depend on its rows alone, never on the batches in which they come: Arrow sees chunks that end where the rows say so.
///
/// Memory: a row group's compressed pages, and a chunk of 1 MiB or one row. Errors: kIo, naming the path; kUnsupported for columns that Arrow cannot write.
/// Threads: one call at a time.
class ParquetOutput {
 public:
  ParquetOutput(const std::string& path, const Field& schema, const ParquetLayout& layout);
  ~ParquetOutput();
  /// Adds all rows of a batch of the schema. The batch is copied.
  void append(const ArrowArray& batch);
  /// Writes what is left and the footer. Without it the file is incomplete.
  void finish();

 private:
  struct Impl;
  void end_chunk();

  const Field schema_;
  const ParquetLayout layout_;
  std::unique_ptr<Impl> impl_;
  std::vector<OwnedArray> pieces_;  ///< rows of the chunk, batch by batch
  std::int64_t chunk_rows_ = 0, chunk_bytes_ = 0, row_group_bytes_ = 0;
};

}  // namespace flowrun::writers
