#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::graph {

/// A file behind a "path" or "paths" parameter: views of the list that holds it, each ended by a NUL.
struct ResolvedFile {
  std::string_view path;     ///< absolute
  std::string_view display;  ///< relative to the graph's folder unless written absolute
};

/// The files of one parameter. A corpus may be a hundred thousand of them, so their names stand in one text, and a display that is the end of its path
/// is a place in it: a file costs its path and 17 bytes.
class FileList {
 public:
  void add(std::string_view path, std::string_view display);
  /// Sorts by display (bytes) and leaves out what is there twice.
  void sort();
  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }
  /// Valid until the list grows or ends.
  ResolvedFile operator[](std::size_t index) const { return {at(entries_[index].path), at(entries_[index].display)}; }

 private:
  struct Entry {
    std::uint64_t path, display;  ///< offsets in names_
  };
  const char* at(std::uint64_t offset) const noexcept { return names_.data() + offset; }
  std::uint64_t add_name(std::string_view name);

  std::string names_;
  std::vector<Entry> entries_;
};

}  // namespace flowrun::graph
