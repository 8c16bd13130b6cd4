#include "external_sort.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace flowrun::readers {
namespace {

using ::testing::HasSubstr;

class ExternalSortTest : public ::testing::Test {
 protected:
  /// Sorts entries whose payload says their key, and checks each that comes out. Returns the number of files.
  std::int64_t sort(std::int64_t budget_bytes, int count, std::size_t payload_bytes) {
    SortBudget budget{budget_bytes, 0};
    ExternalSort sort(budget);
    std::vector<SortKey> keys;
    std::mt19937 random(7);
    for (int i = 0; i < count; ++i) {
      const SortKey key{static_cast<std::int64_t>(random() % 100) - 50, static_cast<std::int64_t>(random() % 2), i};
      keys.push_back(key);
      sort.add(call(), {key, payload(key, payload_bytes)});
    }
    sort.finish(call());
    EXPECT_EQ(budget.filling, 0);
    std::sort(keys.begin(), keys.end());
    SortEntry entry;
    for (const SortKey& key : keys) {
      if (!sort.next(entry)) {
        ADD_FAILURE() << "the entries end too early";
        break;
      }
      EXPECT_EQ(entry.key, key);
      EXPECT_TRUE(entry.payload == payload(key, payload_bytes)) << key.number;
    }
    EXPECT_FALSE(sort.next(entry));
    return sort.spill_count();
  }
  const Call& call() { return call_; }

 private:
  static std::string payload(const SortKey& key, std::size_t bytes) {
    return std::to_string(key.group) + std::string(static_cast<std::size_t>(key.number) * 7919 % (bytes + 1), static_cast<char>('a' + (key.number % 26 + 26) % 26));
  }

  flowrun_call table_ = [] {
    flowrun_call table{};
    table.size = sizeof table;
    table.stop_requested = [](const flowrun_call*) -> std::int32_t { return 0; };
    return table;
  }();
  Call call_{&table_};
};

TEST_F(ExternalSortTest, SortsInMemory) {
  EXPECT_EQ(sort(64 << 20, 10000, 50), 0);
  EXPECT_EQ(sort(64 << 20, 0, 50), 0);
}

TEST_F(ExternalSortTest, SortsThroughFiles) { EXPECT_GT(sort(100'000, 10000, 50), 10); }

TEST_F(ExternalSortTest, MergesFilesOfManyLevels) { EXPECT_GT(sort(1500, 3000, 10), 2 * 64); }

TEST_F(ExternalSortTest, TakesEntriesLargerThanItsBuffers) { EXPECT_GT(sort(200'000, 40, 300'000), 10); }

TEST_F(ExternalSortTest, SharesItsMemory) {
  SortBudget budget{100'000, 0};
  ExternalSort first(budget), second(budget);
  for (int i = 0; first.spill_count() == 0; ++i) first.add(call(), {{i, 0, 0}, std::string(1000, 'x')});
  EXPECT_EQ(budget.filling, 2);
  second.finish(call());
  EXPECT_EQ(budget.filling, 1);
  SortEntry entry;
  EXPECT_FALSE(second.next(entry));
}

TEST_F(ExternalSortTest, NamesAFolderThatCannotBeWritten) {
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before ? before : "";
  const flowrun::testing::TemporaryFolder folder;
  ::setenv("TMPDIR", folder.path("none").c_str(), 1);
  std::string message;
  try {
    SortBudget budget{1000, 0};
    ExternalSort sort(budget);
    for (int i = 0; i < 100; ++i) sort.add(call(), {{i, 0, 0}, "x"});
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kIo);
    message = error.what();
  }
  if (before) ::setenv("TMPDIR", kept.c_str(), 1);
  else ::unsetenv("TMPDIR");
  EXPECT_THAT(message, HasSubstr("a temporary file cannot be made"));
}

}  // namespace
}  // namespace flowrun::readers
