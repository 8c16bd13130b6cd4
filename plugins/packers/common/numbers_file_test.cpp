#include "packers/common/numbers_file.hpp"

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace flowrun::packers {
namespace {

using flowrun::testing::error_of;
using flowrun::testing::read_file;
using flowrun::testing::TemporaryFolder;
using ::testing::HasSubstr;

TEST(NumbersFile, GivesBackWhatWasSaved) {
  const TemporaryFolder folder;
  for (const std::vector<std::int64_t>& numbers : {std::vector<std::int64_t>{}, {7}, {0, -1, std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}}) {
    save_numbers(folder.path("numbers"), "packers/one", numbers);
    EXPECT_EQ(load_numbers(folder.path("numbers"), "packers/one"), numbers);
  }
}

TEST(NumbersFile, RefusesADamagedFile) {
  const TemporaryFolder folder;
  save_numbers(folder.path("numbers"), "packers/one", std::vector<std::int64_t>{1, 2, 3, 4, 5});
  const std::string good = read_file(folder.path("numbers"));
  for (std::size_t at = 0; at < good.size(); ++at)
    for (const int bit : {0x01, 0x10, 0x80}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ bit);
      const std::string path = folder.write("bad", bad);
      ASSERT_EQ(error_of([&] { load_numbers(path, "packers/one"); }).first, Code::kCorruptData) << "byte " << at;
    }
  for (std::size_t size = 0; size < good.size(); ++size) {
    const std::string path = folder.write("bad", std::string_view(good).substr(0, size));
    ASSERT_EQ(error_of([&] { load_numbers(path, "packers/one"); }).first, Code::kCorruptData) << size << " bytes";
  }
  EXPECT_EQ(error_of([&] { load_numbers(folder.write("bad", good + "12345678"), "packers/one"); }).first, Code::kCorruptData);
}

TEST(NumbersFile, NamesWhatItCannotRead) {
  const TemporaryFolder folder;
  save_numbers(folder.path("numbers"), "packers/one", std::vector<std::int64_t>{1});
  EXPECT_THAT(error_of([&] { load_numbers(folder.path("numbers"), "packers/other"); }).second, HasSubstr("numbers is not an index of packers/other"));
  EXPECT_EQ(error_of([&] { load_numbers(folder.path("none"), "packers/one"); }).first, Code::kNotFound);
  EXPECT_EQ(error_of([&] { save_numbers(folder.path("no/such/folder"), "packers/one", {}); }).first, Code::kIo);
}

}  // namespace
}  // namespace flowrun::packers
