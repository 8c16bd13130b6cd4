#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace flowrun::readers {

/// Files [first, first + count), read one after another by one thread.
struct Unit {
  std::size_t first = 0, count = 0;
  bool operator==(const Unit&) const = default;
};

/// Cuts files into units by their stored sizes alone: neighbours together up to 4 MiB, a larger file by itself. So the cut depends
/// neither on threads nor on batches, and ten thousand small files are no ten thousand tasks.
std::vector<Unit> group_units(std::span<const std::int64_t> file_bytes);

}  // namespace flowrun::readers
