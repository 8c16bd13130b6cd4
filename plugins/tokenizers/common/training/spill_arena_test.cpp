#include "spill_arena.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <flowrun/error.hpp>
#include <flowrun/testing.hpp>

namespace flowrun::tokenizers {
namespace {

TEST(SpillArena, KeepsEveryValueInMemoryAndOnDisk) {
  const testing::TemporaryFolder folder;
  SpillArena arena(1 << 20, folder.path());
  std::vector<std::span<std::uint32_t>> parts;
  for (std::size_t i = 0; i < 300; ++i) {
    const std::size_t n = i % 7 == 0 ? 100'000 : i;
    parts.emplace_back(arena.allocate<std::uint32_t>(n), n);
    std::iota(parts.back().begin(), parts.back().end(), static_cast<std::uint32_t>(i));
    arena.trim();
  }
  EXPECT_GT(arena.mapped_bytes(), std::size_t{16} << 20);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  for (std::size_t i = 0; i < parts.size(); ++i)
    for (std::size_t k = 0; k < parts[i].size(); ++k) ASSERT_EQ(parts[i][k], i + k);
}

TEST(SpillArena, StaysInMemoryWhereThatIsEnough) {
  SpillArena arena(1 << 20, "no such folder");
  for (int i = 0; i < 10; ++i) *arena.allocate<std::uint64_t>(1000) = 1;
  EXPECT_EQ(arena.mapped_bytes(), 0u);
  EXPECT_THROW(arena.allocate<char>(2 << 20), Error);
}

}  // namespace
}  // namespace flowrun::tokenizers
