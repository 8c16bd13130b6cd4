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
  DigestCache digests(artifacts + "/digests.json", stop);
  prepared.plan = plan_stages(graph, prepared.files, registry, digests);
  prepared.identity.graph_hash = graph.hash();
  std::map<std::string, nlohmann::json> plugins, inputs;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto& node = graph.nodes[i];
    plugins[node.plugin->id] = {{"id", node.plugin->id}, {"version", node.descriptor().version}, {"sha256", registry.digest(*node.plugin)}};
    for (const auto& [parameter, files] : prepared.files[i])
      for (const auto& file : files) inputs[file.path] = {{"path", file.display}, {"bytes", fs::file_size(file.path)}, {"digest", digests.digest(file.path)}};
  }
  prepared.identity.plugins = nlohmann::json::array();
  for (auto& [id, entry] : plugins) prepared.identity.plugins.push_back(std::move(entry));
  prepared.identity.inputs = nlohmann::json::array();
  for (auto& [path, entry] : inputs) prepared.identity.inputs.push_back(std::move(entry));
  digests.save();
  return prepared;
}

}  // namespace flowrun::run
