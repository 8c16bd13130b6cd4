#pragma once

// Measures batches of one schema: documents, and bytes of their text.

#include <cstdint>
#include <string_view>

#include <flowrun/message.hpp>

#include "graph/records.hpp"

namespace flowrun::graph {

class BatchMeter {
 public:
  explicit BatchMeter(const Field& schema) : id_(schema.find("id")), text_(schema.find("text")), bytes_(schema.find("bytes")) {}

  Tally row(const ArrowArray& batch, std::int64_t row) const { return {1, row_bytes(batch, row), 0}; }
  Tally measure(const ArrowArray& batch) const {
    Tally tally{batch.length, 0, 0};
    if (text_ >= 0) tally.bytes = StringColumn(batch, *batch.children[text_]).byte_count(batch.length);
    else if (bytes_ >= 0)
      for (std::int64_t i = 0; i < batch.length; ++i) tally.bytes += row_bytes(batch, i);
    return tally;
  }
  std::string_view id(const ArrowArray& batch, std::int64_t row) const {
    return id_ < 0 ? std::string_view() : StringColumn(batch, *batch.children[id_])[row];
  }

 private:
  std::int64_t row_bytes(const ArrowArray& batch, std::int64_t row) const {
    if (text_ >= 0) return static_cast<std::int64_t>(StringColumn(batch, *batch.children[text_])[row].size());
    return bytes_ >= 0 ? column_values<std::int64_t>(batch, *batch.children[bytes_])[row] : 0;
  }

  int id_, text_, bytes_;
};

}  // namespace flowrun::graph
