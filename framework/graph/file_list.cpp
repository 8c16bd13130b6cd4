#include "graph/file_list.hpp"

#include <algorithm>
#include <cstring>

namespace flowrun::graph {

void FileList::add(std::string_view path, std::string_view display) {
  const std::uint64_t begin = add_name(path);
  entries_.push_back({begin, path.ends_with(display) ? begin + (path.size() - display.size()) : add_name(display)});
}

std::uint64_t FileList::add_name(std::string_view name) {
  const std::uint64_t begin = names_.size();
  names_.append(name).push_back('\0');
  return begin;
}

void FileList::sort() {
  std::sort(entries_.begin(), entries_.end(), [this](const Entry& a, const Entry& b) { return std::strcmp(at(a.display), at(b.display)) < 0; });
  const auto same = [this](const Entry& a, const Entry& b) { return std::strcmp(at(a.path), at(b.path)) == 0; };
  entries_.erase(std::unique(entries_.begin(), entries_.end(), same), entries_.end());
}

}  // namespace flowrun::graph
