// A plugin's README.md is generated; this keeps it true. `scripts/generate-readmes` writes them anew.

#include <filesystem>

#include "support/run_test.hpp"

namespace flowrun::testing {
namespace {

TEST(Readmes, AreWhatTheDescriptorsSay) {
  const auto list = run({{kFlowrun, "list", "--json"}, "/", {{"FLOWRUN_PLUGIN_PATH", ""}}});
  ASSERT_EQ(list.exit_code, 0) << list;
  const auto listed = nlohmann::json::parse(list.out);
  int checked = 0;
  for (const auto& plugin : listed["plugins"]) {
    const std::string id = plugin["id"], file = std::string(FLOWRUN_SOURCE_DIR) + "/plugins/" + id + "/README.md";
    EXPECT_EQ(plugin["status"], "ok") << plugin;
    const auto text = run({{kFlowrun, "inspect", id, "--markdown"}, "/", {{"FLOWRUN_PLUGIN_PATH", ""}}});
    ASSERT_EQ(text.exit_code, 0) << text;
    ASSERT_TRUE(std::filesystem::exists(file)) << file;
    EXPECT_EQ(read_file(file), text.out) << file << " is out of date";
    ++checked;
  }
  EXPECT_GE(checked, 10);  // those of the portable half
}

}  // namespace
}  // namespace flowrun::testing
