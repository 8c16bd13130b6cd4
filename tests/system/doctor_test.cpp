// `flowrun doctor`: what it says of this machine is what other sources say, and what is in the way of a run makes it exit 1.

#include <sched.h>
#include <sys/statvfs.h>

#include <fstream>

#include "support/run_test.hpp"

namespace flowrun::testing {
namespace {

class Doctor : public RunTest {
 protected:
  nlohmann::json examine(int expected_code, std::vector<std::string> more = {}, std::map<std::string, std::string> environment = {}) const {
    std::vector<std::string> arguments{kFlowrun, "doctor", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto finished = run({arguments, path(""), std::move(environment)});
    EXPECT_EQ(finished.exit_code, expected_code) << finished;
    return nlohmann::json::parse(finished.out, nullptr, false);
  }
};

TEST_F(Doctor, SaysWhatTheSystemSays) {
  const auto found = examine(0);
  EXPECT_EQ(found["version"], 1);
  EXPECT_EQ(found["ok"], true);
  EXPECT_TRUE(found["problems"].empty()) << found["problems"];
  cpu_set_t cores;
  ASSERT_EQ(::sched_getaffinity(0, sizeof cores, &cores), 0);
  EXPECT_GE(found["threads"].get<int>(), 1);
  EXPECT_LE(found["threads"].get<int>(), CPU_COUNT(&cores));
  EXPECT_EQ(found["memory"]["total_bytes"].get<std::int64_t>(), static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE));
  struct statvfs disk {};
  ASSERT_EQ(::statvfs(path("").c_str(), &disk), 0);
  EXPECT_EQ(found["disks"][0]["total_bytes"].get<std::int64_t>(), static_cast<std::int64_t>(disk.f_blocks) * static_cast<std::int64_t>(disk.f_frsize));
  std::ifstream info("/proc/cpuinfo");
  const std::string text((std::istreambuf_iterator<char>(info)), {});
  EXPECT_NE(text.find(found["cpu"]["model"].get<std::string>()), std::string::npos);
  for (const auto& feature : found["cpu"]["features"]) EXPECT_NE(text.find(" " + feature.get<std::string>()), std::string::npos) << feature;
  std::size_t plugins = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kBuild + "/plugins"))
    if (entry.path().extension() == ".so" && entry.path().string().find("CMakeFiles") == std::string::npos) ++plugins;
  EXPECT_EQ(found["plugin_folders"].back()["plugins"].get<std::size_t>(), plugins);
}

TEST_F(Doctor, OneCoreIsOneThread) {
  const auto finished = run({{"/bin/sh", "-c", "taskset -c 0 '" + kFlowrun + "' doctor --json"}, path("")});
  ASSERT_EQ(finished.exit_code, 0) << finished;
  EXPECT_EQ(nlohmann::json::parse(finished.out)["threads"], 1);
}

TEST_F(Doctor, ARefusedPluginIsAProblem) {
  write("plugins/filters/broken.so", "no library");
  const auto found = examine(1, {"--plugins", "plugins"});
  EXPECT_EQ(found["ok"], false);
  ASSERT_EQ(found["problems"].size(), 1u) << found["problems"];
  EXPECT_NE(found["problems"][0].get<std::string>().find("plugin 'filters/broken' is refused"), std::string::npos) << found["problems"];
  EXPECT_EQ(found["plugin_folders"][0]["refused"][0]["id"], "filters/broken");
  const auto text = flowrun({"doctor", "--plugins", "plugins"});
  EXPECT_EQ(text.exit_code, 1) << text;
  EXPECT_NE(text.out.find("problem    plugin 'filters/broken' is refused"), std::string::npos) << text;
}

TEST_F(Doctor, AFolderThatAnyoneMayWriteToIsAProblem) {
  std::filesystem::create_directories(path("plugins/filters"));
  std::filesystem::permissions(path("plugins"), std::filesystem::perms::all);
  const auto found = examine(1, {}, {{"FLOWRUN_PLUGIN_PATH", path("plugins")}});
  ASSERT_FALSE(found["problems"].empty());
  EXPECT_NE(found["problems"][0].get<std::string>().find("world-writable"), std::string::npos) << found["problems"];
  EXPECT_EQ(flowrun({"doctor", "--plugins", "nosuch"}).exit_code, 1);
}

}  // namespace
}  // namespace flowrun::testing
