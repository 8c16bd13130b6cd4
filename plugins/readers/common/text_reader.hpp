#pragma once

// Text as documents: whole, or in pieces.

#include <flowrun/node.hpp>

#include <cstddef>
#include <cstdint>

#include "readers/common/file_source.hpp"
#include "readers/common/text_pieces.hpp"

namespace flowrun::readers {

/// How the text of a file becomes documents, as the parameters `split`, `split_bytes` and `max_record_bytes` say.
struct TextSplit {
  PieceLimits limits;
  bool forced_is_error = true;  ///< a piece that ends because of its limit is refused
};

TextSplit read_split(const Params& params);

/// Adds the three parameters.
Descriptor describe_split(Descriptor descriptor);

/// Gives the pieces of a text. Refuses what is no UTF-8, and what is too large.
class TextReader : public RecordReader {
 public:
  TextReader(Window& window, const TextSplit& split) : pieces_(window, split.limits), split_(split) {}
  Step next(const Call& call, Record& record, Refusal& refusal) override;

 private:
  TextPieces pieces_;
  TextSplit split_;
  std::int64_t number_ = 0;
};

}  // namespace flowrun::readers
