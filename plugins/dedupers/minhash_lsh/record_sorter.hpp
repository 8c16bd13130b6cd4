#pragma once

// Sorts more records than fit into memory: full buffers go to disk as sorted runs, which are merged as they are read.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/unnamed_file.hpp"

namespace flowrun::dedupers {

/// Two numbers, ordered by the first, then the second: a bucket's key and a document, or two documents.
struct Record {
  std::uint64_t first, second;
  auto operator<=>(const Record&) const = default;
};

/// One thread at a time. Throws kIo where a run cannot be written.
///
/// Memory: `memory_bytes`, or 64 KiB where that is more. Disk: 16 bytes a record, nothing where all of them fit into memory. The order does not depend on the memory.
class RecordSorter {
 public:
  RecordSorter(std::size_t memory_bytes, std::string folder);

  void add(Record record);
  std::uint64_t size() const noexcept { return size_; }
  /// Returns how many sorted runs lie on disk.
  std::size_t runs() const noexcept { return runs_.size(); }
  std::size_t memory_bytes() const noexcept { return buffer_.size() * sizeof(Record); }

  /// Gives all records in order, once or several times; nothing may be added meanwhile.
  class Cursor;
  Cursor read();

 private:
  class Run;

  void spill();
  void merge_runs();

  std::size_t capacity_;  ///< records in memory
  std::string folder_;
  std::vector<Record> buffer_;
  std::vector<common::UnnamedFile> runs_;
  std::uint64_t size_ = 0;
};

class RecordSorter::Cursor {
 public:
  Cursor(Cursor&&) noexcept;
  ~Cursor();
  /// Goes to the next record; returns whether there is one.
  bool next();
  Record record{};

 private:
  friend class RecordSorter;
  Cursor(const std::vector<common::UnnamedFile>& files, const std::vector<Record>& buffer, std::size_t buffer_bytes);

  std::vector<std::unique_ptr<Run>> runs_;
  std::vector<Run*> heads_;  ///< a heap, the smallest record on top
};

}  // namespace flowrun::dedupers
