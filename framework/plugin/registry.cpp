#include "plugin/registry.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>
#include <utility>

#include <flowrun/error.hpp>
#include <fmt/format.h>

#include "base/sha256.hpp"
#include "plugin/elf_file.hpp"
#include "plugin/loader.hpp"
#include "plugin/needed_libraries.hpp"

namespace flowrun::plugin {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSection = ".flowrun";
constexpr const char* kSymbol = "flowrun_plugin_v1";

/// Returns why a path must not be trusted, or "": whoever may write there could make flowrun run anything.
std::string writable_by_all(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || (status.st_mode & S_IWOTH) == 0) return {};
  return fmt::format("'{}' is world-writable (mode {:o}), expected no write permission for others; chmod o-w it", path, status.st_mode & 07777u);
}

bool is_folder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

bool exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

bool is_same_file(const std::string& a, const std::string& b) {
  std::error_code error;
  return fs::equivalent(a, b, error);
}

fs::path executable_folder() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

std::string absolute(const std::string& path) { return fs::absolute(path).lexically_normal().string(); }

/// Returns the folder without a final slash, so that `folder + "/" + id` is a clean path.
std::string clean_folder(const std::string& path) {
  std::string folder = absolute(path);
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return folder;
}

void append_environment_folders(std::vector<SearchFolder>* folders) {
  const char* const text = std::getenv("FLOWRUN_PLUGIN_PATH");
  std::string_view rest = text ? text : "";
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    const std::string entry(rest.substr(0, colon));
    rest = colon == rest.npos ? std::string_view() : rest.substr(colon + 1);
    if (entry.empty()) continue;
    if (entry.front() != '/')
      throw Error(Code::kUnavailable, fmt::format("FLOWRUN_PLUGIN_PATH has the relative entry '{}', expected absolute folders separated by ':'", entry));
    if (is_folder(entry)) folders->push_back({clean_folder(entry), false});
  }
}

void append_own_folder(std::vector<SearchFolder>* folders) {
  const fs::path root = executable_folder().parent_path();
  for (const fs::path& candidate : {root / FLOWRUN_PLUGIN_LIBDIR / "flowrun/plugins", root / "plugins"})
    if (is_folder(candidate.string())) return folders->push_back({clean_folder(candidate.string()), false});
}

/// Reads and checks a plugin's file without running it. `expected_id` is its place below a search folder; "" for a file named by path.
PluginFile inspect_file(const std::string& path, const std::string& expected_id) {
  PluginFile file;
  file.id = expected_id;
  file.file = path;
  const auto refuse = [&](const std::string& reason) {
    file.refused = true;
    file.reason = fmt::format("'{}': {}", path, reason);
    return file;
  };
  try {
    const ElfFile elf(path);
    const auto descriptor = elf.section(kSection);
    if (!descriptor && !elf.exports(kSymbol))
      return refuse(fmt::format("it has no section '{}' and exports no symbol '{}': it is not a flowrun plugin", kSection, kSymbol));
    if (!descriptor) return refuse(fmt::format("it has no section '{}', expected the descriptor there; run 'flowrun-embed {}'", kSection, path));
    file.raw_descriptor = *descriptor;
    file.descriptor = parse_descriptor(*descriptor);
    if (expected_id.empty()) file.id = file.descriptor->id;
    if (file.descriptor->id != file.id)
      return refuse(fmt::format("its descriptor says id '{}', expected '{}', because its place among the plugins is its id", file.descriptor->id, file.id));
    if (!elf.exports(kSymbol)) return refuse(fmt::format("it exports no symbol '{}'", kSymbol));
    if (const auto foreign = find_foreign_library(path, elf.dynamic(), WhenHostHasNone::kAllow)) return refuse(*foreign);
  } catch (const Error& error) {
    if (error.code() == Code::kNotFound) throw;
    return refuse(error.message());
  }
  if (const auto reason = writable_by_all(path); !reason.empty()) return refuse(reason);
  return file;
}

/// Returns the command that builds a native plugin anew: for one of this build tree, its target; else from its own sources.
std::string rebuild_command(const PluginFile& file) {
  const fs::path root = executable_folder().parent_path();
  const bool built_here = exists((root / "CMakeCache.txt").string()) && file.file.starts_with(root.string() + "/");
  if (built_here) {
    std::string target = "plugin_" + file.id;
    std::replace(target.begin(), target.end(), '/', '_');
    return fmt::format("cmake --build {} --target {}", root.string(), target);
  }
  return fmt::format("cmake -S SOURCE -B BUILD -DCMAKE_PREFIX_PATH={} && cmake --build BUILD --clean-first  (SOURCE: the plugin's own folder)", root.string());
}

}  // namespace

std::vector<SearchFolder> search_folders(const std::vector<std::string>& command_line) {
  std::vector<SearchFolder> folders;
  for (const std::string& folder : command_line) {
    if (!is_folder(folder)) throw Error(Code::kNotFound, fmt::format("plugin folder '{}' does not exist", folder));
    folders.push_back({clean_folder(folder), true});
  }
  append_environment_folders(&folders);
  append_own_folder(&folders);
  return folders;
}

struct Registry::Impl {
  std::vector<SearchFolder> folders;
  std::mutex mutex;                                          // protects what follows
  std::map<std::string, std::unique_ptr<PluginFile>> found;  // by id; null: no folder has it
  std::map<std::string, std::unique_ptr<PluginFile>> duplicates;
  std::map<std::string, std::string> digests;               // by file
  std::map<std::string, const flowrun_plugin*> loaded;      // by file

  /// Returns the file that an id means, "" if there is none. Throws for a duplicate.
  std::string choose(const std::string& id) const;
  const PluginFile* find_locked(const std::string& id);
  std::set<std::string> ids() const;
};

std::string Registry::Impl::choose(const std::string& id) const {
  const SearchFolder* chosen = nullptr;
  std::string chosen_file;
  for (const SearchFolder& folder : folders) {
    const std::string file = folder.path + "/" + id + ".so";
    if (!exists(file)) continue;
    if (chosen == nullptr) {
      chosen = &folder;
      chosen_file = file;
      continue;
    }
    // One from the command line wins over all that were not named there; the same file reached twice is no duplicate.
    if (chosen->from_command_line != folder.from_command_line || is_same_file(chosen_file, file)) continue;
    throw Error(Code::kUnavailable, fmt::format("plugin '{}' is there twice, as '{}' and as '{}'; remove one, or name its folder with --plugins alone", id,
                                                chosen_file, file));
  }
  return chosen_file;
}

const PluginFile* Registry::Impl::find_locked(const std::string& id) {
  if (!is_plugin_id(id)) return nullptr;
  if (const auto known = found.find(id); known != found.end()) return known->second.get();
  auto& entry = found[id];
  try {
    if (const std::string path = choose(id); !path.empty()) {
      entry = std::make_unique<PluginFile>(inspect_file(path, id));
      const std::string family = fs::path(path).parent_path().string();
      if (const auto reason = writable_by_all(family); !reason.empty() && !entry->refused) {
        entry->refused = true;
        entry->reason = fmt::format("'{}': its folder {}", path, reason);
      }
    }
  } catch (...) {
    found.erase(id);
    throw;
  }
  return entry.get();
}

std::set<std::string> Registry::Impl::ids() const {
  std::set<std::string> ids;
  std::error_code error;  // a folder that cannot be read has no plugins to offer
  for (const SearchFolder& folder : folders)
    for (const auto& family : fs::directory_iterator(folder.path, error)) {
      if (!family.is_directory(error)) continue;
      for (const auto& file : fs::directory_iterator(family.path(), error)) {
        const std::string id = family.path().filename().string() + "/" + file.path().stem().string();
        if (file.path().extension() == ".so" && is_plugin_id(id)) ids.insert(id);
      }
    }
  return ids;
}

Registry::Registry(std::vector<SearchFolder> folders) : impl_(std::make_shared<Impl>()) {
  for (const SearchFolder& folder : folders) {
    if (folder.path.empty() || folder.path.front() != '/')
      throw Error(Code::kUnavailable, fmt::format("plugin folder '{}' is relative, expected an absolute one", folder.path));
    if (const auto reason = writable_by_all(folder.path); !reason.empty()) throw Error(Code::kUnavailable, "plugin folder " + reason);
  }
  std::stable_partition(folders.begin(), folders.end(), [](const SearchFolder& folder) { return folder.from_command_line; });
  impl_->folders = std::move(folders);
}

const PluginFile* Registry::find(const std::string& id) {
  const std::lock_guard lock(impl_->mutex);
  return impl_->find_locked(id);
}

std::vector<const PluginFile*> Registry::list() {
  const std::lock_guard lock(impl_->mutex);
  std::vector<const PluginFile*> files;
  for (const std::string& id : impl_->ids()) {
    try {
      if (const PluginFile* file = impl_->find_locked(id)) files.push_back(file);
    } catch (const Error& error) {
      auto& duplicate = impl_->duplicates[id];
      if (!duplicate) duplicate = std::make_unique<PluginFile>();
      duplicate->id = id;
      duplicate->refused = true;
      duplicate->reason = error.message();
      files.push_back(duplicate.get());
    }
  }
  return files;
}

std::vector<std::string> Registry::ids() {
  const auto ids = impl_->ids();
  return {ids.begin(), ids.end()};
}

PluginFile Registry::read_file(const std::string& path) {
  const std::string file = absolute(path);
  PluginFile read = inspect_file(file, "");
  if (read.id.empty()) read.id = fs::path(file).parent_path().filename().string() + "/" + fs::path(file).stem().string();
  return read;
}

const flowrun_plugin* Registry::load(const PluginFile& file, const std::string& native_fingerprint) {
  const std::lock_guard lock(impl_->mutex);
  if (const auto known = impl_->loaded.find(file.file); known != impl_->loaded.end()) return known->second;
  if (file.refused) throw Error(Code::kUnavailable, "plugin refused: " + file.reason);
  const auto refuse = [&](const std::string& reason) { throw Error(Code::kUnavailable, fmt::format("plugin refused: '{}': {}", file.file, reason)); };
  if (!file.descriptor) refuse("its descriptor was not read");
  if (file.descriptor->tier == "native") {
    if (native_fingerprint.empty()) refuse("it is a native plugin, and the native runtime is not loaded");
    check_fingerprint(file.file, *file.descriptor->fingerprint, native_fingerprint, rebuild_command(file));
  }
  // Again, although it was checked when the file was read: the host's LibTorch may have come since.
  if (const auto foreign = find_foreign_library(file.file, ElfFile(file.file).dynamic(), WhenHostHasNone::kRefuse)) refuse(*foreign);

  const flowrun_plugin& table = open_library(file.file);
  const char* const said = table.descriptor();
  if (said == nullptr || file.raw_descriptor != said)
    refuse(fmt::format("its descriptor in section '{}' differs from the one that its code gives; run 'flowrun-embed {}'", kSection, file.file));
  check_interface(file.file, table, *file.descriptor);
  return impl_->loaded[file.file] = &table;
}

const std::string& Registry::digest(const PluginFile& file) {
  const std::lock_guard lock(impl_->mutex);
  const auto known = impl_->digests.find(file.file);
  return known != impl_->digests.end() ? known->second : impl_->digests[file.file] = sha256_file(file.file);
}

}  // namespace flowrun::plugin
