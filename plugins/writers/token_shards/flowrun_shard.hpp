#pragma once

// A shard that loses nothing: tokens and every column of their documents, as arrays of one safetensors file, NAME.safetensors (docs/token-shards.md).

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "column_arrays.hpp"
#include "safetensors_output.hpp"
#include "shard.hpp"

namespace flowrun::writers {

/// Writes one shard. Tokens are kept as they are, without an end-of-text id.
class FlowrunShard : public Shard {
 public:
  /// Throws kUnsupported for a column that cannot be kept, kInvalidArgument where two need one name.
  FlowrunShard(const Field& schema, int token_bytes, const std::string& stem);
  void append(const TokensView& documents, std::int64_t row) override;
  void finish() override { out_->finish(); }

 private:
  /// A column of the batch that is kept by its type.
  struct Column {
    std::size_t place;
    ColumnArrays arrays;
  };

  int token_bytes_;
  std::vector<Column> columns_;
  std::unique_ptr<SafetensorsOutput> out_;
  std::string buffer_;  ///< kept for its memory alone
};

}  // namespace flowrun::writers
