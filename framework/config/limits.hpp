#pragma once

// Caps on what a graph file may ask for, so that no file, generated or hostile, exhausts stack, memory or time. Each is far above any graph
// that a person writes; a file above one is refused with `too_large`.

#include <cstddef>
#include <cstdint>

namespace flowrun::config {

/// Of one file: a flat graph of 10,000 nodes has about 2 MiB.
inline constexpr std::size_t kMaxFileBytes = std::size_t{4} << 20;
/// Of all files of a graph together, and their number: includes fan out.
inline constexpr std::size_t kMaxTotalFileBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMaxFiles = 1000;

/// Arrays and inline tables inside one another. toml++ and our own walks recurse once a level.
inline constexpr std::size_t kMaxNesting = 32;
/// Parts of a dotted key or of a header: each part is a level of tables, which toml++ destroys recursively.
inline constexpr std::size_t kMaxDottedDepth = 16;
/// Dotted keys and headers that make tables on the way: toml++ 3.3 searches those linearly, so its time is quadratic in their number.
inline constexpr std::size_t kMaxImplicitTables = 20'000;

/// Files that include one another, and subgraphs inside one another.
inline constexpr std::size_t kMaxFileDepth = 16;
/// Parameters that refer to one another.
inline constexpr std::size_t kMaxParameterDepth = 64;
/// One string after `${...}`.
inline constexpr std::size_t kMaxStringBytes = std::size_t{1} << 20;

/// Nodes and subgraph instances after expansion; a `repeat` may ask for no more either.
inline constexpr std::int64_t kMaxNodes = 100'000;
/// Values and bytes of text after expansion: a large table in a repeated node multiplies.
inline constexpr std::size_t kMaxValues = 1'000'000;
inline constexpr std::size_t kMaxExpandedBytes = std::size_t{64} << 20;
/// Names in all `in` after expansion, and steps from a name to its node: lists passed on by vanished nodes multiply.
inline constexpr std::size_t kMaxReferences = 1'000'000;
inline constexpr std::size_t kMaxReferenceDepth = 1000;

}  // namespace flowrun::config
