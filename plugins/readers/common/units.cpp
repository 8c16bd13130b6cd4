#include "readers/common/units.hpp"

namespace flowrun::readers {

std::vector<Unit> group_units(std::span<const std::int64_t> file_bytes) {
  constexpr std::int64_t kUnitBytes = 4 << 20;
  std::vector<Unit> units;
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < file_bytes.size(); ++i) {
    if (units.empty() || bytes + file_bytes[i] > kUnitBytes) {
      units.push_back({i, 0});
      bytes = 0;
    }
    ++units.back().count;
    bytes += file_bytes[i];
  }
  return units;
}

}  // namespace flowrun::readers
