#pragma once

// Findings as JSON, for `flowrun validate --json` (contract: Diagnostics). Apart, so that diagnostics.hpp does not bring a JSON library.

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "config/diagnostics.hpp"

namespace flowrun::config {

/// Returns one finding: file line column severity code message found expected suggestion node plugin; what is absent is null. All strings
/// are valid UTF-8, whatever the command line held.
nlohmann::ordered_json to_json(const Diagnostic& diagnostic);

/// Returns the object that `validate --json` prints: version, ok (no error; warnings are allowed), graph, diagnostics in their order.
nlohmann::ordered_json validation_report(const std::string& graph, const std::vector<Diagnostic>& diagnostics);

}  // namespace flowrun::config
