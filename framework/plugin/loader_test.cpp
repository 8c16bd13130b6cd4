#include "plugin/loader.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugin/plugin_testing.hpp"
#include "plugin/registry.hpp"

namespace flowrun::plugin {
namespace {

using ::testing::HasSubstr;

TEST(Loader, KeepsTheLinkersText) {
  const TemporaryFolder folder;
  const Error error = error_of([&] { open_library(folder.write("text.so", "not a library")); });
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_EQ(error.message(), "plugin refused: '" + folder.path("text.so") + "': the dynamic linker cannot load it: " + folder.path("text.so") + ": file too short");
}

TEST(Loader, GivesTheSameTableAgain) {
  const std::string file = good_folder() + "/test/map_throw.so";
  EXPECT_EQ(&open_library(file), &open_library(file));
}

/// A table whose interfaces a test chooses.
struct FakePlugin {
  static inline const void* map = nullptr;
  static inline const void* source = nullptr;
  static inline const void* blocking = nullptr;
  static inline const void* state = nullptr;
  static const void* get_interface(const char* id) {
    if (std::string_view(id) == FLOWRUN_MAP_V1) return map;
    if (std::string_view(id) == FLOWRUN_SOURCE_V1) return source;
    if (std::string_view(id) == FLOWRUN_BLOCKING_V1) return blocking;
    if (std::string_view(id) == FLOWRUN_STATE_V1) return state;
    return nullptr;
  }
  static flowrun_plugin table() {
    flowrun_plugin plugin{};
    plugin.size = sizeof plugin;
    plugin.get_interface = get_interface;
    return plugin;
  }
  FakePlugin() { map = source = blocking = state = nullptr; }
};

TEST(Loader, TheInterfaceOfTheKindMustBeComplete) {
  const FakePlugin reset;
  const flowrun_plugin table = FakePlugin::table();
  DescriptorInfo info;
  for (const char* kind : {"source", "map", "serial", "blocking", "indexed", "native"}) {
    info.kind = kind;
    EXPECT_EQ(error_of([&] { check_interface("x.so", table, info); }).message(),
              "plugin refused: 'x.so': its descriptor says kind '" + info.kind + "', but it gives no complete interface 'flowrun." + info.kind + "/1'");
  }

  flowrun_map map{};
  map.size = sizeof map;
  FakePlugin::map = &map;
  info.kind = "map";
  EXPECT_THAT(error_of([&] { check_interface("x.so", table, info); }).message(), HasSubstr("no complete interface 'flowrun.map/1'"));
  map.process = [](void*, const flowrun_call*, const ArrowArray*, ArrowArray*) -> flowrun_status { return FLOWRUN_OK; };
  EXPECT_NO_THROW(check_interface("x.so", table, info));
  map.size = 4;
  EXPECT_EQ(error_of([&] { check_interface("x.so", table, info); }).message(),
            "plugin refused: 'x.so': its interface 'flowrun.map/1' has 4 bytes, expected at least " + std::to_string(sizeof map));
}

TEST(Loader, OnlyABlockingNodeWithAStreamNeedsProduce) {
  const FakePlugin reset;
  flowrun_blocking blocking{};
  blocking.size = sizeof blocking;
  blocking.consume = [](void*, const flowrun_call*, std::uint32_t, const ArrowArray*) -> flowrun_status { return FLOWRUN_OK; };
  blocking.finish = [](void*, const flowrun_call*) -> flowrun_status { return FLOWRUN_OK; };
  FakePlugin::blocking = &blocking;
  DescriptorInfo info;
  info.kind = "blocking";
  info.outputs.push_back({"out", "tokenizer", EdgeKind::kArtifact, false, {}, false, {}, {}, {}});
  EXPECT_NO_THROW(check_interface("x.so", FakePlugin::table(), info));
  info.outputs[0].edge = EdgeKind::kStream;
  EXPECT_THROW(check_interface("x.so", FakePlugin::table(), info), Error);
}

TEST(Loader, DeclaredStateMustBeThere) {
  const FakePlugin reset;
  flowrun_map map{};
  map.size = sizeof map;
  map.process = [](void*, const flowrun_call*, const ArrowArray*, ArrowArray*) -> flowrun_status { return FLOWRUN_OK; };
  FakePlugin::map = &map;
  DescriptorInfo info;
  info.kind = "map";
  info.declares_state = true;
  EXPECT_EQ(error_of([&] { check_interface("x.so", FakePlugin::table(), info); }).message(),
            "plugin refused: 'x.so': its descriptor declares state, but it gives no interface 'flowrun.state/1'");
  flowrun_state state{};
  state.size = sizeof state;
  FakePlugin::state = &state;
  EXPECT_EQ(error_of([&] { check_interface("x.so", FakePlugin::table(), info); }).message(),
            "plugin refused: 'x.so': its interface 'flowrun.state/1' lacks a function, expected 'snapshot', 'restore' and 'memory_bytes'");
}

TEST(Fingerprint, EqualOnesPassInAnyOrderOfFields) {
  EXPECT_NO_THROW(check_fingerprint("x.so", R"({"cuda":"none","libtorch_version":"2.15.0"})", R"({"libtorch_version":"2.15.0","cuda":"none"})", "make"));
}

TEST(Fingerprint, DifferentOnesAreShownFieldByField) {
  const Error error = error_of([] {
    check_fingerprint("/p/blocks/x.so", R"({"libtorch_version":"2.14.0","cuda":"none"})", R"({"libtorch_version":"2.15.0","cuda":"none","native_sdk":1})",
                      "cmake --build B --target plugin_blocks_x");
  });
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_EQ(error.message(),
            "plugin refused: '/p/blocks/x.so': it was built for another LibTorch or compiler set-up than this flowrun; fields that differ are marked with *\n"
            "                     plugin                                       this flowrun\n"
            "  cuda               none                                         none\n"
            "* libtorch_version   2.14.0                                       2.15.0\n"
            "* native_sdk         (none)                                       1\n"
            "  rebuild it: cmake --build B --target plugin_blocks_x");
  EXPECT_THAT(error_of([] { check_fingerprint("x.so", "[]", "{}", ""); }).message(), HasSubstr("is not a JSON object"));
}

}  // namespace
}  // namespace flowrun::plugin
