// What a third party does: installs flowrun, moves it, builds a plugin against it with find_package(flowrun), and runs a graph with it.

#include "support/run_test.hpp"

namespace flowrun::testing {
namespace {

namespace fs = std::filesystem;

const std::string kSource = FLOWRUN_SOURCE_DIR;

class Consumers : public ::testing::Test {
 protected:
  /// Installed, then moved: nothing may point to where it was built or first put.
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    const auto installed = run({{FLOWRUN_CMAKE, "--install", kBuild, "--prefix", path("first")}});
    ASSERT_EQ(installed.exit_code, 0) << installed;
    fs::create_directories(path("moved"));
    fs::rename(path("first"), prefix());
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static std::string path(const std::string& name) { return folder_->path(name); }
  static std::string prefix() { return folder_->path("moved/tree"); }
  static Finished installed_flowrun(std::vector<std::string> arguments, const std::string& folder) {
    arguments.insert(arguments.begin(), prefix() + "/bin/flowrun");
    return run({std::move(arguments), folder, {{"FLOWRUN_PLUGIN_PATH", ""}, {"FLOWRUN_ARTIFACTS", ""}}});
  }

  /// Copies a project out of the source tree, configures and builds it against the moved tree, and returns its folder.
  static std::string build_copy(const std::string& source, const std::string& name) {
    const std::string copy = path(name);
    fs::copy(kSource + "/" + source, copy, fs::copy_options::recursive);
    const auto configured = run({{FLOWRUN_CMAKE, "-S", copy, "-B", copy + "/build", "-DCMAKE_PREFIX_PATH=" + prefix(), "-DCMAKE_BUILD_TYPE=Release"}}, 300);
    EXPECT_EQ(configured.exit_code, 0) << configured;
    const auto built = run({{FLOWRUN_CMAKE, "--build", copy + "/build"}}, 300);
    EXPECT_EQ(built.exit_code, 0) << built;
    return copy;
  }

  static inline std::unique_ptr<TemporaryFolder> folder_;
};

TEST_F(Consumers, TheMovedTreeFindsItsOwnPlugins) {
  const auto listed = installed_flowrun({"list", "--json"}, path(""));
  ASSERT_EQ(listed.exit_code, 0) << listed;
  const auto list = nlohmann::json::parse(listed.out)["plugins"];
  EXPECT_GE(list.size(), 10u);
  for (const auto& plugin : list) {
    EXPECT_EQ(plugin["status"], "ok") << plugin;
    EXPECT_TRUE(plugin["file"].get<std::string>().starts_with(prefix() + "/lib/flowrun/plugins/")) << plugin;
  }
  // Test plugins and what only the build needs stay behind.
  EXPECT_FALSE(fs::exists(prefix() + "/lib/flowrun/plugins/test"));
  EXPECT_TRUE(fs::exists(prefix() + "/share/flowrun/graphs/prepare.toml"));
  EXPECT_EQ(read_tree(prefix() + "/include/flowrun").count("abi.h"), 1u);
}

TEST_F(Consumers, NothingOfTheTreePointsToWhereItWasBuilt) {
  for (const auto& [name, bytes] : read_tree(prefix())) {
    if (!name.ends_with(".cmake")) continue;
    EXPECT_EQ(bytes.find(kBuild), std::string::npos) << name;
    EXPECT_EQ(bytes.find(path("first")), std::string::npos) << name;
  }
}

#if FLOWRUN_PARQUET
// These plugins alone need a library that stays where the set-up has put it.
TEST_F(Consumers, TheMovedTreeReadsAndWritesParquet) {
  folder_->write("parquet/in.jsonl", "{\"text\":\"one\"}\n{\"text\":\"two\"}\n");
  folder_->write("parquet/write.toml",
                 "[run]\nname = \"write\"\n[node.web]\nplugin = \"readers/jsonl\"\npaths = [\"in.jsonl\"]\n[node.out]\nplugin = \"writers/parquet\"\nin = \"web\"\npath = \"out.parquet\"\n");
  folder_->write("parquet/read.toml",
                 "[run]\nname = \"read\"\n[node.web]\nplugin = \"readers/parquet\"\npaths = [\"runs/write/out.parquet\"]\nid_field = \"id\"\n[node.out]\nplugin = \"writers/jsonl\"\nin = \"web\"\n"
                 "path = \"out.jsonl\"\n");
  for (const char* graph : {"write.toml", "read.toml"}) {
    const auto finished = installed_flowrun({graph}, path("parquet"));
    ASSERT_EQ(finished.exit_code, 0) << finished;
  }
  EXPECT_EQ(read_file(path("parquet/runs/read/out.jsonl")),
            "{\"id\":\"in.jsonl#0\",\"text\":\"one\",\"domain\":\"\",\"source\":\"runs/write/out.parquet\"}\n"
            "{\"id\":\"in.jsonl#1\",\"text\":\"two\",\"domain\":\"\",\"source\":\"runs/write/out.parquet\"}\n");
}
#endif

TEST_F(Consumers, TheTemplateBuildsTestsAndRuns) {
  const std::string project = build_copy("sdk/template", "template");
  const auto tested = run({{FLOWRUN_CTEST, "--test-dir", project + "/build", "--output-on-failure", "--no-tests=error"}}, 300);
  EXPECT_EQ(tested.exit_code, 0) << tested;
  const std::string plugins = project + "/build/plugins";
  const auto inspected = installed_flowrun({"inspect", "filters/minimum_length", "--plugins", plugins, "--json"}, project);
  ASSERT_EQ(inspected.exit_code, 0) << inspected;
  EXPECT_EQ(nlohmann::json::parse(inspected.out)["parameters"][0]["name"], "min_characters");
  ASSERT_EQ(installed_flowrun({"graph.toml", "--plugins", plugins}, project).exit_code, 0);
  EXPECT_EQ(read_file(project + "/runs/minimum_length/kept.jsonl").find("{\"id\":\"input.jsonl#1\""), 0u);
  folder_->write("template/in.jsonl", "{\"text\":\"short\"}\n{\"text\":\"a text that is long enough to be kept\"}\n");
  folder_->write("template/other.toml",
                 "[run]\nname = \"t\"\n[node.web]\nplugin = \"readers/jsonl\"\npaths = [\"in.jsonl\"]\n[node.long_enough]\nplugin = \"filters/minimum_length\"\nin = \"web\"\n"
                 "min_characters = 20\n[node.out]\nplugin = \"writers/jsonl\"\nin = \"long_enough\"\npath = \"out.jsonl\"\n");
  const auto finished = installed_flowrun({"other.toml", "--plugins", plugins}, project);
  ASSERT_EQ(finished.exit_code, 0) << finished;
  EXPECT_EQ(read_file(project + "/runs/t/out.jsonl"), "{\"id\":\"in.jsonl#1\",\"text\":\"a text that is long enough to be kept\",\"domain\":\"\",\"source\":\"in.jsonl\"}\n");
  const auto funnel = nlohmann::json::parse(read_file(project + "/runs/t/funnel.json"));
  EXPECT_EQ(funnel["nodes"]["long_enough"]["dropped"]["too_short"]["documents"], 1);
}

TEST_F(Consumers, ThePluginInPlainCBuildsAndRunsItsExample) {
  const std::string project = build_copy("examples/c_plugin", "c_plugin");
  const auto finished = installed_flowrun({"graph.toml", "--plugins", "build/plugins"}, project);
  ASSERT_EQ(finished.exit_code, 0) << finished;
  const std::string out = read_file(project + "/runs/shout/loud.jsonl");
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 2);
  // The README shows what it prints.
  const std::string readme = read_file(kSource + "/examples/c_plugin/README.md");
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) EXPECT_NE(readme.find(line), std::string::npos) << line;
  // It exports one symbol, needs libc alone, and is named like any plugin where it is wrong.
  const auto refused = installed_flowrun({"validate", "graph.toml", "--plugins", "build/plugins", "--set", "node.loud.first_line_only=3"}, project);
  EXPECT_EQ(refused.exit_code, 78) << refused;
}

#if FLOWRUN_NATIVE
TEST_F(Consumers, ThePluginOfTheNativeTierBuildsAndTrains) {
  const std::string project = build_copy("examples/native_plugin", "native_plugin");
  const auto inspected = installed_flowrun({"inspect", "optimizers/lion", "--plugins", "build/plugins", "--json"}, project);
  ASSERT_EQ(inspected.exit_code, 0) << inspected;
  EXPECT_EQ(nlohmann::json::parse(inspected.out)["tier"], "native");
  const auto finished =
      installed_flowrun({"graph.toml", "--plugins", "build/plugins", "--set", "node.decoder.graph=" + prefix() + "/share/flowrun/graphs/models/llama.toml"}, project);
  ASSERT_EQ(finished.exit_code, 0) << finished;
  EXPECT_TRUE(fs::exists(project + "/runs/lion/model/model.safetensors"));
  // The README shows how it ends.
  const std::string readme = read_file(kSource + "/examples/native_plugin/README.md");
  for (const char* line : {"trained    30 steps, 3720 tokens", "model      runs/lion/model"}) {
    EXPECT_NE(finished.out.find(line), std::string::npos) << finished;
    EXPECT_NE(readme.find(line), std::string::npos) << line;
  }
  std::istringstream metrics(read_file(project + "/runs/lion/metrics.jsonl"));
  std::vector<double> losses;
  for (std::string line; std::getline(metrics, line);) losses.push_back(nlohmann::json::parse(line)["loss"]);
  ASSERT_EQ(losses.size(), 30u);
  EXPECT_LT(losses.back(), losses.front() - 0.5) << "it learns";
}

TEST_F(Consumers, ANativePluginWithoutLibTorchIsToldWhatIsMissing) {
  fs::create_directories(path("no_libtorch"));
  const auto configured = run({{FLOWRUN_CMAKE, "-S", kSource + "/examples/native_plugin", "-B", path("no_libtorch"), "-DCMAKE_PREFIX_PATH=" + prefix(), "-DFLOWRUN_LIBTORCH=/nowhere"}}, 300);
  EXPECT_NE(configured.exit_code, 0);
  EXPECT_NE(configured.err.find("its LibTorch was not found in '/nowhere'"), std::string::npos) << configured;
}
#endif

TEST_F(Consumers, TheCompilerAloneBuildsThePluginInPlainC) {
  fs::create_directories(path("by_hand/plugins/examples"));
  const std::string library = path("by_hand/plugins/examples/shout.so");
  const auto compiled = run({{"cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden", "-I", prefix() + "/include", "-o", library,
                              kSource + "/examples/c_plugin/shout.c"}});
  ASSERT_EQ(compiled.exit_code, 0) << compiled;
  // Without its descriptor it is refused, with the way out.
  const auto refused = installed_flowrun({"inspect", "examples/shout", "--plugins", path("by_hand/plugins")}, path("by_hand"));
  EXPECT_EQ(refused.exit_code, 69) << refused;
  EXPECT_NE(refused.err.find("flowrun-embed"), std::string::npos) << refused;
  const auto embedded = run({{prefix() + "/bin/flowrun-embed", library}});
  ASSERT_EQ(embedded.exit_code, 0) << embedded;
  const auto inspected = installed_flowrun({"inspect", "examples/shout", "--plugins", path("by_hand/plugins")}, path("by_hand"));
  EXPECT_EQ(inspected.exit_code, 0) << inspected;
}

}  // namespace
}  // namespace flowrun::testing
