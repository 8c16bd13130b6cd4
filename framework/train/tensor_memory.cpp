#include "train/tensor_memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <new>

#include <sys/mman.h>

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/Device.h>

namespace flowrun::train {

/// Stands before the data; a cache line, so that the data keeps the alignment.
struct alignas(64) BlockCache::Block {
  std::size_t bytes;  ///< with this header
};

namespace {

/// Smaller blocks are malloc's: it is good at them.
constexpr std::size_t kSmallest = std::size_t{64} << 10;
/// Blocks are rounded up to this, so that sizes that differ by little meet.
constexpr std::size_t kStep = std::size_t{16} << 10;
/// From here on a block asks for huge pages: fewer TLB misses in matrix products.
constexpr std::size_t kHugePage = std::size_t{2} << 20;
/// What may be kept beyond half of what was once in use at the same time.
constexpr std::size_t kSpare = std::size_t{256} << 20;

}  // namespace

BlockCache::~BlockCache() {
  for (const auto& [bytes, block] : kept_) destroy(block);
}

BlockCache::Block* BlockCache::make(std::size_t bytes) {
  const bool huge = bytes >= 2 * kHugePage;
  void* memory = nullptr;
  if (::posix_memalign(&memory, huge ? kHugePage : alignof(Block), bytes) != 0) throw std::bad_alloc();
  if (huge) ::madvise(memory, bytes, MADV_HUGEPAGE);  // a hint: its failure changes no result
  return new (memory) Block{bytes};
}

void BlockCache::destroy(Block* block) noexcept { std::free(block); }

void* BlockCache::take(std::size_t bytes) {
  std::size_t need = bytes + sizeof(Block);
  if (need < bytes) throw std::bad_alloc();
  if (need < kSmallest) return make(need) + 1;
  need = (need + kStep - 1) / kStep * kStep;
  const std::lock_guard lock(mutex_);
  auto found = kept_.lower_bound(need);
  // A block of more than twice the size is left for those who need it.
  if (found != kept_.end() && found->first > 2 * need) found = kept_.end();
  Block* block = nullptr;
  if (found != kept_.end()) {
    block = found->second;
    kept_bytes_ -= found->first;
    kept_.erase(found);
  } else {
    make_room(need);
    block = make(need);
  }
  live_bytes_ += block->bytes;
  greatest_live_bytes_ = std::max(greatest_live_bytes_, live_bytes_);
  return block + 1;
}

void BlockCache::give(void* data) noexcept {
  if (data == nullptr) return;
  Block* block = static_cast<Block*>(data) - 1;
  if (block->bytes < kSmallest) return destroy(block);
  const std::lock_guard lock(mutex_);
  live_bytes_ -= block->bytes;
  try {
    kept_.emplace(block->bytes, block);
    kept_bytes_ += block->bytes;
  } catch (const std::bad_alloc&) {
    destroy(block);  // no memory even for the list: then the block is needed elsewhere
  }
}

/// Gives kept blocks back to the system, the largest first, until a new one of `bytes` leaves the whole within its bound.
void BlockCache::make_room(std::size_t bytes) {
  const std::size_t greatest = std::max(greatest_live_bytes_, live_bytes_ + bytes), bound = greatest + greatest / 2 + kSpare;
  while (!kept_.empty() && live_bytes_ + kept_bytes_ + bytes > bound) {
    const auto last = std::prev(kept_.end());
    kept_bytes_ -= last->first;
    destroy(last->second);
    kept_.erase(last);
  }
}

std::size_t BlockCache::live_bytes() const {
  const std::lock_guard lock(mutex_);
  return live_bytes_;
}

std::size_t BlockCache::kept_bytes() const {
  const std::lock_guard lock(mutex_);
  return kept_bytes_;
}

namespace {

/// Never destroyed: tensors of static objects may be freed after main.
BlockCache& tensor_blocks() {
  static auto* cache = new BlockCache;
  return *cache;
}

void give_tensor_block(void* data) { tensor_blocks().give(data); }

class TensorAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    void* data = bytes == 0 ? nullptr : tensor_blocks().take(bytes);
    return {data, data, &give_tensor_block, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &give_tensor_block; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { std::memcpy(to, from, bytes); }
};

}  // namespace

void keep_tensor_memory() {
  static auto* allocator = [] {
    auto* made = new TensorAllocator;
    c10::SetCPUAllocator(made, /*priority=*/1);
    return made;
  }();
  (void)allocator;
}

}  // namespace flowrun::train
