#pragma once

// Finds plugins by id in the search folders and loads them. Finding reads the ELF section alone and runs no plugin code.

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flowrun/abi.h>

#include "plugin/descriptor_info.hpp"

namespace flowrun::plugin {

/// A plugin file that was found. Refused: `reason` names the file and says why, for example "'/p/a/b.so': it exports no symbol
/// 'flowrun_plugin_v1'", and `descriptor` is what could be read.
struct PluginFile {
  std::string id;
  std::string file;  ///< absolute; "" for a duplicate id
  bool refused = false;
  std::string reason;
  std::optional<DescriptorInfo> descriptor;
  std::string raw_descriptor;
};

/// A search folder and whether it came from `--plugins` (which may override a duplicate id).
struct SearchFolder {
  std::string path;
  bool from_command_line = false;
};

/// Returns the folders in order: `--plugins` (made absolute), FLOWRUN_PLUGIN_PATH (separated by colons, empty entries skipped), the one installed
/// or built beside the executable. Throws Error(kUnavailable) for a relative entry of FLOWRUN_PLUGIN_PATH, kNotFound for a `--plugins` folder that
/// is not there; other folders that are not there are left out.
std::vector<SearchFolder> search_folders(const std::vector<std::string>& command_line);

/// The plugins that can be named in a graph. `find` and `list` [any thread]; loading is done by one thread.
class Registry {
 public:
  /// Throws Error(kUnavailable) for a world-writable or relative folder.
  explicit Registry(std::vector<SearchFolder> folders);

  /// Returns the file behind an id, or nullptr if no folder has it. Looks at `<folder>/<id>.so` alone, and once: the answer is kept. Throws
  /// Error(kUnavailable) for a duplicate id, naming both files.
  const PluginFile* find(const std::string& id);
  /// Returns every plugin file of every folder, sorted by id; a duplicate id is one refused entry that names both files.
  std::vector<const PluginFile*> list();
  /// Returns all ids by file name alone (for "did you mean").
  std::vector<std::string> ids();

  /// Reads one library that is named by path. `id` is the descriptor's, or `<folder>/<stem>` where that cannot be read. Throws Error(kNotFound).
  static PluginFile read_file(const std::string& path);

  /// Loads the library (Boost.DLL, rtld_now | rtld_local, never unloaded) after all checks, and returns its table; the same one for a second
  /// call. Throws Error(kUnavailable) with the reason: wrong ABI, missing symbol, no descriptor, not a library, descriptor differs,
  /// foreign LibTorch or oneTBB, fingerprint (`native_fingerprint`: the host's, JSON text; "" where LibTorch is not loaded).
  const flowrun_plugin* load(const PluginFile& file, const std::string& native_fingerprint);

  /// Returns the SHA-256 of the plugin's file, computed once.
  const std::string& digest(const PluginFile& file);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace flowrun::plugin
