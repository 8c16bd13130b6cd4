#pragma once

// What `plan` says of the mixers: how much of each domain is trained on, and how often.

#include <cstdint>

#include <nlohmann/json.hpp>

#include "config/diagnostics.hpp"
#include "run/run_context.hpp"

namespace flowrun::run {

/// Checks what mixers and packers say to each other, whatever the data are: where stages of a mixer have a `sequence_length` the packer must follow stages
/// (it has the parameter `follow_stages`), and its own length must be a multiple of theirs. `spec` is what `graph` was resolved from.
void check_mixes(const graph::ResolvedGraph& graph, const config::GraphSpec& spec, config::Diagnostics& diagnostics);

/// Returns [{"node", "tokens", "domains": [{"domain", "tokens", "weight", "proportion", "epochs", "repeated_tokens"}], "stages": [{"tokens", "order_by",
/// "sequence_length", "proportions"}], "warnings"}] for the graph's mixers: `tokens` is what a domain has, null elsewhere what is not known. Where a mixer's tokens have been counted but not mixed like this yet, its
/// index is made in a folder that is then removed; `domains` is null where they have not been counted. A mixture without end is taken at the
/// `training_tokens` of the region that it feeds (0: not known). Throws Error where the mixer refuses its input.
nlohmann::json describe_mixes(const RunContext& context, std::int64_t training_tokens);

}  // namespace flowrun::run
