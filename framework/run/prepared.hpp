#pragma once

// What is known of a graph before anything runs.

#include <memory>
#include <string>
#include <vector>

#include "graph/stage_control.hpp"
#include "run/artifact_store.hpp"
#include "run/input_files.hpp"
#include "run/run_folder.hpp"
#include "run/stage_plan.hpp"

namespace flowrun::run {

/// Input files by node and their digests, the cache, the stages, and what a run's folder belongs to.
struct Prepared {
  std::vector<NodeFiles> files;
  std::unique_ptr<const InputDigests> digests;
  std::unique_ptr<ArtifactStore> store;
  StagePlan plan;
  RunFolder::Identity identity;
};

/// Finds the input files, computes their digests (kept in the cache's `digests.jsonl`) and plans the stages. Creates the cache's folder. Throws ExitError 66 for
/// files that are not there, 73 for a folder that cannot be created, Error(kCancelled) when `stop` (may be null) says so.
Prepared prepare(const graph::ResolvedGraph& graph, plugin::Registry& registry, const std::string& artifacts, const graph::StopToken* stop);

}  // namespace flowrun::run
