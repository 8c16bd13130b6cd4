#pragma once

// The safetensors files of writers/token_shards, format "flowrun": docs/token-shards.md says what stands where.

#include <flowrun/message.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stored_numbers.hpp"
#include "value_builder.hpp"

namespace flowrun::readers {

/// What the header of a shard says, checked: the arrays cover the data without gap, and the header has its checksum.
struct ShardHeader {
  struct Array {
    std::string dtype;
    std::int64_t begin = 0, bytes = 0;  ///< in the file
  };
  Field schema;  ///< of the tokens: all columns, as they were written
  std::map<std::string, Array> arrays;
  std::shared_ptr<const BlockChecksums> checksums;
};

/// Reads the header. Throws DamageAt, kIo.
ShardHeader read_shard_header(const OpenFile& file);

/// Returns the columns that a shard has beside those of all tokens. Throws DamageAt, kIo, kNotFound.
std::vector<Field> read_shard_columns(const std::string& path);

/// The values of one column, by row. One call at a time; memory: a block for each of its arrays, and the longest value. Errors: DamageAt, kIo.
class StoredColumn {
 public:
  /// A column of `rows` values. Throws DamageAt where the arrays that it needs are not there or have another size.
  StoredColumn(const Field& field, const std::string& name, std::int64_t rows, const ShardHeader& header, const std::shared_ptr<const OpenFile>& file);

  /// Appends the value to `out`, where there is one, and returns whether all text in it is UTF-8.
  bool read(std::int64_t row, ValueBuilder* out);
  /// Returns a value of a column that is no list; "" for null. Valid until the next call.
  std::string_view value(std::int64_t row);
  const Field& field() const noexcept { return field_; }

 private:
  struct Stored {
    StoredNumbers numbers;
    std::int64_t begin = 0, bytes = 0;
  };
  std::unique_ptr<Stored> find(const ShardHeader& header, const std::shared_ptr<const OpenFile>& file, const std::string& name, std::string_view dtype, std::int64_t bytes) const;
  std::pair<std::int64_t, std::int64_t> range_of(std::int64_t row);
  bool is_valid(std::int64_t row);

  Field field_;
  std::string name_;
  std::int64_t width_ = 0;                             ///< of a number or boolean
  std::int64_t total_ = 0;                             ///< bytes of text or items of lists
  std::unique_ptr<Stored> valid_, offsets_, values_;   ///< those that the type has
  std::vector<StoredColumn> items_;                    ///< of lists: one
  std::string buffer_;                                 ///< the last value
};

}  // namespace flowrun::readers
