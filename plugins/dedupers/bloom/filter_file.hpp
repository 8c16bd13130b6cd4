#pragma once

#include <cstdint>
#include <string>

#include "dedupers/common/blocked_bloom.hpp"

namespace flowrun::dedupers {

/// Writes a filter and how many elements went into it to a file. Throws kIo.
void save_filter(const std::string& path, BlockedBloom& filter, std::int64_t size);
/// Takes the bits of a filter of the same shape from a file, and returns how many elements went into it. Throws kNotFound, or kCorruptData where the file is not what
/// `save_filter` wrote.
std::int64_t load_filter(const std::string& path, BlockedBloom& filter);

}  // namespace flowrun::dedupers
