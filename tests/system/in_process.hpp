#pragma once

// Runs a graph inside the test: for properties that need hundreds of runs.

#include <optional>
#include <string>

#include "run/exit_codes.hpp"
#include "run/runner.hpp"
#include "support/run_test.hpp"

namespace flowrun::testing {

/// How a run inside the test ended.
struct Outcome {
  int exit_code = 0;
  std::string message;     ///< of the error
  nlohmann::json summary;  ///< null where it failed
};

class InProcessTest : public RunTest {
 protected:
  /// Runs a graph from nothing: what an earlier call left is removed.
  Outcome run_anew(const std::string& toml, int threads) const {
    for (const char* folder : {"run", "artifacts"}) std::filesystem::remove_all(path(folder));
    run::RunOptions options;
    options.graph = write("graph.toml", toml);
    options.plugin_folders = {kTestPlugins};
    options.artifacts = path("artifacts");
    options.output = path("run");
    options.threads = threads;
    const graph::StopToken stop;
    run::Reporter reporter(run::Verbosity::kQuiet);
    Outcome outcome;
    try {
      outcome.summary = run::run_graph(options, stop, reporter, {"test"});
    } catch (const run::ExitError& error) {
      outcome = {error.exit_code(), error.what(), {}};
    } catch (const Error& error) {
      outcome = {run::exit_code_of(error.code()), error.what(), {}};
    }
    return outcome;
  }
};

}  // namespace flowrun::testing
