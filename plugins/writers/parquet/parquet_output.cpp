#include "parquet_output.hpp"

#include <flowrun/error.hpp>

#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/util/io_util.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

namespace flowrun::writers {
namespace {

/// A chunk is what Arrow gets at once; it decides after each whether a page is full.
constexpr std::int64_t kChunkBytes = 1 << 20;
constexpr std::int64_t kChunkRows = 1024;

void check(const arrow::Status& status, const std::string& path) {
  if (status.ok()) return;
  const int number = arrow::internal::ErrnoFromStatus(status);
  if (number == 0 && (status.IsNotImplemented() || status.IsTypeError())) throw Error(Code::kUnsupported, path + ": " + status.message());
  throw Error(Code::kIo, path + ": cannot be written: " + (number != 0 ? std::strerror(number) : status.message()));
}

/// Runs `body`, whose status is checked as well; some of Arrow throws.
template <class Body>
void guarded(const std::string& path, Body&& body) {
  try {
    check(body(), path);
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(Code::kIo, path + ": cannot be written: " + error.what());
  }
}

std::int64_t bytes_of(const Field& field, const ArrowArray& column, std::int64_t at) {
  const char kind = field.format[0];
  if (kind != 'u' && kind != '+') return kind == 'b' ? 1 : detail::bit_width(kind) / 8;
  const auto* offsets = static_cast<const std::int32_t*>(column.buffers[1]) + at;
  if (kind == 'u') return offsets[1] - offsets[0];
  std::int64_t bytes = 0;
  for (std::int32_t i = offsets[0]; i < offsets[1]; ++i) bytes += bytes_of(field.children[0], *column.children[0], column.children[0]->offset + i);
  return bytes;
}

std::int64_t row_bytes(const Field& schema, const ArrowArray& batch, std::int64_t row) {
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < schema.children.size(); ++i) bytes += bytes_of(schema.children[i], *batch.children[i], batch.children[i]->offset + batch.offset + row);
  return bytes;
}

std::shared_ptr<parquet::WriterProperties> properties_of(const Field& schema, const ParquetLayout& layout) {
  parquet::WriterProperties::Builder builder;
  builder.memory_pool(arrow::system_memory_pool());
  builder.compression(arrow::Compression::ZSTD)->compression_level(layout.compression_level);
  builder.max_row_group_length(std::numeric_limits<std::int64_t>::max());  // bytes decide
  builder.enable_page_checksum();
  for (const Field& field : schema.children) {
    // Values that hardly come twice: a dictionary, and the least and greatest of them, would help nobody.
    if (field.name != "id" && field.name != "text" && field.format != "+l") continue;
    const std::string path = field.format == "+l" ? field.name + ".list.element" : field.name;
    builder.disable_dictionary(path)->disable_statistics(path);
  }
  return builder.build();
}

}  // namespace

struct ParquetOutput::Impl {
  std::string path;
  std::shared_ptr<arrow::Schema> schema;
  std::shared_ptr<arrow::io::FileOutputStream> file;
  std::unique_ptr<parquet::arrow::FileWriter> writer;
};

ParquetOutput::ParquetOutput(const std::string& path, const Field& schema, const ParquetLayout& layout) : schema_(schema), layout_(layout), impl_(std::make_unique<Impl>()) {
  impl_->path = path;
  guarded(path, [&]() -> arrow::Status {
    ArrowSchema exported;
    export_schema(schema, &exported);
    ARROW_ASSIGN_OR_RAISE(impl_->schema, arrow::ImportSchema(&exported));
    ARROW_ASSIGN_OR_RAISE(impl_->file, arrow::io::FileOutputStream::Open(path));
    // With Arrow's own schema in the footer a reader finds unsigned numbers and lists as they were.
    const auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    ARROW_ASSIGN_OR_RAISE(impl_->writer, parquet::arrow::FileWriter::Open(*impl_->schema, arrow::system_memory_pool(), impl_->file, properties_of(schema, layout), arrow_properties));
    return arrow::Status::OK();
  });
}

ParquetOutput::~ParquetOutput() = default;

void ParquetOutput::append(const ArrowArray& batch) {
  std::vector<std::int64_t> rows;
  const auto take_piece = [&] {
    if (!rows.empty()) pieces_.push_back(select_rows(batch, schema_, rows));
    rows.clear();
  };
  for (std::int64_t row = 0; row < batch.length; ++row) {
    rows.push_back(row);
    chunk_bytes_ += row_bytes(schema_, batch, row);
    if (++chunk_rows_ < kChunkRows && chunk_bytes_ < kChunkBytes && row_group_bytes_ + chunk_bytes_ < layout_.row_group_bytes) continue;
    take_piece();
    end_chunk();
  }
  take_piece();
}

void ParquetOutput::end_chunk() {
  if (pieces_.empty()) return;
  OwnedArray chunk = std::move(pieces_.front());
  if (pieces_.size() > 1) {
    pieces_.front() = std::move(chunk);
    std::vector<RowRef> rows;
    for (std::size_t piece = 0; piece < pieces_.size(); ++piece)
      for (std::int64_t row = 0; row < pieces_[piece].get().length; ++row) rows.push_back({piece, row});
    chunk = select_rows(pieces_, schema_, rows);
  }
  pieces_.clear();
  guarded(impl_->path, [&]() -> arrow::Status {
    if (row_group_bytes_ == 0) ARROW_RETURN_NOT_OK(impl_->writer->NewBufferedRowGroup());
    ArrowArray array;
    chunk.move_to(&array);
    ARROW_ASSIGN_OR_RAISE(const auto batch, arrow::ImportRecordBatch(&array, impl_->schema));
    return impl_->writer->WriteRecordBatch(*batch);
  });
  row_group_bytes_ += chunk_bytes_;
  if (row_group_bytes_ >= layout_.row_group_bytes) row_group_bytes_ = 0;
  chunk_rows_ = chunk_bytes_ = 0;
}

void ParquetOutput::finish() {
  end_chunk();
  guarded(impl_->path, [&]() -> arrow::Status {
    ARROW_RETURN_NOT_OK(impl_->writer->Close());
    return impl_->file->Close();
  });
}

}  // namespace flowrun::writers
