#pragma once

// For tests of packers: reads by many threads at once.

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace flowrun::packers {

/// Calls `is_right(i)` for every i below `count` on four threads, not in order, and returns how often it said no. 617 must not divide `count`.
template <class IsRight>
std::int64_t count_wrong(std::int64_t count, IsRight&& is_right) {
  std::atomic<std::int64_t> next{0}, wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (std::int64_t i = next++; i < count; i = next++)
        if (!is_right(i * 617 % count)) ++wrong;
    });
  for (auto& thread : threads) thread.join();
  return wrong;
}

}  // namespace flowrun::packers
