#pragma once

// What all parts of one run share.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "graph/message.hpp"
#include "graph/resolved_graph.hpp"
#include "graph/stage_control.hpp"
#include "plugin/registry.hpp"
#include "run/artifact_store.hpp"
#include "run/input_files.hpp"
#include "run/reporter.hpp"
#include "run/stage_plan.hpp"

namespace flowrun::run {

struct RunContext {
  const graph::ResolvedGraph& graph;
  const StagePlan& plan;
  const std::vector<NodeFiles>& files;
  plugin::Registry& registry;
  const ArtifactStore& store;
  const graph::StopToken& stop;
  Reporter& reporter;
  std::string folder;  ///< the run's, absolute
  int threads = 1;
};

}  // namespace flowrun::run
