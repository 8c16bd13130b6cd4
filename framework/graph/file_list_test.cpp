#include "graph/file_list.hpp"

#include <gtest/gtest.h>

namespace flowrun::graph {
namespace {

std::vector<std::string> displays(const FileList& files) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < files.size(); ++i) names.emplace_back(files[i].display);
  return names;
}

TEST(FileList, GivesTheNamesAsTheyWereAdded) {
  FileList files;
  files.add("/corpus/web/a.jsonl", "web/a.jsonl");
  files.add("/corpus/other/b.jsonl", "../other/b.jsonl");
  files.add("/c.jsonl", "/c.jsonl");
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files[0].path, "/corpus/web/a.jsonl");
  EXPECT_EQ(files[1].path, "/corpus/other/b.jsonl");
  EXPECT_EQ(displays(files), (std::vector<std::string>{"web/a.jsonl", "../other/b.jsonl", "/c.jsonl"}));
  for (std::size_t i = 0; i < files.size(); ++i) {  // plugins take them as C strings
    EXPECT_EQ(files[i].path.data()[files[i].path.size()], '\0');
    EXPECT_EQ(files[i].display.data()[files[i].display.size()], '\0');
  }
}

TEST(FileList, KeepsADisplayThatEndsThePathWithinIt) {
  FileList files;
  files.add("/corpus/web/a.jsonl", "web/a.jsonl");
  EXPECT_EQ(files[0].display.data(), files[0].path.data() + 8);
}

TEST(FileList, SortsByBytesOfTheDisplayAndLeavesOutWhatIsThereTwice) {
  FileList files;
  for (const char* name : {"b", "a/2", "\xc3\xa9", "a/10", "a!", "a/2"}) files.add(std::string("/") + name, name);
  files.sort();
  EXPECT_EQ(displays(files), (std::vector<std::string>{"a!", "a/10", "a/2", "b", "\xc3\xa9"}));
}

}  // namespace
}  // namespace flowrun::graph
