#include "plugin/needed_libraries.hpp"

#include <dlfcn.h>
#include <link.h>
#include <sys/stat.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <flowrun/error.hpp>
#include <fmt/format.h>

namespace flowrun::plugin {
namespace {

namespace fs = std::filesystem;
using FileId = std::pair<dev_t, ino_t>;

std::optional<FileId> file_id(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

/// Returns the project that a library belongs to, or "" for any other.
std::string_view family_of(std::string_view library) {
  const std::string_view name = library.substr(library.rfind('/') + 1);  // npos + 1 is 0
  const bool shared = name.find(".so") != name.npos;
  if (shared && (name.starts_with("libtorch") || name.starts_with("libc10"))) return "LibTorch";
  if (shared && (name.starts_with("libtbb.") || name.starts_with("libtbb_debug."))) return "oneTBB";
  return {};
}

/// Returns the files of a family that this process has loaded.
std::vector<std::string> loaded_files(std::string_view family) {
  std::pair<std::string_view, std::vector<std::string>> search{family, {}};
  dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void* data) {
        auto& [wanted, files] = *static_cast<decltype(search)*>(data);
        if (object->dlpi_name && family_of(object->dlpi_name) == wanted) files.emplace_back(object->dlpi_name);
        return 0;
      },
      &search);
  return search.second;
}

/// Returns the loaded file that the dynamic linker would take for this name without looking for one.
std::optional<std::string> loaded_as(const std::string& name) {
  void* const handle = dlopen(name.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  if (handle == nullptr) {
    dlerror();
    return std::nullopt;
  }
  link_map* map = nullptr;
  const bool known = dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0;
  std::optional<std::string> path;
  if (known && map->l_name && *map->l_name) path = map->l_name;
  dlclose(handle);  // takes back the count that dlopen added; the library stays
  return path;
}

/// Looks a name up in /etc/ld.so.cache (glibc's "glibc-ld.so.cache1.1" format: header of 48 bytes, entries of 24, names by offset).
std::optional<std::string> find_in_linker_cache(const std::string& name) {
  static const std::string cache = [] {
    std::ifstream in("/etc/ld.so.cache", std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }();
  static constexpr std::string_view kMagic = "glibc-ld.so.cache1.1";
  static constexpr std::size_t kHeaderBytes = 48, kEntryBytes = 24;
  if (cache.size() < kHeaderBytes || !cache.starts_with(kMagic)) return std::nullopt;
  const auto number_at = [&](std::size_t offset) {
    std::uint32_t number = 0;
    std::memcpy(&number, cache.data() + offset, sizeof number);
    return std::size_t{number};
  };
  const std::size_t count = number_at(kMagic.size());
  if (count > (cache.size() - kHeaderBytes) / kEntryBytes) return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t key = number_at(kHeaderBytes + i * kEntryBytes + 4), value = number_at(kHeaderBytes + i * kEntryBytes + 8);
    if (key >= cache.size() || value >= cache.size()) return std::nullopt;
    if (name == cache.c_str() + key && file_id(cache.c_str() + value)) return cache.c_str() + value;
  }
  return std::nullopt;
}

std::vector<std::string> library_path_folders() {
  std::vector<std::string> folders;
  const char* const text = std::getenv("LD_LIBRARY_PATH");
  std::string_view rest = text ? text : "";
  while (!rest.empty()) {
    const auto end = rest.find_first_of(":;");
    folders.emplace_back(end == 0 ? "." : rest.substr(0, end));  // an empty entry is the current folder, as ld.so has it
    rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
  }
  return folders;
}

std::string expand_origin(std::string folder, const std::string& origin) {
  for (const std::string_view variable : {"${ORIGIN}", "$ORIGIN"})
    for (auto at = folder.find(variable); at != folder.npos; at = folder.find(variable, at + origin.size())) folder.replace(at, variable.size(), origin);
  return folder;
}

std::vector<std::string> expand_origins(const std::vector<std::string>& folders, const std::string& file) {
  std::vector<std::string> expanded;
  for (const auto& folder : folders) expanded.push_back(expand_origin(folder, fs::path(file).parent_path().string()));
  return expanded;
}

std::optional<std::string> find_in(const std::vector<std::string>& folders, const std::string& name) {
  for (const auto& folder : folders)
    if (std::string path = folder + "/" + name; file_id(path)) return path;
  return std::nullopt;
}

/// One walk over everything that a plugin needs.
class Walk {
 public:
  Walk(const std::string& plugin, WhenHostHasNone when_none) : plugin_(plugin), when_none_(when_none) {}

  /// `rpath` holds the expanded DT_RPATH of those that brought `file` in: unlike DT_RUNPATH it is inherited.
  std::optional<std::string> visit(const std::string& file, const ElfDynamic& dynamic, std::vector<std::string> rpath) {
    const auto runpath = expand_origins(dynamic.runpath, file);
    if (runpath.empty()) {  // DT_RUNPATH switches every DT_RPATH off
      auto own = expand_origins(dynamic.rpath, file);
      rpath.insert(rpath.begin(), own.begin(), own.end());
    }
    for (const std::string& name : dynamic.needed) {
      const auto found = resolve(name, runpath.empty() ? rpath : std::vector<std::string>(), runpath);
      if (const std::string_view family = family_of(name); !family.empty()) {
        if (auto reason = judge(file, name, family, found)) return reason;
      } else if (found && visited_.insert(*file_id(*found)).second && !loaded_as(*found)) {
        // What is loaded already has brought in what it needs; only new libraries can bring in more.
        if (auto reason = visit(*found, read_dynamic(*found), rpath)) return reason;
      }
    }
    return std::nullopt;
  }

 private:
  static std::optional<std::string> resolve(const std::string& name, const std::vector<std::string>& rpath, const std::vector<std::string>& runpath) {
    if (name.find('/') != name.npos) return file_id(name) ? std::optional(name) : std::nullopt;
    // What is loaded would be taken before any folder is searched. But then two builds would be mixed silently, so the folders come first.
    for (const auto& folders : {rpath, library_path_folders(), runpath})
      if (auto path = find_in(folders, name)) return path;
    if (auto path = loaded_as(name); path && file_id(*path)) return path;
    if (auto path = find_in_linker_cache(name)) return path;
    return find_in({"/lib64", "/usr/lib64", "/lib", "/usr/lib"}, name);
  }

  static ElfDynamic read_dynamic(const std::string& file) {
    try {
      return ElfFile(file).dynamic();
    } catch (const Error&) {
      return {};  // not readable as a library: the linker will say so in its own words
    }
  }

  std::optional<std::string> judge(const std::string& needer, const std::string& name, std::string_view family, const std::optional<std::string>& found) const {
    const auto host_files = loaded_files(family);
    if (host_files.empty()) {
      if (when_none_ == WhenHostHasNone::kAllow) return std::nullopt;
      return fmt::format("{} needs '{}', and this process has no {} loaded that it could share; only native plugins may need LibTorch, and none may bring "
                         "a {} of its own",
                         subject(needer), name, family, family);
    }
    if (!found) return std::nullopt;  // the linker says which library it did not find
    const auto found_id = file_id(*found);
    for (const auto& host_file : host_files) {
      if (file_id(host_file) == found_id) return std::nullopt;
      // LibTorch is many libraries of one folder, of which the host need not have loaded all.
      if (family == "LibTorch" && loaded_files_lack(host_files, name) && fs::path(host_file).parent_path() == fs::path(*found).parent_path())
        return std::nullopt;
    }
    return fmt::format("{} needs '{}', which resolves to '{}', expected the file of {} that flowrun uses, '{}'; link the plugin to that one, and "
                       "remove its RPATH or LD_LIBRARY_PATH entry (a statically linked copy would not be seen)",
                       subject(needer), name, *found, family, same_name(host_files, name));
  }

  std::string subject(const std::string& needer) const { return needer == plugin_ ? "it" : fmt::format("'{}', which it needs,", needer); }

  static bool loaded_files_lack(const std::vector<std::string>& files, const std::string& name) {
    for (const auto& file : files)
      if (fs::path(file).filename() == fs::path(name).filename()) return false;
    return true;
  }

  static const std::string& same_name(const std::vector<std::string>& files, const std::string& name) {
    for (const auto& file : files)
      if (fs::path(file).filename() == fs::path(name).filename()) return file;
    return files.front();
  }

  const std::string& plugin_;
  WhenHostHasNone when_none_;
  std::set<FileId> visited_;
};

}  // namespace

std::optional<std::string> find_foreign_library(const std::string& file, const ElfDynamic& dynamic, WhenHostHasNone when_none) {
  return Walk(file, when_none).visit(file, dynamic, {});
}

}  // namespace flowrun::plugin
