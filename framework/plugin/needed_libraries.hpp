#pragma once

// Two copies of LibTorch or oneTBB in one process do not agree on thread pools, allocators or types, and fail far from the cause. So a plugin
// that needs one of them must mean the very file that the process already has. A statically linked copy has no name that could be looked
// for and cannot be seen here.

#include <optional>
#include <string>

#include "plugin/elf_file.hpp"

namespace flowrun::plugin {

/// What to make of a plugin that needs LibTorch or oneTBB while this process has none loaded.
enum class WhenHostHasNone {
  kAllow,   ///< nothing is loaded yet: LibTorch may come with the native runtime
  kRefuse,  ///< the plugin is about to be loaded
};

/// Follows what `file` needs, directly or through other libraries, by the dynamic linker's rules (DT_RPATH, LD_LIBRARY_PATH, DT_RUNPATH with
/// $ORIGIN, then what is already loaded, the linker's cache and its standard folders) and returns why the plugin must be refused: a
/// LibTorch or oneTBB library that is another file (device, inode) than the host's. Runs no code of any of them.
std::optional<std::string> find_foreign_library(const std::string& file, const ElfDynamic& dynamic, WhenHostHasNone when_none);

}  // namespace flowrun::plugin
