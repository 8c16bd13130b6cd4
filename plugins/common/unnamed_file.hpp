#pragma once

// What does not fit into memory for a while: a file that no folder lists, gone with the process whatever ends it.

#include <cstddef>
#include <cstdint>
#include <string>

namespace flowrun::common {

/// A file without a name on the file system of a folder. Throws kIo, naming the folder, what was needed and what is free there.
class UnnamedFile {
 public:
  explicit UnnamedFile(std::string folder);
  UnnamedFile(UnnamedFile&& other) noexcept;
  UnnamedFile& operator=(UnnamedFile&& other) noexcept;
  ~UnnamedFile();

  void append(const void* bytes, std::size_t size);
  /// Reads up to `size` bytes from `offset`; returns how many there were.
  std::size_t read(std::uint64_t offset, void* bytes, std::size_t size) const;
  std::uint64_t size() const noexcept { return size_; }

  /// Makes the file `size` bytes longer, with the space for them taken, and maps these bytes; `size` is a multiple of the page size. They stay mapped after
  /// the file's end, until `unmap`.
  void* map_more(std::size_t size);
  static void unmap(void* bytes, std::size_t size) noexcept;

 private:
  [[noreturn]] void fail(const char* what, std::size_t need) const;

  std::string folder_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace flowrun::common
