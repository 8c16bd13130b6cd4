#pragma once

// The memory of tensors. A training step asks for the same sizes again and again; given back to the system each time, they would be faulted in
// anew, page by page. glibc can be told to keep memory, but outside of the main thread's arena it still maps and unmaps everything above its
// 64 MB heaps; so blocks are kept here.

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

namespace flowrun::train {

/// Blocks of memory that are kept for the next request of about their size. Any thread.
class BlockCache {
 public:
  BlockCache() = default;
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;
  ~BlockCache();

  /// Returns at least `bytes` bytes, aligned to 64. Throws std::bad_alloc.
  void* take(std::size_t bytes);
  /// Takes back what `take` returned; null is allowed.
  void give(void* data) noexcept;

  std::size_t live_bytes() const;
  std::size_t kept_bytes() const;

 private:
  struct Block;
  static Block* make(std::size_t bytes);
  static void destroy(Block* block) noexcept;
  void make_room(std::size_t bytes);

  mutable std::mutex mutex_;  // protects all below: oneDNN and autograd may free on another thread
  std::multimap<std::size_t, Block*> kept_;
  std::size_t live_bytes_ = 0, kept_bytes_ = 0, greatest_live_bytes_ = 0;
};

/// Makes LibTorch take the memory of its CPU tensors from a BlockCache, from now on and for good.
void keep_tensor_memory();

}  // namespace flowrun::train
