#include "spill_arena.hpp"

#include <algorithm>
#include <cstdio>
#include <new>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace flowrun::tokenizers {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{4} << 20;         // a multiple of every page size
constexpr std::size_t kMappedBlockBytes = std::size_t{32} << 20;  // fewer, as each is advised on its own

std::size_t round_up(std::size_t n, std::size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

/// Returns how many bytes of files and shared memory this process has mapped into memory now; 0 where the system does not say.
std::size_t mapped_resident_bytes() {
  static const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);  // of the process, for as long as it lives
  char text[128];
  const ssize_t size = ::pread(file, text, sizeof text - 1, 0);
  if (size <= 0) return 0;
  text[size] = '\0';
  unsigned long total = 0, resident = 0, shared = 0;
  return std::sscanf(text, "%lu %lu %lu", &total, &resident, &shared) == 3 ? shared * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

}  // namespace

SpillArena::~SpillArena() {
  for (const Block& block : blocks_) {
    if (block.mapped) common::UnnamedFile::unmap(block.begin, block.size);
    else ::operator delete(block.begin, std::align_val_t{kAlignment});
  }
}

void SpillArena::swap(SpillArena& other) noexcept {
  std::swap(memory_bytes_, other.memory_bytes_);
  std::swap(folder_, other.folder_);
  std::swap(blocks_, other.blocks_);
  std::swap(used_, other.used_);
  std::swap(ordinary_bytes_, other.ordinary_bytes_);
  std::swap(mapped_bytes_, other.mapped_bytes_);
  std::swap(mapped_before_, other.mapped_before_);
  std::swap(file_, other.file_);
}

void* SpillArena::allocate_bytes(std::size_t size) {
  size = round_up(size, kAlignment);
  if (blocks_.empty() || blocks_.back().size - used_ < size) add_block(size);
  void* const result = blocks_.back().begin + used_;
  used_ += size;
  return result;
}

void SpillArena::add_block(std::size_t size) {
  const std::size_t ordinary = std::max(size, std::min(kBlockBytes, round_up(memory_bytes_ / 16 + 1, kAlignment)));
  Block block{nullptr, ordinary, false};
  if (ordinary_bytes_ + ordinary <= memory_bytes_) {
    block.begin = static_cast<char*>(::operator new(ordinary, std::align_val_t{kAlignment}));
    ordinary_bytes_ += ordinary;
  } else {
    block = {nullptr, round_up(std::max(size, kMappedBlockBytes), kBlockBytes), true};
    if (file_.empty()) {
      file_.emplace_back(folder_);
      mapped_before_ = mapped_resident_bytes();  // the program itself, and what others have mapped
    }
    block.begin = static_cast<char*>(file_.front().map_more(block.size));
    mapped_bytes_ += block.size;
  }
  blocks_.push_back(block);
  used_ = 0;
}

void SpillArena::trim() {
  if (mapped_bytes_ == 0 || mapped_resident_bytes() <= mapped_before_ + memory_bytes_) return;
  // The pages of a file that is mapped shared keep their content in the system's cache, which writes them to disk where it needs the room.
  for (const Block& block : blocks_)
    if (block.mapped) ::madvise(block.begin, block.size, MADV_DONTNEED);
}

}  // namespace flowrun::tokenizers
