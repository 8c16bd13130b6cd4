#pragma once

// What tests of whole runs share: a folder of their own, the built `flowrun`, and readers of what a run leaves.

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <flowrun/testing.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/process.hpp"

namespace flowrun::testing {

inline const std::string kBuild = FLOWRUN_BUILD_DIR;
inline const std::string kFlowrun = kBuild + "/bin/flowrun";
inline const std::string kTestPlugins = kBuild + "/tests/plugins";

/// Sanitizers make the same work take longer.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr double kPatience = 10;
#else
inline constexpr double kPatience = 1;
#endif

/// Ends the whole process with a line that names the work if it is not told in time that it was done: a deadlock must not look like a slow test.
class Watchdog {
 public:
  explicit Watchdog(double seconds) : seconds_(seconds * kPatience), thread_([this] { watch(); }) {}
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  /// Names what begins now; it has the whole time again.
  void begins(std::string work) {
    {
      const std::lock_guard lock(mutex_);
      work_ = std::move(work);
      deadline_ = std::chrono::steady_clock::now() + seconds_;
    }
    wake_.notify_all();
  }

 private:
  void watch() {
    std::unique_lock lock(mutex_);
    while (!closing_) {
      const auto deadline = deadline_;
      if (wake_.wait_until(lock, deadline) == std::cv_status::timeout && deadline == deadline_ && !closing_) {
        std::fprintf(stderr, "no end after %.0f s: %s\n", seconds_.count(), work_.c_str());
        std::abort();
      }
    }
  }

  const std::chrono::duration<double> seconds_;
  std::mutex mutex_;  // protects what follows
  std::condition_variable wake_;
  std::chrono::time_point<std::chrono::steady_clock, std::chrono::duration<double>> deadline_ = std::chrono::steady_clock::now() + seconds_;
  std::string work_ = "the start";
  bool closing_ = false;
  std::thread thread_;
};

/// Returns {relative path: bytes} of all files below a folder.
inline std::map<std::string, std::string> read_tree(const std::string& folder) {
  std::map<std::string, std::string> files;
  if (!std::filesystem::exists(folder)) return files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files[entry.path().lexically_relative(folder).generic_string()] = read_file(entry.path().string());
  return files;
}

/// Returns the names of the files that differ or stand in one tree alone: short to print where the bytes are not.
inline std::vector<std::string> differences(const std::map<std::string, std::string>& a, const std::map<std::string, std::string>& b) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : a)
    if (!b.contains(name)) names.push_back("only left: " + name);
    else if (b.at(name) != bytes) names.push_back("differs: " + name);
  for (const auto& [name, bytes] : b)
    if (!a.contains(name)) names.push_back("only right: " + name);
  return names;
}

/// Checks funnel.json's promise for every node, exactly: in = out + dropped + errors in documents, in + changed = out + dropped + errors in bytes.
inline void expect_exact_sums(const nlohmann::json& funnel) {
  const auto check = [](const std::string& name, const nlohmann::json& node) {
    std::int64_t documents = node["out"]["documents"], bytes = node["out"]["bytes"];
    for (const char* kind : {"dropped", "errors"})
      for (const auto& [reason, tally] : node[kind].items()) {
        documents += tally["documents"].get<std::int64_t>();
        bytes += tally["bytes"].get<std::int64_t>();
      }
    EXPECT_EQ(node["in"]["documents"].get<std::int64_t>(), documents) << name << ": " << node;
    EXPECT_EQ(node["in"]["bytes"].get<std::int64_t>() + node["changed"]["bytes"].get<std::int64_t>(), bytes) << name << ": " << node;
  };
  EXPECT_FALSE(funnel["nodes"].empty());
  for (const auto& [name, node] : funnel["nodes"].items()) check(name, node);
  check("total", funnel["total"]);
}

/// A test with a folder of its own, in memory where the machine has such a file system: runs make many durable files.
class RunTest : public ::testing::Test {
 protected:
  RunTest() : folder_(fast_folder()) {}

  std::string path(const std::string& name = {}) const { return folder_.path(name); }
  std::string write(const std::string& name, const std::string& bytes) const { return folder_.write(name, bytes); }
  std::string read(const std::string& name) const { return read_file(path(name)); }
  nlohmann::json json(const std::string& name) const { return nlohmann::json::parse(read(name)); }
  /// Returns the lines of a file, each parsed.
  std::vector<nlohmann::json> json_lines(const std::string& name) const {
    std::vector<nlohmann::json> lines;
    std::istringstream text(read(name));
    for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
  }

  /// Returns the command `flowrun ARGUMENTS`, in the test's folder and with the test plugins.
  Command command(std::vector<std::string> arguments, std::map<std::string, std::string> environment = {}) const {
    arguments.insert(arguments.begin(), kFlowrun);
    environment.emplace("FLOWRUN_PLUGIN_PATH", kTestPlugins);
    return {std::move(arguments), path(), std::move(environment)};
  }
  Finished flowrun(std::vector<std::string> arguments, std::map<std::string, std::string> environment = {}) const {
    return run(command(std::move(arguments), std::move(environment)), 60 * kPatience);
  }

  /// Returns {"<node>/<type>/<file>": bytes} of every artifact of a run, but for their manifests, which hold the time.
  std::map<std::string, std::string> artifacts_of(const std::string& run, const std::string& artifacts) const {
    std::map<std::string, std::string> files;
    const auto manifest = json(run + "/manifest.json");
    for (const auto& artifact : manifest["artifacts"]) {
      const std::string key = artifact["key"];
      for (auto& [name, bytes] : read_tree(path(artifacts + "/" + key.substr(0, 2) + "/" + key)))
        if (name != "manifest.json") files[artifact["node"].get<std::string>() + "/" + artifact["type"].get<std::string>() + "/" + name] = std::move(bytes);
    }
    return files;
  }

 private:
  static TemporaryFolder fast_folder() {
    if (::access("/dev/shm", W_OK) == 0) ::setenv("TMPDIR", "/dev/shm", 0);
    return {};
  }

  TemporaryFolder folder_;
};

/// Makes documents that look like prose to a quality filter: some too short, some copies of earlier ones, each from a seed alone.
class Prose {
 public:
  explicit Prose(std::uint64_t seed) : random_(seed) {}

  std::string document() {
    const std::uint64_t kind = random_() % 10;
    if (kind == 0 && !earlier_.empty()) return earlier_[random_() % earlier_.size()];
    std::string text = paragraph(kind == 1 ? 5 + random_() % 20 : 60 + random_() % 120);
    earlier_.push_back(text);
    return text;
  }

 private:
  std::string paragraph(std::uint64_t words) {
    static constexpr const char* kCommon[] = {"the", "be", "to", "of", "and", "that", "have", "with"};
    static constexpr const char* kSyllables[] = {"ka", "lor", "mi", "ten", "sa", "ru", "vel", "don", "pri", "ush", "ne", "gra"};
    std::string text;
    for (std::uint64_t i = 0; i < words; ++i) {
      if (i != 0) text += i % 13 == 0 ? ".\n" : " ";
      if (random_() % 3 == 0) {
        text += kCommon[random_() % std::size(kCommon)];
        continue;
      }
      for (std::uint64_t n = 2 + random_() % 2; n > 0; --n) text += kSyllables[random_() % std::size(kSyllables)];
    }
    return text + ".";
  }

  std::mt19937_64 random_;
  std::vector<std::string> earlier_;
};

}  // namespace flowrun::testing
