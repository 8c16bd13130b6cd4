// Runs the tool flowrun-embed as a build does.

#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugin/elf_file.hpp"
#include "plugin/plugin_testing.hpp"
#include "plugin/registry.hpp"

namespace flowrun::plugin {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Outcome {
  int exit_code;
  std::string errors;
};

/// Runs the tool; `setting` stands before it in the shell's line, for example "PATH=".
Outcome run_embed(const std::string& arguments, const std::string& setting = "") {
  const TemporaryFolder folder;
  const std::string line = fmt::format("{} '{}/bin/flowrun-embed' {} 2>'{}'", setting, FLOWRUN_BUILD_DIR, arguments, folder.path("err"));
  const int status = std::system(line.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, testing::read_file(folder.path("err"))};
}

Outcome embed(const std::string& file, const std::string& setting = "") { return run_embed(fmt::format("'{}'", file), setting); }

std::string refused(const std::string& name) { return refused_folder() + "/test/" + name + ".so"; }

TEST(Embed, GivesAPlainCPluginItsDescriptor) {
  const TemporaryFolder folder;
  const std::string file = copy_as(refused("no_descriptor"), folder, "test/no_descriptor");
  ASSERT_TRUE(Registry::read_file(file).refused);
  const Outcome outcome = embed(file);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_EQ(outcome.errors, "");
  Registry registry({{folder.path(), true}});
  const PluginFile* plugin = registry.find("test/no_descriptor");
  ASSERT_FALSE(plugin->refused) << plugin->reason;
  EXPECT_NE(registry.load(*plugin, ""), nullptr);
}

TEST(Embed, ReplacesADescriptorAndLeavesNothingBeside) {
  const TemporaryFolder folder;
  const std::string file = copy_as(refused("descriptor_differs"), folder, "test/descriptor_differs");
  EXPECT_EQ(nlohmann::json::parse(*ElfFile(file).section(".flowrun"))["summary"], "Another sentence.");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(embed(file).exit_code, 0);
    EXPECT_EQ(nlohmann::json::parse(*ElfFile(file).section(".flowrun"))["summary"], "A plugin with one fault.");
  }
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path("test"))) files += entry.is_regular_file();
  EXPECT_EQ(files, 1);
}

TEST(Embed, AWrongDescriptorFailsTheBuild) {
  const Outcome outcome = embed(refused("bad_descriptor"));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.errors, "flowrun-embed: '" + refused("bad_descriptor") + "': error: descriptor key 'version' is 7, expected a string that is not empty\n");
}

TEST(Embed, RefusesWhatCouldNeverBeLoaded) {
  EXPECT_THAT(embed(refused("missing_symbol")).errors, HasSubstr("it exports no symbol 'flowrun_plugin_v1'"));
  EXPECT_THAT(embed(refused("wrong_table_abi")).errors, HasSubstr("its table is of plugin ABI 2.0, expected 1.x"));
  EXPECT_THAT(embed(refused("no_interface")).errors, HasSubstr("but it gives no complete interface 'flowrun.map/1'"));
  EXPECT_THAT(embed(refused("id_mismatch")).errors, HasSubstr("its descriptor says id 'test/elsewhere', expected the file to end in 'test/elsewhere.so'"));
  const TemporaryFolder folder;
  EXPECT_THAT(embed(folder.write("test/text.so", "text")).errors, HasSubstr("it is not a library: found a file of 4 bytes"));
  EXPECT_THAT(embed("/nonexistent.so").errors, HasSubstr("'/nonexistent.so' does not exist"));
}

TEST(Embed, SaysThatObjcopyIsMissing) {
  const TemporaryFolder folder;
  const std::string file = copy_as(refused("no_descriptor"), folder, "test/no_descriptor");
  const std::string before = testing::read_file(file);
  const Outcome outcome = embed(file, "PATH=/nonexistent OBJCOPY=");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.errors, StartsWith("flowrun-embed: '" + file + "': error: 'objcopy' cannot be run (No such file or directory), expected it on the PATH; it is "
                                         "part of GNU binutils"));
  EXPECT_THAT(embed(file, "OBJCOPY=false").errors, HasSubstr("error: 'false' ended with exit code 1"));
  EXPECT_EQ(testing::read_file(file), before);
}

TEST(Embed, WantsOneArgument) {
  EXPECT_EQ(run_embed("").errors, "flowrun-embed: found 0 arguments, expected one argument, the plugin's library; usage: flowrun-embed LIBRARY.so\n");
  EXPECT_EQ(run_embed("a b").exit_code, 2);
  EXPECT_THAT(run_embed("--fast").errors, HasSubstr("found '--fast', expected one argument"));
  EXPECT_EQ(run_embed("--help >/dev/null").exit_code, 0);
}

}  // namespace
}  // namespace flowrun::plugin
