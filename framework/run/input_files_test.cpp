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
    const graph::FileList files = expand_glob(pattern, folder_.path());
    for (std::size_t i = 0; i < files.size(); ++i) found.emplace_back(files[i].display);
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

constexpr std::string_view kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";  // FIPS 180-4

class Digests : public ::testing::Test {
 protected:
  /// Returns the files of one node.
  static std::vector<NodeFiles> files(const std::vector<std::string>& paths) {
    graph::FileList list;
    for (const std::string& path : paths) list.add(path, path.substr(path.rfind('/') + 1));
    return {{{"paths", std::make_shared<const graph::FileList>(std::move(list))}}};
  }
  std::string digest(const std::string& path) const { return std::string(InputDigests(files({path}), cache_).digest(path)); }
  static struct stat status(const std::string& path) {
    struct stat status {};
    ::stat(path.c_str(), &status);
    return status;
  }
  static void set_mtime(const std::string& path, timespec time) {
    const timespec times[2] = {time, time};
    ::utimensat(AT_FDCWD, path.c_str(), times, 0);
  }
  /// Changes the content and neither size, time nor inode.
  static void change_unseen(const std::string& path) {
    const auto before = status(path);
    std::fstream(path, std::ios::in | std::ios::out) << "abd";
    set_mtime(path, before.st_mtim);
  }
  TemporaryFolder folder_;
  const std::string cache_ = folder_.path("digests.jsonl");
};

TEST_F(Digests, SeeAChangedFileAndRememberAnUnchangedOne) {
  const std::string file = folder_.write("x", "abc");
  EXPECT_EQ(digest(file), kAbc);
  change_unseen(file);
  EXPECT_EQ(digest(file), kAbc) << "the remembered one is taken";
  set_mtime(file, {status(file).st_mtim.tv_sec + 1, 0});
  EXPECT_NE(digest(file), kAbc) << "another time: it is read again";
}

TEST_F(Digests, OfOtherGraphsStayInTheCache) {
  const std::string first = folder_.write("x", "abc"), second = folder_.write("y", "abc");
  EXPECT_EQ(digest(first), kAbc);
  EXPECT_EQ(digest(second), kAbc);
  change_unseen(first);
  EXPECT_EQ(digest(first), kAbc);
}

TEST_F(Digests, ADamagedLineOfTheCacheIsNoError) {
  const std::string first = folder_.write("x", "abc"), second = folder_.write("y", "abc");
  digest(first);
  std::ofstream(cache_, std::ios::app) << "[1,\n{}\n[\"" << second << "\",3,4,5,\"short\"]\n";
  EXPECT_EQ(digest(second), kAbc);
  change_unseen(first);
  EXPECT_EQ(digest(first), kAbc) << "what is sound is kept";
  EXPECT_THROW(digest(folder_.path("none")), Error);
}

TEST_F(Digests, ListEachFileOnceByItsPath) {
  const std::string a = folder_.write("a", "abc"), b = folder_.write("b", "");
  auto nodes = files({b, a});
  nodes.push_back(files({a})[0]);
  const InputDigests digests(nodes, cache_);
  ASSERT_EQ(digests.inputs().size(), 2u);
  EXPECT_EQ(digests.inputs()[0].to_json(), (nlohmann::json{{"path", "a"}, {"bytes", 3}, {"digest", kAbc}}));
  EXPECT_EQ(digests.inputs()[1].file.path, b);
}

TEST_F(Digests, ListAFileThatTwoNodesNameDifferentlyAsTheLaterDoes) {
  const std::string a = folder_.write("a", "abc");
  graph::FileList absolute;
  absolute.add(a, a);
  auto nodes = files({a});
  nodes.push_back({{"paths", std::make_shared<const graph::FileList>(std::move(absolute))}});
  EXPECT_EQ(InputDigests(nodes, cache_).inputs().at(0).file.display, a);
}

}  // namespace
}  // namespace flowrun::run
