#pragma once

// How a packer keeps its index: numbers in one file, with the plugin's id and a checksum.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::packers {

/// Writes `numbers` for the plugin of that id, at most 23 bytes. Cost: 8 bytes a number. Throws kIo.
void save_numbers(const std::string& path, std::string_view plugin, std::span<const std::int64_t> numbers);

/// Reads back what `save_numbers` wrote. Throws kNotFound where there is no file, and kCorruptData where it is not the one that was written.
std::vector<std::int64_t> load_numbers(const std::string& path, std::string_view plugin);

}  // namespace flowrun::packers
