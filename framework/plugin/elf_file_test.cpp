#include "plugin/elf_file.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <flowrun/philox.hpp>

#include "plugin/plugin_testing.hpp"
#include "plugin/registry.hpp"

namespace flowrun::plugin {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST(ElfFile, ReadsSectionSymbolsAndNeeds) {
  const ElfFile plugin(refused_folder() + "/test/foreign_needed.so");
  ASSERT_TRUE(plugin.section(".flowrun").has_value());
  EXPECT_EQ(nlohmann::json::parse(*plugin.section(".flowrun"))["id"], "test/foreign_needed");
  EXPECT_FALSE(plugin.section(".absent").has_value());
  EXPECT_TRUE(plugin.exports("flowrun_plugin_v1"));
  EXPECT_FALSE(plugin.exports("foreign_marker")) << "it is needed, not defined, here";
  EXPECT_FALSE(plugin.exports("process")) << "it is hidden";
  const ElfDynamic dynamic = plugin.dynamic();
  EXPECT_THAT(dynamic.needed, Contains("libtbb.so.12"));
  EXPECT_THAT(dynamic.rpath.empty() ? dynamic.runpath : dynamic.rpath, Contains("$ORIGIN/../foreign"));
  EXPECT_EQ(ElfFile(refused_folder() + "/foreign/libtbb.so.12").dynamic().soname, "libtbb.so.12");
}

TEST(ElfFile, TheDescriptorIsNotMappedAtRunTime) {
  // Flags of the section as readelf prints them: without A it is not allocated.
  FILE* pipe = ::popen(("readelf -SW " + good_folder() + "/test/map_throw.so").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string line, text;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) {
    line += static_cast<char>(c);
    if (c != '\n') continue;
    if (line.find(" .flowrun ") != line.npos) text = line;
    line.clear();
  }
  ASSERT_EQ(::pclose(pipe), 0);
  EXPECT_THAT(text, HasSubstr("PROGBITS        0000000000000000"));
  EXPECT_THAT(text, ::testing::EndsWith(" 00      0   0  1\n")) << "no flags between entry size and link";
}

TEST(ElfFile, SaysWhatAFileIsInstead) {
  const TemporaryFolder folder;
  const auto message = [&](std::string_view content) { return error_of([&] { ElfFile(folder.write("x.so", content)); }).message(); };
  EXPECT_EQ(message("just text"), "it is not a library: found a file of 9 bytes without an ELF header, expected an ELF shared library");
  EXPECT_EQ(message(""), "it is not a library: found a file of 0 bytes without an ELF header, expected an ELF shared library");
  EXPECT_EQ(error_of([&] { ElfFile(folder.path()); }).message(), "it is not a file, expected an ELF shared library");
  const Error missing = error_of([&] { ElfFile(folder.path("none.so")); });
  EXPECT_EQ(missing.code(), Code::kNotFound);
  EXPECT_EQ(missing.message(), fmt::format("'{}' does not exist", folder.path("none.so")));

  std::string other = testing::read_file(good_folder() + "/test/map_throw.so");
  other[18] = 22, other[19] = 0;  // e_machine: IBM S/390
  EXPECT_THAT(message(other), HasSubstr("it is built for ELF machine 22, expected "));
  std::string object = testing::read_file(good_folder() + "/test/map_throw.so");
  object[16] = 1;  // e_type: a relocatable object
  EXPECT_EQ(message(object), "it is not a shared library: found another kind of ELF file, expected one linked with -shared");
}

TEST(ElfFile, ACutFileIsRefusedWhereverItIsCut) {
  const TemporaryFolder folder;
  const std::string whole = testing::read_file(good_folder() + "/test/map_throw.so");
  for (std::size_t i = 0; i < 200; ++i) {
    const std::string path = folder.write("test/map_throw.so", whole.substr(0, whole.size() * i / 200));
    const PluginFile file = Registry::read_file(path);
    EXPECT_TRUE(file.refused) << "cut at byte " << whole.size() * i / 200;
    EXPECT_THAT(file.reason, ::testing::StartsWith(fmt::format("'{}': it is ", path))) << file.reason;
  }
  EXPECT_THAT(error_of([&] { ElfFile(folder.write("x.so", whole.substr(0, whole.size() - 1))); }).message(), HasSubstr("it is damaged: "));
}

TEST(ElfFile, FlippedBytesNeverEndTheProcess) {
  // In memory: the file system would take longer than all the reading.
  const std::string whole = testing::read_file(refused_folder() + "/test/without_fault.so");
  const int memory = ::memfd_create("flipped", 0);
  ASSERT_GE(memory, 0);
  ASSERT_EQ(::pwrite(memory, whole.data(), whole.size(), 0), static_cast<ssize_t>(whole.size()));
  const std::string path = fmt::format("/proc/self/fd/{}", memory);
  ASSERT_EQ(::fchmod(memory, 0700), 0);  // such a file begins as 777, which is refused
  ASSERT_FALSE(Registry::read_file(path).refused) << Registry::read_file(path).reason;

  int refused = 0;
  for (std::uint64_t draw = 0; draw < 10000; ++draw) {
    // Half of the flips in the first and last kilobytes, where the headers are.
    std::size_t at = bounded(philox_u64(7, draw), draw % 4 == 0 ? 1024 : whole.size());
    if (draw % 4 == 1) at = whole.size() - 1 - bounded(philox_u64(7, draw), 2048);
    const char flipped = static_cast<char>(whole[at] ^ (1 << (draw % 8)));
    ASSERT_EQ(::pwrite(memory, &flipped, 1, static_cast<off_t>(at)), 1);
    refused += Registry::read_file(path).refused ? 1 : 0;
    ASSERT_EQ(::pwrite(memory, &whole[at], 1, static_cast<off_t>(at)), 1);
  }
  ::close(memory);
  EXPECT_GT(refused, 100) << "seed 7";
}

}  // namespace
}  // namespace flowrun::plugin
