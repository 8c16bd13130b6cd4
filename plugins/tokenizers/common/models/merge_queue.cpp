#include "merge_queue.hpp"

#include <algorithm>
#include <functional>

namespace flowrun::tokenizers {

void MergeQueue::queue(const MergeTable& merges, std::uint32_t left) {
  const std::uint32_t rank = merges.rank(symbols_[left].id, symbols_[symbols_[left].next].id);
  if (rank != MergeTable::kAbsent) heap_.push_back(std::uint64_t{rank} << 32 | left);
}

void MergeQueue::join(const MergeTable& merges) {
  const auto n = static_cast<std::uint32_t>(symbols_.size());
  heap_.clear();
  last_join_.reset();
  for (std::uint32_t i = 0; i < n; ++i) symbols_[i].next = i + 1, symbols_[i].previous = i - 1;
  for (std::uint32_t i = 0; i + 1 < n; ++i) queue(merges, i);
  std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
  const auto push = [&](std::uint32_t left) {
    const std::size_t before = heap_.size();
    queue(merges, left);
    if (heap_.size() > before) std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  };
  while (!heap_.empty()) {
    const std::uint64_t top = heap_.front();
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    heap_.pop_back();
    const auto index = static_cast<std::uint32_t>(top);
    Linked& left = symbols_[index];
    if (left.bytes == 0 || left.next == n) continue;
    Linked& right = symbols_[left.next];
    const std::uint32_t rank = merges.rank(left.id, right.id);
    const std::uint32_t result = merges.result(static_cast<std::uint32_t>(top >> 32));
    if (rank == MergeTable::kAbsent || merges.result(rank) != result) continue;  // other tokens stand there by now
    last_join_ = {left.id, right.id, result, rank};
    left.id = result;
    left.bytes += right.bytes;
    left.next = right.next;
    right.bytes = 0;
    if (left.next != n) {
      symbols_[left.next].previous = index;
      push(index);
    }
    if (index != 0) push(left.previous);
  }
}

}  // namespace flowrun::tokenizers
