// Each library of tests/plugins/refused has one fault. What is said of it, by which step, and that none of its code has run before.

#include <dlfcn.h>

#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <oneapi/tbb/version.h>

#include "plugin/plugin_testing.hpp"
#include "plugin/registry.hpp"

namespace flowrun::plugin {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string library(const std::string& name) { return refused_folder() + "/test/" + name + ".so"; }

class Refusal : public ::testing::Test {
 protected:
  Refusal() : mark_(folder_.path("mark")), variable_("FLOWRUN_TEST_LOADED_MARK", mark_), registry_({{refused_folder(), true}}) {
    // The host's oneTBB must be in the process, as it is in flowrun.
    EXPECT_STRNE(TBB_runtime_version(), nullptr);
  }

  /// Returns why a file is refused when it is only read.
  std::string reason(const std::string& name) {
    const PluginFile* file = registry_.find("test/" + name);
    EXPECT_NE(file, nullptr) << name;
    if (!file) return {};
    EXPECT_TRUE(file->refused) << name;
    const Error error = error_of([&] { registry_.load(*file, ""); });
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_EQ(error.message(), "plugin refused: " + file->reason);
    EXPECT_FALSE(code_has_run()) << name;
    return file->reason;
  }
  /// Returns why a file that reads well is refused when it is loaded.
  Error load_error(const std::string& name, const std::string& fingerprint = "") {
    const PluginFile* file = registry_.find("test/" + name);
    EXPECT_FALSE(file->refused) << file->reason;
    const Error error = error_of([&] { registry_.load(*file, fingerprint); });
    EXPECT_EQ(error.code(), Code::kUnavailable);
    return error;
  }
  bool code_has_run() const { return std::filesystem::exists(mark_); }

  TemporaryFolder folder_;
  std::string mark_;
  ScopedVariable variable_;
  Registry registry_;
};

TEST_F(Refusal, NothingIsRefusedWithoutAFault) {
  const PluginFile* file = registry_.find("test/without_fault");
  ASSERT_NE(file, nullptr);
  EXPECT_FALSE(file->refused) << file->reason;
  EXPECT_FALSE(code_has_run()) << "reading must not run the plugin";
  const flowrun_plugin* table = registry_.load(*file, "");
  EXPECT_TRUE(code_has_run());
  EXPECT_EQ(file->raw_descriptor, table->descriptor());
  EXPECT_EQ(registry_.load(*file, ""), table);
}

TEST_F(Refusal, AnotherAbiInTheDescriptor) {
  EXPECT_EQ(reason("wrong_abi"),
            "\'" + library("wrong_abi") + "\': built for plugin ABI 2.0, expected 1.x; rebuild it with the SDK of this flowrun");
}

TEST_F(Refusal, AnotherAbiInTheTable) {
  EXPECT_EQ(load_error("wrong_table_abi").message(),
            "plugin refused: \'" + library("wrong_table_abi") + "\': its table is of plugin ABI 2.0, expected 1.x; rebuild it with the SDK of this flowrun");
}

TEST_F(Refusal, NoSymbol) {
  EXPECT_EQ(reason("missing_symbol"), "\'" + library("missing_symbol") + "\': it exports no symbol 'flowrun_plugin_v1'");
}

TEST_F(Refusal, NoDescriptor) {
  EXPECT_EQ(reason("no_descriptor"), "\'" + library("no_descriptor") + "\': it has no section '.flowrun', expected the descriptor there; run "
                                     "'flowrun-embed " + library("no_descriptor") + "'");
}

TEST_F(Refusal, ABadDescriptor) {
  EXPECT_EQ(reason("bad_descriptor"),
            "\'" + library("bad_descriptor") + "\': descriptor key 'version' is 7, expected a string that is not empty");
}

TEST_F(Refusal, AnotherId) {
  EXPECT_EQ(reason("id_mismatch"), "\'" + library("id_mismatch") + "\': its descriptor says id 'test/elsewhere', expected 'test/id_mismatch', "
                                   "because its place among the plugins is its id");
}

TEST_F(Refusal, ADescriptorThatDiffersFromTheFactorys) {
  EXPECT_EQ(load_error("descriptor_differs").message(), "plugin refused: \'" + library("descriptor_differs") + "\': its descriptor in section '.flowrun' differs "
                                                        "from the one that its code gives; run 'flowrun-embed " + library("descriptor_differs") + "'");
}

TEST_F(Refusal, NoInterfaceOfItsKind) {
  EXPECT_THAT(load_error("no_interface").message(), HasSubstr("its descriptor says kind 'map', but it gives no complete interface 'flowrun.map/1'"));
}

TEST_F(Refusal, ALibraryThatIsNone) {
  const TemporaryFolder folder;
  folder.write("test/text.so", "just text");
  Registry registry({{folder.path(), true}});
  const PluginFile* file = registry.find("test/text");
  ASSERT_NE(file, nullptr);
  EXPECT_TRUE(file->refused);
  EXPECT_EQ(file->reason, "\'" + folder.path("test/text.so") + "\': it is not a library: found a file of 9 bytes without an ELF header, expected "
                          "an ELF shared library");
}

TEST_F(Refusal, ALibraryThatIsNoPlugin) {
  EXPECT_THAT(Registry::read_file(refused_folder() + "/foreign/libtbb.so.12").reason, HasSubstr("it is not a flowrun plugin"));
}

TEST_F(Refusal, AForeignOneTbb) {
  EXPECT_THAT(reason("foreign_needed"),
              AllOf(StartsWith("'" + library("foreign_needed") + "': it needs 'libtbb.so.12', which resolves to '"),
                    HasSubstr("foreign/libtbb.so.12', expected the file of oneTBB that flowrun uses, '/"),
                    HasSubstr("(a statically linked copy would not be seen)")));
}

TEST_F(Refusal, AForeignOneTbbThroughAnotherLibrary) {
  EXPECT_THAT(reason("foreign_indirect"), AllOf(HasSubstr("libforeign_between.so', which it needs, needs 'libtbb.so.12', which resolves to '"), HasSubstr("foreign/libtbb.so.12'")));
}

TEST_F(Refusal, AForeignOneTbbByLibraryPath) {
  {
    const ScopedVariable path("LD_LIBRARY_PATH", "/nonexistent:" + refused_folder() + "/foreign");
    EXPECT_THAT(reason("unlinkable"), HasSubstr("which resolves to '" + refused_folder() + "/foreign/libtbb.so.12'"));
  }
  // Without it the name means the host's own, which only lacks the function that is called; so the linker's text comes through.
  Registry fresh({{refused_folder(), true}});
  const PluginFile* file = fresh.find("test/unlinkable");
  ASSERT_FALSE(file->refused) << file->reason;
  EXPECT_THAT(error_of([&] { fresh.load(*file, ""); }).message(), AllOf(HasSubstr("the dynamic linker cannot load it: "), HasSubstr("undefined symbol: foreign_marker")));
}

TEST_F(Refusal, ALibTorchWhereTheHostHasNone) {
  EXPECT_THAT(load_error("foreign_torch").message(),
              AllOf(HasSubstr("needs 'libtorch_cpu.so', and this process has no LibTorch loaded that it could share"), HasSubstr("only native plugins may need LibTorch")));
  EXPECT_FALSE(code_has_run());
}

TEST_F(Refusal, ALibTorchThatIsNotTheHosts) {
  void* const host = ::dlopen((refused_folder() + "/torch_b/libtorch_cpu.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(host, nullptr) << ::dlerror();
  std::filesystem::remove(mark_);  // it was left by the stand-in for the host's LibTorch
  EXPECT_THAT(reason("foreign_torch"), AllOf(HasSubstr("/torch_a/libtorch_cpu.so', expected the file of LibTorch that flowrun uses, '" + refused_folder() +
                                                       "/torch_b/libtorch_cpu.so'")));
  ::dlclose(host);
}

TEST_F(Refusal, ALibTorchThatIsTheHostsIsNone) {
  void* const host = ::dlopen((refused_folder() + "/torch_a/libtorch_cpu.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(host, nullptr) << ::dlerror();
  const PluginFile* file = registry_.find("test/foreign_torch");
  EXPECT_FALSE(file->refused) << file->reason;
  EXPECT_NE(registry_.load(*file, ""), nullptr);
  ::dlclose(host);
}

TEST_F(Refusal, ANativePluginOfAnotherBuild) {
  EXPECT_THAT(load_error("wrong_fingerprint").message(), HasSubstr("it is a native plugin, and the native runtime is not loaded"));
  const std::string host = R"({"libtorch_version":"2.15.0","libtorch_git":"abc","cxx11_abi":"1","gxx_abi_version":"1017","standard_library":"libstdc++ 12",)"
                           R"("sanitizer":"none","glibcxx_debug":"0","native_sdk":"1","cuda":"none"})";
  const std::string message = load_error("wrong_fingerprint", host).message();
  EXPECT_THAT(message, AllOf(StartsWith("plugin refused: '" + library("wrong_fingerprint") + "': it was built for another LibTorch or compiler set-up"),
                             HasSubstr("\n* libtorch_version   1.0.0                                        2.15.0\n"),
                             HasSubstr("\n  sanitizer          none                                         none\n"), HasSubstr("\n  rebuild it: cmake ")));
  EXPECT_FALSE(code_has_run());
}

}  // namespace
}  // namespace flowrun::plugin
