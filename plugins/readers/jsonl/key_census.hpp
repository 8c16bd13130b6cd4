#pragma once

// Which of the keys that a graph names stand in the records of a source. One that stands in none is mostly misspelt, and would be null everywhere without a word.

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "jsonl.hpp"

namespace flowrun::readers {

/// Counts over all files. Any thread.
class KeyCensus {
 public:
  explicit KeyCensus(const JsonlKeys& keys);
  /// Adds what the parser of one file has found.
  void add(const JsonlParser& parser);
  /// Returns a line for each path that led to nothing in any record, with the nearest key that stands where it breaks off. Null values count as found; a single text is
  /// left out, since a record without it is refused.
  std::vector<std::string> missing() const;

 private:
  void look_for_sections(std::vector<std::string>& lines) const;
  std::string describe(const std::string& parameter, const std::string& path, const std::string& effect) const;

  const JsonlKeys* keys_;
  mutable std::mutex mutex_;  // protects what follows
  WantedKey wanted_;
  std::int64_t object_count_ = 0;
};

}  // namespace flowrun::readers
