#include "tiktoken_ranks.hpp"

#include <gtest/gtest.h>

#include <flowrun/error.hpp>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

namespace flowrun::tokenizers {
namespace {

void expect_error(const std::string& text, const std::string& message) {
  try {
    read_tiktoken_ranks(text);
    FAIL() << message;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kCorruptData);
    EXPECT_EQ(error.what(), message);
  }
}

TEST(TiktokenRanks, ReadsLinesOfEitherEndingAndGaps) {
  EXPECT_EQ(read_tiktoken_ranks("YQ== 0\nYWI= 3\r\n\nYWJj 1"), (std::vector<std::string>{"a", "abc", "", "ab"}));
  EXPECT_TRUE(read_tiktoken_ranks("").empty());
}

TEST(TiktokenRanks, RefusesADamagedLineByItsNumber) {
  expect_error("YQ== 0\nYg==1\n", "line 2: found 'Yg==1', expected base64, a space and a rank");
  expect_error("YQ== 0\nYg= 1\n", "line 2: 'Yg=' is not base64 of a token");
  expect_error("YR== 0\n", "line 1: 'YR==' is not base64 of a token");  // unused bits
  expect_error("====\n", "line 1: found '====', expected base64, a space and a rank");
  expect_error("A=== 0\n", "line 1: 'A===' is not base64 of a token");
  expect_error(" 0\n", "line 1: '' is not base64 of a token");
  expect_error("Y\n== 0\n", "line 1: found 'Y', expected base64, a space and a rank");
  expect_error("YQ== -1\n", "line 1: '-1' is not a rank");
  expect_error("YQ==  1\n", "line 1: ' 1' is not a rank");
  expect_error("YQ== 4294967295\n", "line 1: '4294967295' is not a rank");
  expect_error("YQ== 70000\n", "line 1: rank 70000 leaves more than 65536 ranks out");
  expect_error("YQ== 0\nYg== 1\nYQ== 2\n", "line 3: the token is on an earlier line too");
  expect_error("YQ== 0\n\nYg== 0\n", "line 3: rank 0 is on an earlier line too");
  expect_error("Y\x01Q= 0\n", "line 1: 'Y?Q=' is not base64 of a token");
}

TEST(TiktokenRanks, AreSafeOnDamagedText) {
  std::ifstream file(FLOWRUN_TEST_SOURCE_DIR "/testdata/ranks.tiktoken", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(read_tiktoken_ranks(text).size(), 800u);
  for (unsigned seed = 0; seed < 1000; ++seed) {
    std::mt19937 random(seed);
    std::string damaged = text.substr(0, random() % text.size());
    for (int i = 0; i < 3 && !damaged.empty(); ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    try {
      read_tiktoken_ranks(damaged);
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace flowrun::tokenizers
