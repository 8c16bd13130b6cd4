// Reads every #include and every link line of the tree: a layer that looks up, or a plugin that looks beyond the SDK, fails here.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "support/run_test.hpp"

namespace flowrun::testing {
namespace {

namespace fs = std::filesystem;

const std::string kSource = FLOWRUN_SOURCE_DIR;

struct Include {
  std::string file;  ///< that includes, relative to the source folder
  int line;
  bool quoted;
  std::string what;
  std::string place() const { return file + ":" + std::to_string(line) + ": #include " + (quoted ? '"' + what + '"' : '<' + what + '>'); }
};

std::vector<std::string> files_below(const std::string& folder, const std::function<bool(const fs::path&)>& wanted) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(kSource + "/" + folder))
    if (entry.is_regular_file() && wanted(entry.path())) files.push_back(entry.path().lexically_relative(kSource).generic_string());
  std::sort(files.begin(), files.end());
  return files;
}

bool is_code(const fs::path& path) {
  static const std::set<std::string> kSuffixes{".h", ".hpp", ".c", ".cpp", ".cu"};
  return kSuffixes.contains(path.extension().string());
}

std::vector<Include> includes_of(const std::string& file) {
  static const std::regex kInclude(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<Include> includes;
  std::ifstream in(kSource + "/" + file);
  int line = 0;
  std::smatch match;
  for (std::string text; std::getline(in, text);) {
    ++line;
    if (std::regex_search(text, match, kInclude)) includes.push_back({file, line, match[1] == "\"", match[2]});
  }
  return includes;
}

std::vector<Include> includes_below(const std::string& folder) {
  std::vector<Include> all;
  for (const auto& file : files_below(folder, is_code))
    for (auto& include : includes_of(file)) all.push_back(std::move(include));
  return all;
}

std::string first_part(const std::string& path) { return path.substr(0, path.find('/')); }

bool is_torch(const std::string& header) {
  static const std::set<std::string> kFolders{"ATen", "c10", "torch", "caffe2"};
  return header.find('/') != std::string::npos && kFolders.contains(first_part(header));
}

/// Returns the file that an include of the project's own means, or "" for one of the system.
std::string own_file(const Include& include) {
  std::vector<std::string> candidates{"framework/" + include.what, "sdk/include/" + include.what, "plugins/" + include.what};
  if (include.quoted) candidates.push_back((fs::path(include.file).parent_path() / include.what).lexically_normal().generic_string());
  for (const auto& candidate : candidates)
    if (fs::exists(kSource + "/" + candidate)) return candidate;
  return "";
}

/// Returns whether a file sees LibTorch, itself or through another of the project.
bool sees_torch(const std::string& file, std::map<std::string, bool>& known) {
  const auto [entry, first] = known.emplace(file, false);
  if (!first) return entry->second;
  bool sees = false;
  for (const auto& include : includes_of(file)) {
    const std::string own = own_file(include);
    sees = sees || (own.empty() ? is_torch(include.what) : sees_torch(own, known));
  }
  return known[file] = sees;
}

TEST(Layering, AFrameworkLayerIncludesOnlyThoseBelowIt) {
  // docs/architecture.md, "Layers".
  const std::map<std::string, std::set<std::string>> below{
      {"base", {}},
      {"config", {"base"}},
      {"plugin", {"base"}},
      {"graph", {"base", "config", "plugin"}},
      {"run", {"base", "config", "plugin", "graph"}},
      {"train", {"base"}},
      {"cli", {"base", "config", "plugin", "graph", "run"}},
  };
  // libflowrun_native.so is opened, not linked: these headers are what the two sides share, and hold nothing of LibTorch.
  const std::set<std::string> interfaces{"train/region.hpp", "train/checkpoint_files.hpp"};
  std::map<std::string, int> seen;
  for (const auto& include : includes_below("framework")) {
    const std::string layer = include.file.substr(std::string("framework/").size());
    ASSERT_TRUE(below.contains(first_part(layer))) << include.file << " is in no layer";
    ++seen[first_part(layer)];
    if (!include.quoted) continue;
    const std::string target = first_part(include.what);
    if (target == first_part(layer) || below.at(first_part(layer)).contains(target)) continue;
    const bool interface = interfaces.contains(include.what) && (first_part(layer) == "run" || first_part(layer) == "cli");
    EXPECT_TRUE(interface) << include.place() << ": a wrong direction";
  }
  for (const auto& [layer, allowed] : below) EXPECT_GT(seen[layer], 0) << layer;
}

TEST(Layering, FilesOfTheFrameworkNameTheirIncludesFromItsRoot) {
  for (const auto& include : includes_below("framework"))
    EXPECT_TRUE(!include.quoted || fs::exists(kSource + "/framework/" + include.what)) << include.place() << ": not a path from framework/";
}

TEST(Layering, OnlyTheNativeHalfSeesLibTorch) {
  std::map<std::string, bool> known;
  int native = 0;
  for (const char* folder : {"framework", "sdk", "plugins"})
    for (const auto& file : files_below(folder, is_code)) {
      if (!sees_torch(file, known)) continue;
      ++native;
      const std::string family = folder == std::string("plugins") ? first_part(file.substr(8)) : "";
      const bool allowed = file.starts_with("framework/train/") || file == "sdk/include/flowrun/native.hpp" || family == "blocks" || family == "objectives" ||
                           family == "optimizers" || family == "evaluators" || file.starts_with("plugins/writers/checkpoint/");
      EXPECT_TRUE(allowed) << file << " sees LibTorch";
    }
  EXPECT_GT(native, 10) << "the test no longer recognizes LibTorch";
  for (const char* interface : {"framework/train/region.hpp", "framework/train/checkpoint_files.hpp"}) EXPECT_FALSE(sees_torch(interface, known)) << interface;
}

TEST(Layering, OnlyTheParquetPluginsSeeArrow) {
  int includes = 0;
  for (const char* folder : {"framework", "sdk", "plugins"})
    for (const auto& include : includes_below(folder)) {
      const std::string head = first_part(include.what);
      if (include.quoted || (head != "arrow" && head != "parquet")) continue;
      ++includes;
      EXPECT_TRUE(include.file.starts_with("plugins/readers/parquet/") || include.file.starts_with("plugins/writers/parquet/")) << include.place();
    }
  EXPECT_GT(includes, 5) << "the test no longer recognizes Arrow";
}

TEST(Layering, TheSdkNeedsNothingOfTheProject) {
  for (const auto& include : includes_below("sdk/include")) {
    const std::string own = own_file(include);
    EXPECT_TRUE(own.starts_with("sdk/include/flowrun/") || (own.empty() && !include.quoted)) << include.place();
    const std::string head = first_part(include.what);
    EXPECT_TRUE(head != "oneapi" && head != "tbb" && head != "fmt" && head != "nlohmann" && head != "boost") << include.place() << ": the SDK needs a compiler alone";
    static const std::set<std::string> kOfAbi{"stdint.h", "stddef.h", "arrow_c.h", "dlpack.h"};
    EXPECT_TRUE(include.file != "sdk/include/flowrun/abi.h" || kOfAbi.contains(include.what)) << include.place();
  }
}

TEST(Layering, APluginIncludesTheSdkItsOwnFilesAndCommonOnes) {
  int plugins = 0;
  for (const auto& include : includes_below("plugins")) {
    // Tests and tools are no part of a plugin; tools link the algorithms of several.
    const std::string name = fs::path(include.file).stem();
    if (name.ends_with("_test") || name.ends_with("_tool") || name.ends_with("_bench")) continue;
    plugins += include.file.ends_with("/plugin.cpp") ? 1 : 0;
    const std::string own = own_file(include);
    if (!include.quoted) {
      EXPECT_TRUE(own.empty() || own.starts_with("sdk/include/flowrun/")) << include.place() << ": neither the SDK nor the system";
      EXPECT_FALSE(first_part(include.what) == "oneapi" || first_part(include.what) == "tbb") << include.place() << ": threads are the host's";
      continue;
    }
    const fs::path folder = fs::path(include.file).parent_path();
    // The common folders, its family's and that of all, and a plugin's may have folders of their own.
    const std::size_t family_end = include.file.find('/', std::string("plugins/").size());
    const std::string family = include.file.substr(0, family_end), plugin = include.file.substr(0, include.file.find('/', family_end + 1));
    const bool allowed = fs::path(own).parent_path() == folder || own.starts_with(plugin + "/") || own.starts_with(family + "/common/") || own.starts_with("plugins/common/");
    EXPECT_TRUE(allowed) << include.place() << ": a plugin sees <flowrun/...>, its own files, its family's common/ and plugins/common/ alone";
  }
  EXPECT_GT(plugins, 50) << "the test no longer finds the plugins";
}

TEST(Layering, NoPluginLinksTheFrameworkOrAnotherPlugin) {
  const std::regex framework(R"(\bflowrun_(base|config|plugin|graph|run|train|checkpoint|native|native_objects|cli)\b|\bplugin_[a-z0-9_]+\b|\bTBB::)");
  int lists = 0;
  for (const char* folder : {"plugins", "sdk/template", "examples"})
    for (const auto& file : files_below(folder, [](const fs::path& path) { return path.filename() == "CMakeLists.txt"; })) {
      ++lists;
      std::string text = read_file(kSource + "/" + file);
      text = std::regex_replace(text, std::regex("#[^\n]*"), "");
      // A test may need other plugins to be built; what it links is its own affair.
      text = std::regex_replace(text, std::regex(R"(flowrun_add_test\([^)]*\))"), "");
      std::smatch match;
      EXPECT_FALSE(std::regex_search(text, match, framework)) << file << " names '" << match.str() << "'";
    }
  EXPECT_GT(lists, 20);
}

TEST(Layering, LinkLinesOfPluginsHoldNothingOfTheFramework) {
  const std::string ninja = kBuild + "/build.ninja";
  if (!fs::exists(ninja)) GTEST_SKIP() << "the link lines are read from build.ninja; this build was made by another generator";
  std::ifstream in(ninja);
  const std::regex framework(R"(framework/[a-z]+/lib|libflowrun_native|libtbb)"), arrow(R"(libarrow|libparquet)");
  std::string target;
  int links = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("build ")) target = line.substr(6, line.find(':') - 6);
    if (!line.starts_with("  LINK_LIBRARIES =") || !target.starts_with("plugins/") || !target.ends_with(".so")) continue;
    ++links;
    EXPECT_FALSE(std::regex_search(line, framework)) << target << ":" << line;
    EXPECT_TRUE(target.ends_with("/parquet.so") || !std::regex_search(line, arrow)) << target << ":" << line;
  }
  EXPECT_GE(links, 10) << "the test no longer finds the link lines";
}

TEST(Layering, APluginExportsOneSymbol) {
  int plugins = 0;
  for (const char* folder : {"/plugins", "/tests/plugins"})
    for (const auto& entry : fs::recursive_directory_iterator(kBuild + folder)) {
      if (entry.path().extension() != ".so") continue;
      const auto symbols = run({{"nm", "-D", "--defined-only", "--format=posix", entry.path().string()}});
      ASSERT_EQ(symbols.exit_code, 0) << symbols;
      ++plugins;
      EXPECT_TRUE(symbols.out.starts_with("flowrun_plugin_v1 ")) << entry.path() << "\n" << symbols.out;
      EXPECT_EQ(std::count(symbols.out.begin(), symbols.out.end(), '\n'), 1) << entry.path() << "\n" << symbols.out;
    }
  EXPECT_GT(plugins, 20);
}

}  // namespace
}  // namespace flowrun::testing
