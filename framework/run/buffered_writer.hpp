#pragma once

// Writes a file that is made of many small texts in few operations.

#include <string>
#include <string_view>

#include "base/durable.hpp"

namespace flowrun::run {

/// Gathers texts for a staged file, which must outlive it. What is written last is in the file after `flush`.
class BufferedWriter {
 public:
  explicit BufferedWriter(io::StagedFile& file) : file_(&file) {}
  void write(std::string_view text) {
    text_ += text;
    if (text_.size() >= kWriteBytes) flush();
  }
  void flush() {
    file_->write(text_);
    text_.clear();
  }

 private:
  static constexpr std::size_t kWriteBytes = 64 << 10;
  io::StagedFile* file_;
  std::string text_;
};

}  // namespace flowrun::run
