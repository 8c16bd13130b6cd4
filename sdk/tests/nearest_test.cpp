#include <flowrun/nearest.hpp>

#include <gtest/gtest.h>

namespace flowrun {
namespace {

TEST(Nearest, FindsTypingErrors) {
  const std::vector<std::string> keys = {"seed", "threads", "batch_size", "memory_bytes"};
  EXPECT_EQ(nearest("sed", keys), "seed");
  EXPECT_EQ(nearest("thraeds", keys), "threads");  // a swap is one error
  EXPECT_EQ(nearest("bath_sise", keys), "batch_size");
  EXPECT_EQ(nearest("momery_byte", keys), "memory_bytes");
}

TEST(Nearest, LeavesOtherWordsAlone) {
  const std::vector<std::string> keys = {"seed", "threads", "x"};
  EXPECT_EQ(nearest("colour", keys), std::nullopt);
  EXPECT_EQ(nearest("y", keys), std::nullopt);
  EXPECT_EQ(nearest("", keys), std::nullopt);
  EXPECT_EQ(nearest(std::string(10'000, 'a'), {std::string(10'000, 'a') + "b"}), std::nullopt);
}

}  // namespace
}  // namespace flowrun
