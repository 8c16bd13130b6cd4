#include "windows.hpp"

#include <algorithm>

namespace flowrun::evaluators {
namespace {

/// Windows of one document that have numbers of their own; a document of more tokens than 2^24 windows does not fit into memory.
constexpr std::int64_t kWindowsPerDocument = std::int64_t{1} << 24;

}  // namespace

void WindowGroups::add(std::int64_t row, const std::string& domain, std::span<const std::uint32_t> ids) {
  std::int64_t window = 0;
  for (std::size_t begin = 0; begin < ids.size(); begin += static_cast<std::size_t>(window_length_), ++window) {
    const std::size_t length = std::min(ids.size() - begin, static_cast<std::size_t>(window_length_));
    WindowGroup& group = groups_[{domain, static_cast<std::int64_t>(length)}];
    group.domain = domain;
    group.length = static_cast<std::int64_t>(length);
    group.positions.push_back(row * kWindowsPerDocument + window);
    group.ids.insert(group.ids.end(), ids.begin() + static_cast<std::ptrdiff_t>(begin), ids.begin() + static_cast<std::ptrdiff_t>(begin + length));
    if (static_cast<std::int64_t>(group.ids.size()) < group_tokens_) continue;
    give_(group);
    group.positions.clear();
    group.ids.clear();
  }
}

void WindowGroups::finish() {
  for (const auto& [key, group] : groups_)
    if (!group.positions.empty()) give_(group);
  groups_.clear();
}

std::int64_t document_stride(std::span<const std::uint32_t> lengths, std::int64_t max_tokens) {
  if (max_tokens == 0) return 1;
  const auto documents = static_cast<std::int64_t>(lengths.size());
  for (std::int64_t stride = 1; stride < documents; ++stride) {
    std::int64_t tokens = 0;
    for (std::int64_t row = 0; row < documents && tokens <= max_tokens; row += stride) tokens += lengths[static_cast<std::size_t>(row)];
    if (tokens <= max_tokens) return stride;
  }
  return std::max<std::int64_t>(1, documents);
}

}  // namespace flowrun::evaluators
