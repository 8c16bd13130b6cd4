#include "run/input_files.hpp"

#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <flowrun/error.hpp>

#include "base/durable.hpp"
#include "base/sha256.hpp"

namespace flowrun::run {
namespace {

namespace fs = std::filesystem;

bool has_wildcard(const std::string& text) { return text.find_first_of("*?[") != std::string::npos; }

/// Names in a folder, sorted by bytes; empty where it cannot be listed.
std::vector<fs::directory_entry> list(const fs::path& folder) {
  std::vector<fs::directory_entry> entries;
  std::error_code error;
  for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator(); it.increment(error)) entries.push_back(*it);
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.path().filename().native() < b.path().filename().native(); });
  return entries;
}

/// Walks the components from `index` on below `folder`; `shown` is the same place as the pattern writes it.
void expand(const fs::path& folder, const fs::path& shown, const std::vector<std::string>& components, std::size_t index, std::vector<graph::ResolvedFile>& found) {
  std::error_code error;
  if (index == components.size()) {
    if (fs::is_regular_file(folder, error)) found.push_back({folder.lexically_normal().string(), shown.generic_string()});
    return;
  }
  const std::string& component = components[index];
  if (!has_wildcard(component)) return expand(folder / component, shown / component, components, index + 1, found);
  if (component == "**") expand(folder, shown, components, index + 1, found);
  for (const auto& entry : list(folder)) {
    const std::string name = entry.path().filename().string();
    if (component == "**") {
      if (name[0] != '.' && entry.is_directory(error) && !entry.is_symlink(error)) expand(folder / name, shown / name, components, index, found);
    } else if (::fnmatch(component.c_str(), name.c_str(), FNM_PERIOD) == 0) {
      expand(folder / name, shown / name, components, index + 1, found);
    }
  }
}

/// Says what to write where a pattern names a folder: ", which is a folder; ..."; else "".
std::string folder_hint(const std::string& pattern, const std::string& base, const std::string& type) {
  std::error_code error;
  if (has_wildcard(pattern) || !fs::is_directory(fs::path(base) / pattern, error)) return "";
  if (type == "path") return ", which is a folder; it takes one file";
  return fmt::format(", which is a folder; its files are '{0}/*', and all below it '{0}/**/*'", pattern.substr(0, pattern.find_last_not_of('/') + 1));
}

}  // namespace

std::vector<graph::ResolvedFile> expand_glob(const std::string& pattern, const std::string& base) {
  const fs::path path(pattern);
  std::vector<std::string> components;
  for (const auto& part : path.relative_path()) components.push_back(part.string());
  std::vector<graph::ResolvedFile> found;
  const fs::path start = path.is_absolute() ? path.root_path() : fs::path(base);
  expand(start, path.is_absolute() ? path.root_path() : fs::path(), components, 0, found);
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.display < b.display; });
  found.erase(std::unique(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.path == b.path; }), found.end());
  return found;
}

std::vector<NodeFiles> find_input_files(const graph::ResolvedGraph& graph) {
  std::vector<NodeFiles> files(graph.nodes.size());
  std::string missing;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto& node = graph.nodes[i];
    for (const auto& parameter : node.descriptor().parameters) {
      if ((parameter.type != "paths" && parameter.type != "path") || !node.parameters.contains(parameter.name)) continue;
      const auto& value = node.parameters[parameter.name];
      const std::vector<std::string> patterns = value.is_string() ? std::vector<std::string>{value.get<std::string>()} : value.get<std::vector<std::string>>();
      auto& list = files[i][parameter.name];
      std::set<std::string> seen;
      for (const auto& pattern : patterns) {
        const auto matches = parameter.type == "paths" || !has_wildcard(pattern) ? expand_glob(pattern, graph.run.base) : std::vector<graph::ResolvedFile>{};
        if (matches.empty()) missing += fmt::format("\n  '{}' in node '{}' ({} of {}){}", pattern, node.name, parameter.name, node.plugin->id, folder_hint(pattern, graph.run.base, parameter.type));
        for (const auto& file : matches)
          if (seen.insert(file.path).second) list.push_back(file);
      }
    }
  }
  if (!missing.empty()) throw Error(Code::kNotFound, fmt::format("no file matches, looking from '{}':{}", graph.run.base, missing));
  return files;
}

DigestCache::DigestCache(std::string path, const graph::StopToken* stop) : path_(std::move(path)), stop_(stop) {
  std::string text;
  try {
    text = io::read_file(path_);
  } catch (const Error&) {
    return;  // a first run; digests are computed
  }
  const auto root = nlohmann::json::parse(text, nullptr, false);
  if (!root.is_object()) return;
  for (const auto& [file, entry] : root.items())
    if (entry.is_array() && entry.size() == 4) entries_[file] = {entry[0], entry[1], entry[2], entry[3]};
}

std::string DigestCache::digest(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw Error(errno == ENOENT ? Code::kNotFound : Code::kIo, fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
  const std::int64_t mtime_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  Entry& entry = entries_[path];
  if (entry.digest.empty() || entry.bytes != status.st_size || entry.mtime_ns != mtime_ns || entry.inode != status.st_ino) {
    entry = {status.st_size, mtime_ns, status.st_ino, sha256_file(path, [this] {
               if (stop_ != nullptr && stop_->signal.load() != 0) throw Error(Code::kCancelled, "stopped while the input was read for its digest");
             })};
    changed_ = true;
  }
  return entry.digest;
}

void DigestCache::save() noexcept {
  if (!changed_) return;
  try {
    nlohmann::json root = nlohmann::json::object();
    for (const auto& [file, entry] : entries_) root[file] = {entry.bytes, entry.mtime_ns, entry.inode, entry.digest};
    // Runs that save at once would share one temporary name: each writes its own and renames it.
    const std::string own = fmt::format("{}.{}", path_, ::getpid());
    io::write_file(own, root.dump());
    fs::rename(own, path_);
    changed_ = false;
  } catch (const std::exception&) {
    // Only a cache: the digests are computed again.
  }
}

}  // namespace flowrun::run
