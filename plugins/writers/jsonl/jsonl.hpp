#pragma once

// Rows of a batch as JSON objects, one a line (RFC 8259; https://jsonlines.org).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <flowrun/message.hpp>

namespace flowrun::writers {

/// Appends `text`, which must be UTF-8, as a JSON string. Only what JSON asks for is escaped: quotes, backslashes and U+0000 to U+001F.
void append_json(std::string_view text, std::string& out);

/// Writes rows of one schema. Keys: id, text, domain, source, then the other columns by name, by the bytes of their UTF-8.
///
/// Values: strings, booleans, numbers (shortest decimal that reads back as the same number; not finite = null), lists of those, null.
/// Threads: any number of calls at once.
class JsonlFormat {
 public:
  /// Throws kUnsupported for a column of another kind.
  explicit JsonlFormat(const Field& schema);
  /// Appends row `row` of `batch` and a newline.
  void append(const ArrowArray& batch, std::int64_t row, std::string& out) const;

 private:
  struct Column {
    std::size_t number;  ///< in the batch
    Field field;
    std::string key;     ///< with what stands around it: {"id": or ,"text":
  };
  std::vector<Column> columns_;
};

}  // namespace flowrun::writers
