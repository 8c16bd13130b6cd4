#pragma once

#include <string>

namespace flowrun::writers {

/// Returns the name below the staging folder that stands for an output path: the host finds it by everything from the first dot of the path's last part.
/// Throws kInvalidArgument for a path that names no file.
std::string staged_name(const std::string& path);

}  // namespace flowrun::writers
