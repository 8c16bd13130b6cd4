#include "run/prepared.hpp"

#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "run/exit_codes.hpp"

namespace flowrun::run {

namespace fs = std::filesystem;

Prepared prepare(const graph::ResolvedGraph& graph, plugin::Registry& registry, const std::string& artifacts, const graph::StopToken* stop) {
  Prepared prepared;
  prepared.files = find_input_files(graph);
  prepared.store = std::make_unique<ArtifactStore>(artifacts);
  std::error_code error;
  fs::create_directories(artifacts, error);
  if (error) throw ExitError(kCannotCreate, Code::kIo, fmt::format("cannot create the folder of artifacts '{}': {}", artifacts, error.message()));
  prepared.digests = std::make_unique<const InputDigests>(prepared.files, artifacts + "/digests.jsonl", stop);
  prepared.plan = plan_stages(graph, prepared.files, registry, *prepared.digests);
  prepared.identity.graph_hash = graph.hash();
  std::map<std::string, nlohmann::json> plugins;
  for (const auto& node : graph.nodes)
    plugins[node.plugin->id] = {{"id", node.plugin->id}, {"version", node.descriptor().version}, {"sha256", registry.digest(*node.plugin)}};
  prepared.identity.plugins = nlohmann::json::array();
  for (auto& [id, entry] : plugins) prepared.identity.plugins.push_back(std::move(entry));
  prepared.identity.inputs = &prepared.digests->inputs();
  return prepared;
}

}  // namespace flowrun::run
