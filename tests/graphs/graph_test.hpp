#pragma once

// What tests of the project's own graphs share: runs of them, and what a run has left by domain.

#include <flowrun/dataset.hpp>

#include "base/zstd_stream.hpp"
#include "graph/node_call.hpp"
#include "graph/spool.hpp"
#include "support/run_test.hpp"

namespace flowrun::testing {

class GraphTest : public RunTest {
 protected:
  static inline const std::string kSource = FLOWRUN_SOURCE_DIR;

  /// Runs a graph of the project into `output`.
  Finished run_graph(const std::string& graph, const std::string& output, const std::vector<std::string>& settings = {}) const {
    std::vector<std::string> arguments{kFlowrun, "run", kSource + "/graphs/" + graph, "--output", output, "--artifacts", "artifacts", "--json"};
    for (const auto& setting : settings) arguments.insert(arguments.end(), {"--set", setting});
    return run({arguments, path(), {{"FLOWRUN_PLUGIN_PATH", ""}}}, 500);
  }

  /// Returns {domain: documents} of a file of writers/jsonl.
  std::map<std::string, std::int64_t> documents_by_domain(const std::string& file) const {
    std::map<std::string, std::int64_t> counts;
    std::string text;
    zstd_read_file(path(file), [&](std::string_view piece) { text += piece; });
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) ++counts[nlohmann::json::parse(line)["domain"]];
    return counts;
  }

  /// Returns the folder of an artifact that a node of a run left.
  std::string artifact_folder(const std::string& output, const std::string& node, const std::string& type) const {
    const auto manifest = json(output + "/manifest.json");
    for (const auto& artifact : manifest["artifacts"]) {
      if (artifact["node"] != node || artifact["type"] != type) continue;
      const std::string key = artifact["key"];
      return path("artifacts/" + key.substr(0, 2) + "/" + key);
    }
    ADD_FAILURE() << "'" << node << "' left no " << type;
    return "";
  }

  /// Returns {domain: tokens} of the token stream that a node of a run left.
  std::map<std::string, std::int64_t> tokens_by_domain(const std::string& output, const std::string& node) const {
    std::map<std::string, std::int64_t> counts;
    const graph::SpoolDataset spool(artifact_folder(output, node, "tokens"));
    const Dataset dataset(spool.table());
    const graph::NodeCall call(nullptr);
    const OwnedArray rows = dataset.index(Call(call.table()), 0, dataset.count());
    const BatchView view(rows.get(), dataset.index_schema());
    const auto* lengths = view.values<std::uint32_t>("length", "I");
    for (std::int64_t row = 0; row < dataset.count(); ++row) counts[std::string(view.strings("domain")[row])] += lengths[row];
    return counts;
  }
};

}  // namespace flowrun::testing
