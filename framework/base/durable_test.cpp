#include "base/durable.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include <flowrun/error.hpp>

namespace fs = std::filesystem;
namespace io = flowrun::io;

class Durable : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("flowrun-durable-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  /// Runs `body` in a child with FLOWRUN_FAULT set; returns its wait status.
  template <class Body>
  int in_child(const std::string& fault, Body body) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::setenv("FLOWRUN_FAULT", fault.c_str(), 1);
      ::setenv("FLOWRUN_FAULT_LOG", path("fault.log").c_str(), 1);
      try {
        body();
      } catch (const flowrun::Error& error) {
        std::_Exit(error.code() == flowrun::Code::kIo ? 74 : 70);
      }
      std::_Exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
  }

  fs::path folder_;
};

TEST_F(Durable, WriteFileReplacesTheWholeContent) {
  io::write_file(path("a"), "first, longer");
  io::write_file(path("a"), "second");
  EXPECT_EQ(io::read_file(path("a")), "second");
  EXPECT_FALSE(fs::exists(path("a.tmp")));
}

TEST_F(Durable, UncommittedFileLeavesNothing) {
  { io::StagedFile file(path("b")); file.write("x"); }
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(Durable, AKillAtAnyOperationLeavesTheOldFileOrTheNewOne) {
  io::write_file(path("c"), "old");
  // create, write, fsync, rename, fsync of the folder
  for (int operation = 1; operation <= 5; ++operation) {
    const int status = in_child("data:" + std::to_string(operation), [&] { io::write_file(path("c"), "new"); });
    ASSERT_TRUE(WIFSIGNALED(status)) << operation;
    EXPECT_EQ(WTERMSIG(status), SIGKILL);
    EXPECT_EQ(io::read_file(path("c")), operation < 5 ? "old" : "new") << operation;
  }
  EXPECT_EQ(io::read_file(path("fault.log")), "data 1 create\ndata 2 write\ndata 3 fsync\ndata 4 rename\ndata 5 fsync\n");
}

TEST_F(Durable, AnInjectedErrorIsAnIoErrorAndKeepsTheOldFile) {
  io::write_file(path("d"), "old");
  const int status = in_child("data:3:enospc", [&] { io::write_file(path("d"), "new"); });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 74);
  EXPECT_EQ(io::read_file(path("d")), "old");
  EXPECT_FALSE(fs::exists(path("d.tmp")));
}

TEST_F(Durable, FaultsOfAnotherPhaseDoNothing) {
  EXPECT_EQ(in_child("training:1", [&] { io::write_file(path("e"), "x"); }), 0);
  EXPECT_EQ(io::read_file(path("e")), "x");
}

TEST_F(Durable, CommitFolderRenamesAWrittenTree) {
  fs::create_directories(path("staging/inner"));
  io::write_file(path("staging/inner/file"), "x");
  io::commit_folder(path("staging"), path("final"));
  EXPECT_EQ(io::read_file(path("final/inner/file")), "x");
  EXPECT_FALSE(fs::exists(path("staging")));
}

TEST_F(Durable, AppendFileCutsBackToWhatIsKept) {
  { io::AppendFile file(path("log"), -1); file.append("one\ntwo\n"); file.sync(); }
  { io::AppendFile file(path("log"), 4); file.append("three\n"); }
  EXPECT_EQ(io::read_file(path("log")), "one\nthree\n");
}

TEST_F(Durable, SymlinkIsReplaced) {
  io::replace_symlink("step-1", path("latest"));
  io::replace_symlink("step-2", path("latest"));
  EXPECT_EQ(fs::read_symlink(path("latest")), "step-2");
}

TEST_F(Durable, AMissingFolderIsNamed) {
  try {
    io::write_file(path("none/file"), "x");
    FAIL();
  } catch (const flowrun::Error& error) {
    EXPECT_EQ(error.code(), flowrun::Code::kIo);
    EXPECT_NE(error.message().find(path("none/file")), std::string::npos) << error.message();
  }
}
