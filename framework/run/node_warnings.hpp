#pragma once

// What nodes warn of while their stage runs. It becomes part of the manifests of the stage's artifacts, so that a run which takes them from the cache says it
// again: a name that no document has is as wrong the second time.

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <flowrun/abi.h>
#include <nlohmann/json.hpp>

#include "graph/node_call.hpp"

namespace flowrun::run {

/// [any thread]
class NodeWarnings {
 public:
  /// Returns a log that hands lines on to `next`, where there is one, and keeps the first warnings of `node`.
  graph::NodeCall::Log keeping(std::size_t node, graph::NodeCall::Log next) {
    return [this, node, next = std::move(next)](int level, std::string_view text) {
      if (next) next(level, text);
      if (level < FLOWRUN_LOG_WARNING) return;
      const std::lock_guard lock(mutex_);
      if (auto& texts = warnings_[node]; texts.size() < kKept) texts.emplace_back(text);
    };
  }
  std::vector<std::string> of(std::size_t node) const {
    const std::lock_guard lock(mutex_);
    const auto it = warnings_.find(node);
    return it == warnings_.end() ? std::vector<std::string>() : it->second;
  }
  /// Returns what an artifact's manifest has kept of the node with this key; nothing where the manifest is older than that.
  static std::vector<std::string> kept_in(const nlohmann::json& manifest, const std::string& node_key) {
    const auto all = manifest.find("warnings");
    return all == manifest.end() ? std::vector<std::string>() : all->value(node_key, std::vector<std::string>());
  }

 private:
  static constexpr std::size_t kKept = 32;  ///< of each node: a warning for each record would make manifests large; log.jsonl has them all

  mutable std::mutex mutex_;  // protects warnings_
  std::map<std::size_t, std::vector<std::string>> warnings_;
};

}  // namespace flowrun::run
