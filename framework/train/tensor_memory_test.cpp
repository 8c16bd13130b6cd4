#include "train/tensor_memory.hpp"

#include <cstdint>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace flowrun::train {
namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

TEST(BlockCache, GivesTheSameBlockForTheSameSize) {
  BlockCache cache;
  void* first = cache.take(kMegabyte);
  std::memset(first, 1, kMegabyte);
  cache.give(first);
  EXPECT_EQ(cache.take(kMegabyte), first);
  void* other = cache.take(kMegabyte);
  EXPECT_NE(other, first);
  cache.give(first);
  cache.give(other);
}

TEST(BlockCache, BlocksAreAligned) {
  BlockCache cache;
  std::vector<void*> blocks;
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{100}, std::size_t{65'536}, 3 * kMegabyte, 9 * kMegabyte}) {
    blocks.push_back(cache.take(bytes));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(blocks.back()) % 64, 0u) << bytes;
    std::memset(blocks.back(), 1, bytes);
  }
  for (void* block : blocks) cache.give(block);
  EXPECT_EQ(cache.live_bytes(), 0u);
}

TEST(BlockCache, ALargeBlockIsNotSpentOnASmallRequest) {
  BlockCache cache;
  void* large = cache.take(10 * kMegabyte);
  cache.give(large);
  void* small = cache.take(kMegabyte);
  EXPECT_NE(small, large);
  EXPECT_EQ(cache.take(6 * kMegabyte), large) << "within twice the request";
  cache.give(small);
  cache.give(large);
}

TEST(BlockCache, WhatIsKeptIsBounded) {
  BlockCache cache;
  // Never more than 100 MB in use, but of ever new sizes.
  for (std::size_t i = 0; i < 200; ++i) {
    cache.give(cache.take((std::size_t{1} << (i % 7)) * kMegabyte + i * 32768));
    EXPECT_LE(cache.kept_bytes(), 420 * kMegabyte);
  }
  EXPECT_EQ(cache.live_bytes(), 0u);
}

TEST(BlockCache, SmallBlocksAreNotKept) {
  BlockCache cache;
  cache.give(cache.take(1000));
  cache.give(nullptr);
  EXPECT_EQ(cache.kept_bytes(), 0u);
}

TEST(BlockCache, RefusesWhatThereIsNot) {
  BlockCache cache;
  EXPECT_THROW(cache.take(SIZE_MAX - 10), std::bad_alloc);
  EXPECT_THROW(cache.take(SIZE_MAX / 2), std::bad_alloc);
  EXPECT_EQ(cache.live_bytes(), 0u);
}

TEST(BlockCache, ThreadsMayShareIt) {
  BlockCache cache;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&cache, thread] {
      for (int i = 0; i < 500; ++i) {
        const std::size_t bytes = kMegabyte / 8 * static_cast<std::size_t>(1 + (i + thread) % 5);
        auto* block = static_cast<unsigned char*>(cache.take(bytes));
        block[0] = block[bytes - 1] = static_cast<unsigned char>(thread);
        std::this_thread::yield();
        EXPECT_EQ(block[0], thread);
        EXPECT_EQ(block[bytes - 1], thread);
        cache.give(block);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(cache.live_bytes(), 0u);
}

}  // namespace
}  // namespace flowrun::train
