#include "readers/common/stored_file.hpp"

#include <utility>

namespace flowrun::readers {

StoredFile::StoredFile(const std::string& path, StoredBytes bytes) {
  const StoredFormat format = find_format(bytes.peek(), path);
  plain_ = format == StoredFormat::kPlain;
  decoder_ = make_decoder(format, std::move(bytes));
}

}  // namespace flowrun::readers
