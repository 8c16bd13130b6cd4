#pragma once

// Weights that a node has measured: the artifact of mixers/quality_weights.

#include <map>
#include <string>

namespace flowrun::mixers {

/// Reads `weights.json` of an artifact's folder: {"domains": [{"domain": "web", "weight": 1.25}]}. Throws kNotFound and kCorruptData.
std::map<std::string, double> read_measured_weights(const std::string& folder);

}  // namespace flowrun::mixers
