#pragma once

// What `plan` says of the mixers: how much of each domain is trained on, and how often.

#include <cstdint>

#include <nlohmann/json.hpp>

#include "run/run_context.hpp"

namespace flowrun::run {

/// Returns [{"node", "tokens", "domains": [{"domain", "tokens", "weight", "proportion", "epochs", "repeated_tokens"}], "warnings"}] for the graph's
/// mixers: `tokens` is what a domain has, null elsewhere what is not known. Where a mixer's tokens have been counted but not mixed like this yet, its
/// index is made in a folder that is then removed; `domains` is null where they have not been counted. A mixture without end is taken at the
/// `training_tokens` of the region that it feeds (0: not known). Throws Error where the mixer refuses its input.
nlohmann::json describe_mixes(const RunContext& context, std::int64_t training_tokens);

}  // namespace flowrun::run
