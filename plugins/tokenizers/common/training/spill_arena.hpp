#pragma once

// Memory for the large tables of a training: ordinary up to a bound, beyond it pages of a file, which leave memory again when too many are in it.

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/unnamed_file.hpp"

namespace flowrun::tokenizers {

/// Gives memory that stays until the arena goes. One thread at a time. Throws kIo where the file cannot grow.
class SpillArena {
 public:
  /// Takes up to `memory_bytes` of ordinary memory; then a file without a name in `folder`, of which about as much is in memory at a time.
  SpillArena(std::size_t memory_bytes, std::string folder) : memory_bytes_(memory_bytes), folder_(std::move(folder)) {}
  SpillArena(SpillArena&& other) noexcept { swap(other); }
  SpillArena& operator=(SpillArena&& other) noexcept {
    swap(other);
    return *this;
  }
  ~SpillArena();

  /// Returns room for `n` values, which are not set.
  template <class T>
  T* allocate(std::size_t n) {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= kAlignment);
    return static_cast<T*>(allocate_bytes(n * sizeof(T)));
  }

  /// Lets the pages of the file leave memory if there are too many. Costs a few microseconds at most where there are not; call it now and then.
  void trim();

  std::size_t mapped_bytes() const noexcept { return mapped_bytes_; }

 private:
  static constexpr std::size_t kAlignment = 16;
  struct Block {
    char* begin;
    std::size_t size;
    bool mapped;
  };

  void* allocate_bytes(std::size_t size);
  void add_block(std::size_t size);
  void swap(SpillArena& other) noexcept;

  std::size_t memory_bytes_ = 0;
  std::string folder_;
  std::vector<Block> blocks_;
  std::size_t used_ = 0;  // of the last block
  std::size_t ordinary_bytes_ = 0, mapped_bytes_ = 0, mapped_before_ = 0;
  std::vector<common::UnnamedFile> file_;  // none until it is needed
};

}  // namespace flowrun::tokenizers
