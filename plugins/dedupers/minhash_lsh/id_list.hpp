#pragma once

// The ids of documents by number, on disk: they are needed again only for those that stay in place of others.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/unnamed_file.hpp"

namespace flowrun::dedupers {

/// One thread at a time. Takes 128 KiB of memory; on disk the ids and 8 bytes each. Throws kIo.
class IdList {
 public:
  explicit IdList(const std::string& folder) : ids_(folder), ends_(folder) {}

  void add(std::string_view id);
  std::uint64_t size() const noexcept { return count_; }
  /// Writes what is not on disk yet; `at` reads there.
  void flush();
  /// Returns an id; after `flush`.
  std::string at(std::uint64_t index) const;

  /// Writes the ids to a file.
  void save(const std::string& path);
  /// Adds the ids of a file. Throws kNotFound, and kCorruptData where it is not what `save` wrote.
  void load(const std::string& path);

 private:
  std::uint64_t end_of(std::uint64_t index) const;

  common::UnnamedFile ids_, ends_;  ///< ends: where each id ends, 8 bytes
  std::string id_buffer_;
  std::vector<std::uint64_t> end_buffer_;
  std::uint64_t count_ = 0, bytes_ = 0;
};

}  // namespace flowrun::dedupers
