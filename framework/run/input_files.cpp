#include "run/input_files.hpp"

#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include <flowrun/error.hpp>

#include "base/durable.hpp"
#include "base/sha256.hpp"
#include "run/buffered_writer.hpp"

namespace flowrun::run {
namespace {

namespace fs = std::filesystem;

bool has_wildcard(const std::string& text) { return text.find_first_of("*?[") != std::string::npos; }

/// Calls `use` with each entry of a folder, in any order; with none where it cannot be listed.
template <class Use>
void for_each_entry(const fs::path& folder, Use&& use) {
  std::error_code error;
  for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator(); it.increment(error)) use(*it);
}

/// Walks the components from `index` on below `folder`, which `shown` names as the pattern writes it, and adds the files that match, in any order.
void expand(const fs::path& folder, const fs::path& shown, const std::vector<std::string>& components, std::size_t index, graph::FileList& found) {
  std::error_code error;
  if (index == components.size()) {
    if (fs::is_regular_file(folder, error)) found.add(folder.lexically_normal().native(), shown.generic_string());
    return;
  }
  const std::string& component = components[index];
  if (!has_wildcard(component)) return expand(folder / component, shown / component, components, index + 1, found);
  const bool any_depth = component == "**", last = index + 1 == components.size();
  if (any_depth) expand(folder, shown, components, index + 1, found);
  std::vector<std::string> folders;  // walked when this one is closed: a deep tree would need a descriptor for each level
  for_each_entry(folder, [&](const fs::directory_entry& entry) {
    const std::string name = entry.path().filename().string();
    if (any_depth) {
      if (name[0] != '.' && entry.is_directory(error) && !entry.is_symlink(error)) folders.push_back(name);
    } else if (::fnmatch(component.c_str(), name.c_str(), FNM_PERIOD) == 0) {
      if (last) expand(folder / name, shown / name, components, index + 1, found);
      else folders.push_back(name);
    }
  });
  for (const std::string& name : folders) expand(folder / name, shown / name, components, any_depth ? index : index + 1, found);
}

/// Joins what the patterns of one parameter match: in their order, each file where it is found first.
graph::FileList join(std::vector<graph::FileList> matches) {
  if (matches.size() == 1) return std::move(matches[0]);
  graph::FileList joined;
  std::unordered_set<std::string_view> seen;  // views of `matches`
  for (const auto& list : matches)
    for (std::size_t i = 0; i < list.size(); ++i)
      if (seen.insert(list[i].path).second) joined.add(list[i].path, list[i].display);
  return joined;
}

/// Says what to write where a pattern names a folder: ", which is a folder; ..."; else "".
std::string folder_hint(const std::string& pattern, const std::string& base, const std::string& type) {
  std::error_code error;
  if (has_wildcard(pattern) || !fs::is_directory(fs::path(base) / pattern, error)) return "";
  if (type == "path") return ", which is a folder; it takes one file";
  return fmt::format(", which is a folder; its files are '{0}/*', and all below it '{0}/**/*'", pattern.substr(0, pattern.find_last_not_of('/') + 1));
}

}  // namespace

graph::FileList expand_glob(const std::string& pattern, const std::string& base) {
  const fs::path path(pattern);
  std::vector<std::string> components;
  for (const auto& part : path.relative_path()) components.push_back(part.string());
  graph::FileList found;
  const fs::path start = path.is_absolute() ? path.root_path() : fs::path(base);
  expand(start, path.is_absolute() ? path.root_path() : fs::path(), components, 0, found);
  found.sort();
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
      std::vector<graph::FileList> matches;
      for (const auto& pattern : patterns) {
        matches.push_back(parameter.type == "paths" || !has_wildcard(pattern) ? expand_glob(pattern, graph.run.base) : graph::FileList());
        if (matches.back().empty()) missing += fmt::format("\n  '{}' in node '{}' ({} of {}){}", pattern, node.name, parameter.name, node.plugin->id, folder_hint(pattern, graph.run.base, parameter.type));
      }
      files[i][parameter.name] = std::make_shared<const graph::FileList>(join(std::move(matches)));
    }
  }
  if (!missing.empty()) throw Error(Code::kNotFound, fmt::format("no file matches, looking from '{}':{}", graph.run.base, missing));
  return files;
}

namespace {

/// A line of the cache of digests: ["path", bytes, mtime_ns, inode, "digest"].
std::string cache_line(const InputDigests::Input& input) {
  return nlohmann::json{input.file.path, input.bytes, input.mtime_ns, input.inode, input.digest()}.dump() + "\n";
}

/// Calls `use` with each line of the cache that can be read, as JSON and as it stands. Not read whole: it knows the files of all runs.
template <class Use>
void for_each_line(const std::string& cache_path, Use&& use) {
  std::ifstream file(cache_path);
  for (std::string line; std::getline(file, line);) {
    const auto entry = nlohmann::json::parse(line, nullptr, false);
    const auto is_number = [&](std::size_t i) { return entry[i].is_number_integer(); };
    const bool readable = entry.is_array() && entry.size() == 5 && entry[0].is_string() && is_number(1) && is_number(2) && is_number(3) && entry[4].is_string();
    if (readable && entry[4].get_ref<const std::string&>().size() == 64) use(entry, line + "\n");
  }
}

/// Lists the files of all nodes by path. One that two nodes name differently is shown as the later one names it.
std::vector<InputDigests::Input> distinct(const std::vector<NodeFiles>& files) {
  std::vector<InputDigests::Input> inputs;
  std::size_t count = 0;
  for (const auto& node : files)
    for (const auto& [parameter, list] : node) count += list->size();
  inputs.reserve(count);
  for (auto node = files.rbegin(); node != files.rend(); ++node)
    for (auto list = node->rbegin(); list != node->rend(); ++list)
      for (std::size_t i = list->second->size(); i > 0; --i) inputs.push_back({(*list->second)[i - 1]});
  std::stable_sort(inputs.begin(), inputs.end(), [](const auto& a, const auto& b) { return a.file.path < b.file.path; });
  inputs.erase(std::unique(inputs.begin(), inputs.end(), [](const auto& a, const auto& b) { return a.file.path == b.file.path; }), inputs.end());
  return inputs;
}

void take_status(InputDigests::Input& input) {
  struct stat status {};
  if (::stat(input.file.path.data(), &status) != 0)
    throw Error(errno == ENOENT ? Code::kNotFound : Code::kIo, fmt::format("cannot read '{}': {}", input.file.path, std::strerror(errno)));
  input.bytes = status.st_size;
  input.mtime_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  input.inode = status.st_ino;
}

}  // namespace

InputDigests::InputDigests(const std::vector<NodeFiles>& files, const std::string& cache_path, const graph::StopToken* stop) : inputs_(distinct(files)) {
  for (Input& input : inputs_) take_status(input);
  take_cached(cache_path);
  if (compute_missing(stop)) save(cache_path);
}

const InputDigests::Input* InputDigests::find(std::string_view path) const {
  const auto it = std::lower_bound(inputs_.begin(), inputs_.end(), path, [](const Input& input, std::string_view wanted) { return input.file.path < wanted; });
  return it != inputs_.end() && it->file.path == path ? &*it : nullptr;
}

std::string_view InputDigests::digest(std::string_view path) const {
  const Input* input = find(path);
  if (input == nullptr) throw Error(Code::kInternal, fmt::format("'{}' is no input file of the graph", path));
  return input->digest();
}

void InputDigests::take_cached(const std::string& cache_path) {
  for_each_line(cache_path, [this](const nlohmann::json& entry, const std::string&) {
    const Input* found = find(entry[0].get_ref<const std::string&>());
    if (found == nullptr || entry[1] != found->bytes || entry[2] != found->mtime_ns || entry[3] != found->inode) return;
    entry[4].get_ref<const std::string&>().copy(inputs_[static_cast<std::size_t>(found - inputs_.data())].hex.data(), 64);
  });
}

bool InputDigests::compute_missing(const graph::StopToken* stop) {
  bool any = false;
  for (Input& input : inputs_) {
    if (input.hex[0] != '\0') continue;
    const std::string digest = sha256_file(std::string(input.file.path), [stop] {
      if (stop != nullptr && stop->signal.load() != 0) throw Error(Code::kCancelled, "stopped while the input was read for its digest");
    });
    digest.copy(input.hex.data(), input.hex.size());
    any = true;
  }
  return any;
}

void InputDigests::save(const std::string& cache_path) const noexcept {
  try {
    // Runs that save at once would share one temporary name: each writes its own and renames it.
    const std::string own = fmt::format("{}.{}", cache_path, ::getpid());
    io::StagedFile file(own);
    BufferedWriter writer(file);
    for_each_line(cache_path, [&](const nlohmann::json& entry, const std::string& line) {
      if (find(entry[0].get_ref<const std::string&>()) == nullptr) writer.write(line);
    });
    for (const Input& input : inputs_) writer.write(cache_line(input));
    writer.flush();
    file.commit();
    fs::rename(own, cache_path);
  } catch (const std::exception&) {
    // Only a cache: the digests are computed again.
  }
}

}  // namespace flowrun::run
