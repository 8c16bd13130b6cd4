#include "run/input_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include <flowrun/error.hpp>
#include <flowrun/testing.hpp>
#include <gtest/gtest.h>

namespace flowrun::run {
namespace {

using testing::TemporaryFolder;

class Globs : public ::testing::Test {
 protected:
  Globs() {
    for (const char* name : {"a/1.txt", "a/2.txt", "a/10.txt", "a/.hidden.txt", "a/deep/er/3.txt", "a/deep/4.md", "b/5.txt"}) {
      std::filesystem::create_directories(std::filesystem::path(folder_.path(name)).parent_path());
      folder_.write(name, name);
    }
  }
  std::vector<std::string> names(const std::string& pattern) const {
    std::vector<std::string> found;
    for (const auto& file : expand_glob(pattern, folder_.path())) found.push_back(file.display);
    return found;
  }
  TemporaryFolder folder_;
};

TEST_F(Globs, AreSortedByBytesAndLeaveHiddenFilesOut) {
  EXPECT_EQ(names("a/*.txt"), (std::vector<std::string>{"a/1.txt", "a/10.txt", "a/2.txt"}));
  EXPECT_EQ(names("a/?.txt"), (std::vector<std::string>{"a/1.txt", "a/2.txt"}));
  EXPECT_EQ(names("[ab]/[25].txt"), (std::vector<std::string>{"a/2.txt", "b/5.txt"}));
}

TEST_F(Globs, TwoStarsGoThroughFolders) {
  EXPECT_EQ(names("**/*.txt"), (std::vector<std::string>{"a/1.txt", "a/10.txt", "a/2.txt", "a/deep/er/3.txt", "b/5.txt"}));
  EXPECT_EQ(names("a/**/*"), (std::vector<std::string>{"a/1.txt", "a/10.txt", "a/2.txt", "a/deep/4.md", "a/deep/er/3.txt"}));
}

TEST_F(Globs, APlainNameIsAFileOrNothing) {
  EXPECT_EQ(names("a/1.txt"), std::vector<std::string>{"a/1.txt"});
  EXPECT_EQ(names("a/deep"), std::vector<std::string>{}) << "a folder is no file";
  EXPECT_EQ(names("a/none.txt"), std::vector<std::string>{});
  EXPECT_EQ(names(folder_.path("b/5.txt")), std::vector<std::string>{folder_.path("b/5.txt")}) << "absolute as it was written";
}

TEST(DigestCache, SeesAChangedFileAndRemembersAnUnchangedOne) {
  const TemporaryFolder folder;
  const std::string file = folder.write("x", "abc"), cache = folder.path("digests.json");
  constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";  // FIPS 180-4
  {
    DigestCache digests(cache);
    EXPECT_EQ(digests.digest(file), kAbc);
    digests.save();
  }
  struct stat before {};
  ::stat(file.c_str(), &before);
  // The same size, time and inode: the remembered digest is taken.
  {
    std::fstream change(file, std::ios::in | std::ios::out);
    change << "abd";
  }
  const timespec times[2] = {before.st_atim, before.st_mtim};
  ::utimensat(AT_FDCWD, file.c_str(), times, 0);
  EXPECT_EQ(DigestCache(cache).digest(file), kAbc);
  // Another time: it is read again.
  const timespec later[2] = {{before.st_mtim.tv_sec + 1, 0}, {before.st_mtim.tv_sec + 1, 0}};
  ::utimensat(AT_FDCWD, file.c_str(), later, 0);
  EXPECT_NE(DigestCache(cache).digest(file), kAbc);
}

TEST(DigestCache, ADamagedCacheIsNoError) {
  const TemporaryFolder folder;
  const std::string file = folder.write("x", "abc"), cache = folder.write("digests.json", "{\"x\": [1,");
  EXPECT_EQ(DigestCache(cache).digest(file).size(), 64u);
  EXPECT_THROW(DigestCache(cache).digest(folder.path("none")), Error);
}

}  // namespace
}  // namespace flowrun::run
