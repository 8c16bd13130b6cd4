#include "parquet_file.hpp"

#include <arrow/io/file.h>
#include <arrow/memory_pool.h>
#include <arrow/status.h>
#include <arrow/util/io_util.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "columns.hpp"

namespace flowrun::readers {
namespace {

/// Of each column chunk being read. Pages are mostly 1 MiB, so larger ones are read past this buffer.
constexpr std::int64_t kStreamBytes = 64 << 10;

[[noreturn]] void throw_status(const arrow::Status& status) {
  if (const int number = arrow::internal::ErrnoFromStatus(status); number != 0)
    throw Error(number == ENOENT ? Code::kNotFound : Code::kIo, std::string("cannot be read: ") + std::strerror(number));
  if (status.IsOutOfMemory())
    throw Error(Code::kCorruptData, "the pages ask for more memory than 'max_page_bytes' allows; raise it if the file is sound (" + status.message() + ")");
  throw Error(status.IsNotImplemented() ? Code::kUnsupported : Code::kCorruptData, status.message().substr(0, status.message().find('\n')));
}

/// Runs `body` and turns whatever Arrow throws into an Error. What it says of damage may be several lines; the first says it.
template <class Body>
auto guarded(Body&& body) {
  try {
    return body();
  } catch (const Error&) {
    throw;
  } catch (const parquet::ParquetStatusException& error) {
    throw_status(error.status());
  } catch (const std::bad_alloc&) {
    throw Error(Code::kCorruptData, "more memory is asked for than there is");
  } catch (const std::exception& error) {
    const std::string text = error.what();
    throw Error(text.starts_with("Not yet implemented") ? Code::kUnsupported : Code::kCorruptData, text.substr(0, text.find('\n')));
  }
}

/// Counts what one file's pages take and refuses more than a limit: a damaged header may ask for anything.
struct PagePool {
  explicit PagePool(std::int64_t max_bytes) : counted(arrow::system_memory_pool()), capped(&counted, max_bytes) {}
  arrow::ProxyMemoryPool counted;
  arrow::CappedMemoryPool capped;
};

/// Reads the wanted columns of a row group side by side.
class Rows : public RowGroupRows {
 public:
  struct Column {
    std::string name;
    std::unique_ptr<ColumnRows> rows;
  };
  Rows(std::shared_ptr<parquet::RowGroupReader> group, std::int64_t row_count) : group_(std::move(group)), row_count_(row_count) {}

  void add(const LeafColumn& column) {
    Column& added = columns_.emplace_back();
    added.name = column.field.name;
    in_column(added, [&] { added.rows = ColumnRows::make(column, group_->Column(column.index), row_count_); });
  }

  bool next() override {
    const bool ended = row_ == row_count_;
    for (Column& column : columns_) in_column(column, [&] { ended ? column.rows->check_end() : column.rows->advance(); });
    row_ += ended ? 0 : 1;
    return !ended;
  }

  std::optional<std::string_view> text() override { return columns_[0].rows->text(); }
  std::optional<std::string_view> id() override { return id_ == 0 ? std::nullopt : columns_[id_].rows->text(); }
  std::optional<std::string_view> domain() override { return domain_ == 0 ? std::nullopt : columns_[domain_].rows->text(); }

  std::optional<std::string> find_bad_utf8(std::string_view* value) const override {
    for (const Column& column : columns_)
      if (const auto bad = column.rows->find_bad_utf8()) {
        *value = *bad;
        return column.name;
      }
    return std::nullopt;
  }

  void append_kept(std::vector<TypedColumnBuilder>& builders) const override {
    for (std::size_t i = 0; i < builders.size(); ++i) columns_[first_kept_ + i].rows->append_to(builders[i]);
  }

  std::size_t id_ = 0, domain_ = 0, first_kept_ = 0;  ///< among columns_; 0, the text's place: none

 private:
  template <class Body>
  static void in_column(const Column& column, Body&& body) {
    try {
      guarded(body);
    } catch (Error& error) {
      throw Error(error.code(), "column '" + column.name + "': " + error.message());
    }
  }

  std::shared_ptr<parquet::RowGroupReader> group_;
  const std::int64_t row_count_;
  std::int64_t row_ = 0;
  std::vector<Column> columns_;
};

LeafColumn find_typed(const parquet::SchemaDescriptor& schema, const std::string& name, const char* expected, const char* formats) {
  LeafColumn column = find_column(schema, name);
  if (column.field.format.size() != 1 || std::strchr(formats, column.field.format[0]) == nullptr)
    throw Error(Code::kInvalidArgument, "column '" + name + "' has Arrow format '" + column.field.format + "', expected " + expected);
  return column;
}

}  // namespace

struct ParquetFile::Impl {
  Impl(const std::string& path, const WantedColumns& wanted, std::int64_t max_page_bytes) : pool(max_page_bytes) {
    guarded([&] {
      auto opened = arrow::io::ReadableFile::Open(path, &pool.capped);
      if (!opened.ok()) throw_status(opened.status());
      parquet::ReaderProperties properties(&pool.capped);
      properties.enable_buffered_stream();
      properties.set_buffer_size(kStreamBytes);
      properties.set_page_checksum_verification(true);  // where a page has one
      reader = parquet::ParquetFileReader::Open(*opened, properties);
      find_columns(*reader->metadata()->schema(), wanted);
      read_footer(*reader->metadata());
    });
  }

  void find_columns(const parquet::SchemaDescriptor& schema, const WantedColumns& wanted) {
    columns.push_back(find_typed(schema, wanted.text, "text", "u"));
    if (!wanted.id.empty()) {
      id = columns.size();
      columns.push_back(find_typed(schema, wanted.id, "text or an integer", "ucCsSiIlL"));
    }
    if (!wanted.domain.empty()) {
      domain = columns.size();
      columns.push_back(find_typed(schema, wanted.domain, "text", "u"));
    }
    first_kept = columns.size();
    for (const Column& column : wanted.kept) {
      columns.push_back(find_column(schema, column.from));
      kept_fields.push_back(columns.back().field);
      kept_fields.back().name = column.name;
    }
  }

  void read_footer(const parquet::FileMetaData& footer) {
    for (int i = 0; i < footer.num_row_groups(); ++i) {
      const auto group = footer.RowGroup(i);
      RowGroup& found = row_groups.emplace_back();
      found.rows = group->num_rows();
      if (found.rows < 0) throw Error(Code::kCorruptData, "row group " + std::to_string(i) + " has " + std::to_string(found.rows) + " rows, expected at least 0");
      if (group->num_columns() != footer.num_columns())
        throw Error(Code::kCorruptData, "row group " + std::to_string(i) + " has " + std::to_string(group->num_columns()) + " columns, expected " + std::to_string(footer.num_columns()));
      for (const LeafColumn& column : columns) found.bytes += std::max<std::int64_t>(group->ColumnChunk(column.index)->total_compressed_size(), 0);
    }
  }

  PagePool pool;
  std::unique_ptr<parquet::ParquetFileReader> reader;
  std::vector<LeafColumn> columns;  ///< the text, then id, domain, kept ones
  std::size_t id = 0, domain = 0, first_kept = 0;
  std::vector<Field> kept_fields;
  std::vector<RowGroup> row_groups;
};

ParquetFile::ParquetFile(const std::string& path, const WantedColumns& wanted, std::int64_t max_page_bytes)
    : impl_(std::make_unique<Impl>(path, wanted, max_page_bytes)) {}
ParquetFile::~ParquetFile() = default;

const std::vector<RowGroup>& ParquetFile::row_groups() const { return impl_->row_groups; }
const std::vector<Field>& ParquetFile::kept_fields() const { return impl_->kept_fields; }

std::unique_ptr<RowGroupRows> ParquetFile::read(std::size_t row_group) {
  auto rows = guarded([&] { return std::make_unique<Rows>(impl_->reader->RowGroup(static_cast<int>(row_group)), impl_->row_groups.at(row_group).rows); });
  for (const LeafColumn& column : impl_->columns) rows->add(column);
  rows->id_ = impl_->id;
  rows->domain_ = impl_->domain;
  rows->first_kept_ = impl_->first_kept;
  return rows;
}

}  // namespace flowrun::readers
