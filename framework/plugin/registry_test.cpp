#include "plugin/registry.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sha256.hpp"
#include "plugin/plugin_testing.hpp"

namespace flowrun::plugin {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string good(const std::string& name) { return good_folder() + "/test/" + name + ".so"; }

TEST(SearchFolders, CommandLineThenEnvironmentThenOwn) {
  const TemporaryFolder first, second, third;
  const ScopedVariable variable("FLOWRUN_PLUGIN_PATH", second.path() + "::/nonexistent:" + third.path() + "/:");
  const auto folders = search_folders({first.path() + "/./"});
  std::vector<std::string> paths;
  for (const SearchFolder& folder : folders) paths.push_back(folder.path);
  ASSERT_GE(folders.size(), 3u);
  EXPECT_EQ(paths[0], first.path());
  EXPECT_EQ(paths[1], second.path());
  EXPECT_EQ(paths[2], third.path());
  EXPECT_TRUE(folders[0].from_command_line);
  EXPECT_FALSE(folders[1].from_command_line);
}

TEST(SearchFolders, ARelativeCommandLineFolderIsMadeAbsolute) {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  fs::create_directory("mine");
  const auto folders = search_folders({"mine"});
  fs::current_path(before);
  EXPECT_EQ(folders[0].path, fs::canonical(folder.path("mine")));
}

TEST(SearchFolders, SayWhatIsWrong) {
  const Error missing = error_of([] { search_folders({"/nonexistent/plugins"}); });
  EXPECT_EQ(missing.code(), Code::kNotFound);
  EXPECT_EQ(missing.message(), "plugin folder '/nonexistent/plugins' does not exist");
  const ScopedVariable variable("FLOWRUN_PLUGIN_PATH", "/tmp:plugins");
  const Error relative = error_of([] { search_folders({}); });
  EXPECT_EQ(relative.code(), Code::kUnavailable);
  EXPECT_EQ(relative.message(), "FLOWRUN_PLUGIN_PATH has the relative entry 'plugins', expected absolute folders separated by ':'");
}

TEST(Registry, RefusesRelativeAndWorldWritableFolders) {
  EXPECT_EQ(error_of([] { Registry({{"plugins", true}}); }).message(), "plugin folder 'plugins' is relative, expected an absolute one");
  const TemporaryFolder folder;
  fs::permissions(folder.path(), fs::perms::others_write, fs::perm_options::add);
  const Error error = error_of([&] { Registry({{folder.path(), true}}); });
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_EQ(error.message(), "plugin folder '" + folder.path() + "' is world-writable (mode 702), expected no write permission for others; chmod o-w it");
}

TEST(Registry, RefusesAWorldWritableFamilyOrFile) {
  const TemporaryFolder folder;
  copy_as(good("map_throw"), folder, "test/map_throw");
  fs::permissions(folder.path("test"), fs::perms::others_write, fs::perm_options::add);
  EXPECT_THAT(Registry({{folder.path(), true}}).find("test/map_throw")->reason, HasSubstr("its folder '" + folder.path("test") + "' is world-writable"));
  fs::permissions(folder.path("test"), fs::perms::others_write, fs::perm_options::remove);
  EXPECT_FALSE(Registry({{folder.path(), true}}).find("test/map_throw")->refused);
  fs::permissions(folder.path("test/map_throw.so"), fs::perms::others_write, fs::perm_options::add);
  EXPECT_THAT(Registry({{folder.path(), true}}).find("test/map_throw")->reason, HasSubstr("map_throw.so' is world-writable"));
}

TEST(Registry, FindsByIdAlone) {
  Registry registry({{good_folder(), true}});
  const PluginFile* file = registry.find("test/map_throw");
  ASSERT_NE(file, nullptr);
  EXPECT_FALSE(file->refused) << file->reason;
  EXPECT_EQ(file->id, "test/map_throw");
  EXPECT_EQ(file->file, good("map_throw"));
  EXPECT_EQ(file->descriptor->kind, "map");
  EXPECT_EQ(registry.find("test/map_throw"), file) << "the answer is kept";
  for (const char* id : {"test/none", "none/map_throw", "map_throw", "test/../test/map_throw", "/test/map_throw", ""}) EXPECT_EQ(registry.find(id), nullptr) << id;
}

TEST(Registry, ADuplicateNamesBothFiles) {
  const TemporaryFolder first, second;
  const std::string a = copy_as(good("map_throw"), first, "test/map_throw"), b = copy_as(good("map_throw"), second, "test/map_throw");
  Registry registry({{first.path(), false}, {second.path(), false}});
  const Error error = error_of([&] { registry.find("test/map_throw"); });
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_EQ(error.message(), "plugin 'test/map_throw' is there twice, as '" + a + "' and as '" + b + "'; remove one, or name its folder with --plugins alone");
  ASSERT_EQ(registry.list().size(), 1u);
  EXPECT_TRUE(registry.list()[0]->refused);
  EXPECT_EQ(registry.list()[0]->reason, error.message());

  EXPECT_THROW(Registry({{first.path(), true}, {second.path(), true}}).find("test/map_throw"), Error) << "two from the command line";
}

TEST(Registry, TheCommandLineWinsOverADuplicate) {
  const TemporaryFolder first, second;
  copy_as(good("map_throw"), first, "test/map_throw");
  const std::string mine = copy_as(good("map_throw"), second, "test/map_throw");
  Registry registry({{first.path(), false}, {second.path(), true}});
  EXPECT_EQ(registry.find("test/map_throw")->file, mine);
  EXPECT_EQ(registry.list().size(), 1u);
}

TEST(Registry, TheSameFileTwiceIsNoDuplicate) {
  const TemporaryFolder folder, other;
  copy_as(good("map_throw"), folder, "test/map_throw");
  fs::create_directory_symlink(folder.path("test"), other.path("test"));
  Registry registry({{folder.path(), false}, {other.path(), false}});
  EXPECT_EQ(registry.find("test/map_throw")->file, folder.path("test/map_throw.so"));
}

TEST(Registry, ListsEveryPluginAndNothingElse) {
  const TemporaryFolder folder;
  copy_as(good("map_throw"), folder, "test/map_throw");
  copy_as(good("collect"), folder, "test/collect");
  folder.write("test/broken.so", "text");
  folder.write("test/notes.txt", "text");
  folder.write("test/Upper.so", "text");
  folder.write("stray.so", "text");
  Registry registry({{folder.path(), true}});
  std::vector<std::string> ids;
  for (const PluginFile* file : registry.list()) ids.push_back(file->id + (file->refused ? " refused" : ""));
  EXPECT_THAT(ids, ElementsAre("test/broken refused", "test/collect", "test/map_throw"));
  EXPECT_THAT(registry.ids(), ElementsAre("test/broken", "test/collect", "test/map_throw"));
  EXPECT_EQ(registry.list()[1], registry.find("test/collect"));
}

TEST(Registry, EveryTestPluginLoads) {
  Registry registry({{good_folder(), true}});
  const auto files = registry.list();
  EXPECT_GE(files.size(), 24u);
  for (const PluginFile* file : files) {
    ASSERT_FALSE(file->refused) << file->reason;
    EXPECT_EQ(file->raw_descriptor, registry.load(*file, "")->descriptor());
  }
}

TEST(Registry, ReadsAFileByPath) {
  const PluginFile file = Registry::read_file(good("collect"));
  EXPECT_FALSE(file.refused) << file.reason;
  EXPECT_EQ(file.id, "test/collect");
  const TemporaryFolder folder;
  EXPECT_EQ(Registry::read_file(copy_as(good("collect"), folder, "any/place")).id, "test/collect") << "by path any place will do";
  EXPECT_EQ(Registry::read_file(folder.write("any/text.so", "text")).id, "any/text");
  EXPECT_EQ(error_of([] { Registry::read_file("/nonexistent.so"); }).code(), Code::kNotFound);
}

TEST(Registry, GivesTheDigestOfAFile) {
  Registry registry({{good_folder(), true}});
  const PluginFile* file = registry.find("test/collect");
  EXPECT_EQ(registry.digest(*file), sha256_hex(testing::read_file(good("collect"))));
}

}  // namespace
}  // namespace flowrun::plugin
