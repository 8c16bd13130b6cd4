#include "run/stage_plan.hpp"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include <fmt/format.h>

#include <flowrun/error.hpp>

#include "base/sha256.hpp"

namespace flowrun::run {
namespace {

using graph::Connection;
using plugin::EdgeKind;

/// Raised when the bytes of any artifact change their meaning.
constexpr int kFormatVersion = 1;

bool is_data_type(const std::string& type) { return type == "documents" || type == "tokens"; }

class Planner {
 public:
  Planner(const graph::ResolvedGraph& graph, const std::vector<NodeFiles>& files, plugin::Registry& registry, const InputDigests& digests)
      : graph_(graph), files_(files), registry_(registry), digests_(digests), level_(graph.nodes.size(), 0), consumers_(graph.nodes.size()) {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
      for (std::size_t p = 0; p < graph.nodes[i].inputs.size(); ++p)
        for (std::size_t s = 0; s < graph.nodes[i].inputs[p].size(); ++s) consumers_[graph.nodes[i].inputs[p][s].node].push_back({i, p, s});
  }

  StagePlan run() {
    for (const std::size_t i : graph_.order)
      if (!graph_.nodes[i].native()) level_[i] = level_of(i);
    make_stages();
    make_keys();
    make_artifacts();
    return std::move(plan_);
  }

 private:
  struct Consumer {
    std::size_t node, port, stream;
  };

  EdgeKind output_edge(const Connection& from) const { return graph_.nodes[from.node].descriptor().outputs[from.output].edge; }
  const std::string& kind(std::size_t i) const { return graph_.nodes[i].descriptor().kind; }

  /// Returns by how many levels an edge separates its ends; 0: they may run together.
  std::size_t step(const Connection& from, std::size_t to, std::size_t port) const {
    const EdgeKind want = graph_.nodes[to].descriptor().inputs[port].edge;
    const bool indexed = output_edge(from) == EdgeKind::kDataset;
    if (want == EdgeKind::kArtifact) return 1;
    if (want == EdgeKind::kDataset) return indexed ? 0 : 1;
    if (indexed || kind(from.node) == "blocking" || graph_.nodes[from.node].cache) return 1;
    return 0;
  }

  std::size_t level_of(std::size_t i) {
    std::size_t level = 0;
    for (std::size_t p = 0; p < graph_.nodes[i].inputs.size(); ++p)
      for (const auto& from : graph_.nodes[i].inputs[p]) level = std::max(level, level_[from.node] + step(from, i, p));
    if (join_could_wait(i, level)) {
      cut_joins_.insert(i);
      ++level;
    }
    return level;
  }

  /// Returns whether a later stream of node `i` could make a source wait that also feeds something else: then the node reads its inputs from
  /// spools, one stage later.
  bool join_could_wait(std::size_t i, std::size_t level) const {
    bool first = true;
    for (std::size_t p = 0; p < graph_.nodes[i].inputs.size(); ++p)
      for (std::size_t s = 0; s < graph_.nodes[i].inputs[p].size(); ++s) {
        const Connection& from = graph_.nodes[i].inputs[p][s];
        const bool together = level_[from.node] == level && step(from, i, p) == 0 && output_edge(from) == EdgeKind::kStream;
        if (!std::exchange(first, false) && together && !is_private(from, {i, p, s}, level)) return true;
      }
    return false;
  }

  /// Returns whether all that is upstream of a stream in this stage feeds nothing but that stream: then its sources can begin later.
  bool is_private(const Connection& from, const Consumer& stream, std::size_t level) const {
    std::set<std::size_t> upstream;
    std::vector<std::size_t> stack{from.node};
    while (!stack.empty()) {
      const std::size_t i = stack.back();
      stack.pop_back();
      if (!upstream.insert(i).second) continue;
      for (std::size_t p = 0; p < graph_.nodes[i].inputs.size(); ++p)
        for (const auto& input : graph_.nodes[i].inputs[p])
          if (level_[input.node] == level && step(input, i, p) == 0) stack.push_back(input.node);
    }
    for (const std::size_t i : upstream)
      for (const auto& consumer : consumers_[i])
        if (!upstream.contains(consumer.node) && !(consumer.node == stream.node && consumer.port == stream.port && consumer.stream == stream.stream)) return false;
    return true;
  }

  void make_stages() {
    std::size_t data_levels = 0;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i)
      if (!graph_.nodes[i].native()) data_levels = std::max(data_levels, level_[i] + 1);
    plan_.stages.resize(data_levels);
    plan_.stage_of.assign(graph_.nodes.size(), 0);
    for (const std::size_t i : graph_.order)
      if (!graph_.nodes[i].native()) {
        plan_.stages[level_[i]].nodes.push_back(i);
        plan_.stage_of[i] = level_[i];
      }
    for (auto& region : regions()) {
      for (const std::size_t i : region) plan_.stage_of[i] = plan_.stages.size();
      plan_.stages.push_back({true, std::move(region), {}});
    }
  }

  /// Groups the native nodes that any edge connects, in the order of their first node.
  std::vector<std::vector<std::size_t>> regions() const {
    std::vector<std::size_t> root(graph_.nodes.size());
    std::iota(root.begin(), root.end(), 0);
    const auto find = [&](std::size_t i) {
      while (root[i] != i) i = root[i] = root[root[i]];
      return i;
    };
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i)
      for (const auto& consumer : consumers_[i])
        if (graph_.nodes[i].native() && graph_.nodes[consumer.node].native()) {
          const std::size_t a = find(i), b = find(consumer.node);
          root[std::max(a, b)] = std::min(a, b);
        }
    std::map<std::size_t, std::vector<std::size_t>> groups;
    for (const std::size_t i : graph_.order)
      if (graph_.nodes[i].native()) groups[find(i)].push_back(i);
    std::vector<std::vector<std::size_t>> list;
    for (auto& [first, group] : groups) list.push_back(std::move(group));
    return list;
  }

  // ------------------------------------------------------------------------------------------------------------------------- keys

  std::string key_behind(const Connection& from) const {
    const std::string& output = graph_.nodes[from.node].descriptor().outputs[from.output].name;
    return plan_.node_keys[from.node] + "." + output;
  }

  /// Returns the SHA-256 of the names and digests of files in their order, which stands for them in a key: a list of all of them could be long.
  std::string digest_of(const graph::FileList& files) const {
    Sha256 hash;
    for (std::size_t i = 0; i < files.size(); ++i) hash.update(nlohmann::json{files[i].display, digests_.digest(files[i].path)}.dump());
    return hash.hex();
  }

  nlohmann::json key_parameters(std::size_t i) {
    nlohmann::json parameters = graph_.nodes[i].parameters;
    for (const auto& parameter : graph_.nodes[i].descriptor().parameters) {
      if (!parameters.contains(parameter.name)) continue;
      if (parameter.type == "output_path") {
        const std::string name = std::filesystem::path(parameters[parameter.name].get<std::string>()).filename().string();
        const auto dot = name.find('.');
        parameters[parameter.name] = dot == std::string::npos ? "" : name.substr(dot);
      } else if (parameter.type == "path" || parameter.type == "paths") {
        parameters[parameter.name] = digest_of(*files_[i].at(parameter.name));
      }
    }
    return parameters;
  }

  void make_keys() {
    plan_.node_keys.resize(graph_.nodes.size());
    for (const std::size_t i : graph_.order) {
      const auto& node = graph_.nodes[i];
      if (node.native()) continue;
      nlohmann::json object{{"format", kFormatVersion}, {"plugin", node.plugin->id}, {"sha256", registry_.digest(*node.plugin)}, {"parameters", key_parameters(i)}};
      if (node.descriptor().determinism == "seeded") object["seed"] = node.effective_seed(graph_.run.seed);
      if (node.descriptor().kind == "source" && graph_.run.limit >= 0) object["limit"] = graph_.run.limit;
      object["on_error"] = node.skip_errors ? "skip" : "stop";
      object["inputs"] = nlohmann::json::object();
      for (std::size_t p = 0; p < node.inputs.size(); ++p)
        for (const auto& from : node.inputs[p]) object["inputs"][node.descriptor().inputs[p].name].push_back(key_behind(from));
      plan_.node_keys[i] = sha256_hex(object.dump());
    }
  }

  std::string artifact_key(const char* kind, const std::string& what) const { return sha256_hex(fmt::format("{}/{}:{}", kind, kFormatVersion, what)); }

  void add_artifact(PlannedArtifact artifact) {
    artifact.stage = plan_.stage_of[artifact.node];
    plan_.stages[artifact.stage].artifacts.push_back(plan_.artifacts.size());
    plan_.artifacts.push_back(std::move(artifact));
  }

  void make_artifacts() {
    for (const std::size_t i : graph_.order) {
      const auto& node = graph_.nodes[i];
      if (node.native()) continue;
      const auto& outputs = node.descriptor().outputs;
      bool leaf = true;
      for (std::size_t o = 0; o < outputs.size(); ++o) {
        if (outputs[o].edge == EdgeKind::kArtifact) {
          add_artifact({ArtifactKind::kNode, i, o, outputs[o].type, artifact_key("node", plan_.node_keys[i]), "", 0});
          leaf = false;
        } else if (outputs[o].edge == EdgeKind::kStream && is_data_type(outputs[o].type)) {
          if (const std::string reason = spool_reason(i, o); !reason.empty()) {
            add_artifact({ArtifactKind::kSpool, i, o, outputs[o].type, artifact_key("spool", key_behind({i, o})), reason, 0});
            leaf = false;
          }
        }
      }
      if (kind(i) == "indexed") add_artifact({ArtifactKind::kNode, i, 0, "index", artifact_key("node", plan_.node_keys[i]), "", 0});
      else if (outputs.empty()) add_artifact({ArtifactKind::kNode, i, 0, "output", artifact_key("node", plan_.node_keys[i]), "", 0});
      else if (leaf && consumers_[i].empty()) add_artifact({ArtifactKind::kEnd, i, 0, "end", artifact_key("end", plan_.node_keys[i]), "", 0});
    }
  }

  /// Returns why an output must be kept, or "".
  std::string spool_reason(std::size_t i, std::size_t o) const {
    const auto& node = graph_.nodes[i];
    if (node.cache) return "cache = true";
    if (kind(i) == "blocking") return "it comes from a node that reads all its input first";
    for (const auto& consumer : consumers_[i]) {
      const auto& other = graph_.nodes[consumer.node];
      if (!(other.inputs[consumer.port][consumer.stream] == Connection{i, o})) continue;
      if (other.descriptor().inputs[consumer.port].edge == EdgeKind::kDataset) return fmt::format("'{}' reads it by position", other.name);
      if (plan_.stage_of[consumer.node] == plan_.stage_of[i]) continue;
      if (cut_joins_.contains(consumer.node)) return fmt::format("'{}' joins it with a stream that could make its source wait", other.name);
      return fmt::format("'{}' runs in a later stage", other.name);
    }
    return "";
  }

  const graph::ResolvedGraph& graph_;
  const std::vector<NodeFiles>& files_;
  plugin::Registry& registry_;
  const InputDigests& digests_;
  std::vector<std::size_t> level_;
  std::vector<std::vector<Consumer>> consumers_;
  std::set<std::size_t> cut_joins_;
  StagePlan plan_;
};

}  // namespace

std::vector<std::string> StagePlan::keys() const {
  std::vector<std::string> keys;
  for (const auto& artifact : artifacts) keys.push_back(artifact.key);
  return keys;
}

std::optional<std::size_t> StagePlan::spool_of(const Connection& connection) const {
  for (std::size_t a = 0; a < artifacts.size(); ++a)
    if (artifacts[a].kind == ArtifactKind::kSpool && artifacts[a].node == connection.node && artifacts[a].output == connection.output) return a;
  return std::nullopt;
}

std::optional<std::size_t> StagePlan::artifact_of(std::size_t node) const {
  for (std::size_t a = 0; a < artifacts.size(); ++a)
    if (artifacts[a].kind == ArtifactKind::kNode && artifacts[a].node == node) return a;
  return std::nullopt;
}

std::size_t StagePlan::artifact_behind(const Connection& connection) const {
  if (const auto spool = spool_of(connection)) return *spool;
  if (const auto own = artifact_of(connection.node)) return *own;
  throw Error(Code::kInternal, "an edge between stages has no artifact");
}

bool same_stage_stream(const graph::ResolvedGraph& graph, const StagePlan& plan, const Connection& from, std::size_t to, std::size_t port) {
  return plan.stage_of[from.node] == plan.stage_of[to] && graph.nodes[to].descriptor().inputs[port].edge == EdgeKind::kStream &&
         graph.nodes[from.node].descriptor().outputs[from.output].edge == EdgeKind::kStream;
}

StagePlan plan_stages(const graph::ResolvedGraph& graph, const std::vector<NodeFiles>& files, plugin::Registry& registry, const InputDigests& digests) {
  return Planner(graph, files, registry, digests).run();
}

}  // namespace flowrun::run
