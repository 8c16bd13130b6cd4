#include "graph/message.hpp"

#include <algorithm>

namespace flowrun::graph {

bool CreditAccount::acquire_or_park(std::int64_t bytes, std::function<void()> wake) {
  const auto try_acquire = [&] {
    std::int64_t free = free_.load(std::memory_order_relaxed);
    for (;;) {
      if (free < bytes && free < total_ && !overdraft_.exchange(false)) return false;
      if (free_.compare_exchange_weak(free, free - bytes, std::memory_order_acq_rel)) break;
    }
    const std::int64_t out = total_ - free + bytes;
    std::int64_t peak = peak_.load(std::memory_order_relaxed);
    while (out > peak && !peak_.compare_exchange_weak(peak, out, std::memory_order_relaxed)) {}
    return true;
  };
  if (try_acquire()) return true;
  {
    const std::lock_guard lock(mutex_);
    parked_.push_back(std::move(wake));
    parked_count_.fetch_add(1, std::memory_order_seq_cst);
  }
  // A release between the failed try and the parking has seen nobody to wake: look once more, so that no wake-up is lost.
  if (free_.load(std::memory_order_seq_cst) >= std::min(bytes, total_)) release(0);
  return false;
}

void CreditAccount::release(std::int64_t bytes) noexcept {
  free_.fetch_add(bytes, std::memory_order_seq_cst);
  if (parked_count_.load(std::memory_order_seq_cst) == 0) return;
  std::vector<std::function<void()>> woken;
  {
    const std::lock_guard lock(mutex_);
    woken.swap(parked_);
    parked_count_.store(0, std::memory_order_seq_cst);
  }
  for (auto& wake : woken) wake();
}

bool CreditAccount::overdraw() noexcept {
  if (parked_count_.load(std::memory_order_seq_cst) == 0) return false;
  overdraft_ = true;
  release(0);
  return true;
}

void CreditAccount::forget_parked() noexcept {
  const std::lock_guard lock(mutex_);
  parked_.clear();
  parked_count_.store(0, std::memory_order_seq_cst);
}

std::int64_t array_bytes(const ArrowArray& array, const Field& schema) noexcept {
  std::int64_t bytes = 0;
  if (schema.format == "u" || schema.format == "z" || schema.format == "+l") {
    const auto* offsets = static_cast<const std::int32_t*>(array.buffers[1]);
    bytes += (array.length + 1) * 4;
    if (schema.format != "+l" && array.length > 0) bytes += offsets[array.offset + array.length] - offsets[array.offset];
  } else if (schema.format.size() == 1) {
    bytes += array.length * std::max<std::int64_t>(1, detail::bit_width(schema.format[0])) / 8;
  }
  for (std::size_t i = 0; i < schema.children.size(); ++i) bytes += array_bytes(*array.children[i], schema.children[i]);
  return bytes;
}

}  // namespace flowrun::graph
