#pragma once

// Opens a plugin's library. This is the first moment at which its code runs; whatever can be known before is checked in registry.cpp.

#include <string>
#include <string_view>

#include <flowrun/abi.h>

#include "plugin/descriptor_info.hpp"

namespace flowrun::plugin {

/// Loads the library (Boost.DLL, rtld_now | rtld_local) and returns its table. The library stays until the process ends: dlclose under live
/// threads or tables is not safe. Throws Error(kUnavailable) if the linker refuses it (its text is kept), if it does not export
/// `flowrun_plugin_v1`, or if the table is of another ABI or lacks a function.
const flowrun_plugin& open_library(const std::string& file);

/// Checks that the table gives the interface of `kind` with every function that the ABI demands. Throws Error(kUnavailable).
void check_interface(const std::string& file, const flowrun_plugin& table, const DescriptorInfo& descriptor);

/// Compares two fingerprints (JSON text). Throws Error(kUnavailable) unless they are equal: both, field by field, and `rebuild`, the command
/// that builds the plugin anew.
void check_fingerprint(const std::string& file, std::string_view of_plugin, std::string_view of_host, std::string_view rebuild);

}  // namespace flowrun::plugin
