#pragma once

// What the tests of the graph loader share: files in a folder of their own, and findings as short lines.

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "config/graph_spec.hpp"
#include "config/value.hpp"

namespace flowrun::config {

class GraphFixture : public testing::Test {
 protected:
  GraphFixture() {
    static int count = 0;
    folder_ = std::filesystem::temp_directory_path() / fmt::format("flowrun-config-{}-{}", getpid(), count++);
    std::filesystem::create_directories(folder_);
  }
  ~GraphFixture() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(path(name), std::ios::binary) << text;
  }

  GraphSpec load(const std::string& name, const std::vector<Override>& overrides = {}) {
    diagnostics_ = Diagnostics();
    return load_graph(path(name), overrides, diagnostics_);
  }
  GraphSpec load_text(const std::string& text, const std::vector<Override>& overrides = {}) {
    write("graph.toml", text);
    return load("graph.toml", overrides);
  }

  /// Returns "FILE:LINE:COLUMN CODE MESSAGE" of each finding, files without their folder, with " (SUGGESTION)" where there is one.
  std::vector<std::string> findings() const {
    std::vector<std::string> lines;
    for (const Diagnostic& d : diagnostics_.sorted()) {
      const std::string file =
          d.where.file == "--set" ? d.where.file : std::filesystem::path(d.where.file).lexically_relative(folder_).string();
      std::string line = fmt::format("{}:{}:{} {} {}", file, d.where.line, d.where.column, d.code, d.message);
      if (d.suggestion) line += fmt::format(" ({})", *d.suggestion);
      for (std::size_t at = line.find(folder_.string()); at != std::string::npos; at = line.find(folder_.string()))
        line.erase(at, folder_.string().size() + 1);
      lines.push_back(line);
    }
    return lines;
  }

  static const NodeSpec& node(const GraphSpec& graph, const std::string& name) {
    for (const NodeSpec& candidate : graph.nodes) {
      if (candidate.name == name) return candidate;
    }
    ADD_FAILURE() << "no node '" << name << "'";
    static const NodeSpec kNone;
    return kNone;
  }
  static std::vector<std::string> names(const GraphSpec& graph) {
    std::vector<std::string> result;
    for (const NodeSpec& candidate : graph.nodes) result.push_back(candidate.name);
    return result;
  }
  /// Returns a key of a node as TOML, "" if it has none; reserved keys and `in` as well.
  static std::string key(const GraphSpec& graph, const std::string& name, const std::string& key) {
    const NodeSpec& found = node(graph, name);
    if (key == "in") return found.in ? to_toml(*found.in) : "";
    if (const auto reserved = found.reserved.find(key); reserved != found.reserved.end()) return to_toml(reserved->second);
    const Entry* entry = find(found.keys, key);
    return entry != nullptr ? to_toml(entry->value) : "";
  }

  std::filesystem::path folder_;
  Diagnostics diagnostics_;
};

}  // namespace flowrun::config
