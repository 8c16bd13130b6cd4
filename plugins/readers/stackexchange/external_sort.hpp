#pragma once

// Sorts more than fits into memory: what is kept is sorted and written to a temporary file whenever it takes too much, and the files are merged in
// the end. Files have no name, so that nothing is left of them however the run ends. Knuth, TAOCP 3, 5.4.

#include <flowrun/node.hpp>

#include <atomic>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace flowrun::readers {

struct SortKey {
  std::int64_t group = 0, kind = 0, number = 0;
  auto operator<=>(const SortKey&) const = default;
};

struct SortEntry {
  SortKey key;
  std::string payload;
};

/// Memory that all sorts of one node share; each that is being filled has an equal part.
struct SortBudget {
  std::int64_t bytes = 0;
  std::atomic<std::int64_t> filling = 0;
};

/// Takes entries with different keys in any order and gives them in the order of their keys, whatever the memory. One thread at a time.
///
/// Memory: its part of the budget and 64 KiB for each of at most 64 files a level, of which the n-th holds 64^n times that part.
/// Errors: kIo where a temporary file cannot be made, written or read; the message names the folder.
class ExternalSort {
 public:
  explicit ExternalSort(SortBudget& budget);
  ~ExternalSort();
  void add(const Call& call, SortEntry entry);
  /// Ends the adding.
  void finish(const Call& call);
  /// Gives the next entry; false behind the last one.
  bool next(SortEntry& entry);
  /// Returns how many temporary files have been written.
  std::int64_t spill_count() const noexcept { return spill_count_; }

 private:
  class Run;
  class Merge;
  void spill(const Call& call);
  void write_merged(const Call& call, std::size_t level);

  SortBudget* budget_;
  std::vector<SortEntry> entries_;
  std::int64_t bytes_ = 0, spill_count_ = 0;
  std::size_t given_ = 0;                                 ///< of entries_
  std::vector<std::vector<std::unique_ptr<Run>>> levels_;
  std::unique_ptr<Merge> merge_;                          ///< once something was written
  bool filling_ = true;
};

}  // namespace flowrun::readers
