#pragma once

#include <string>

#include "train/region.hpp"

namespace flowrun::run {

/// Opens libflowrun_native.so (and with it LibTorch) by full path, once in a process, and returns its runtime. The OpenMP wait policy is set
/// before, because it is read when libgomp is loaded. Throws Error(kUnavailable) where the native half was not built or LibTorch is not found.
train::Runtime& native_runtime();

/// Returns whether it lies where `native_runtime` looks for it.
bool native_library_is_built();

}  // namespace flowrun::run
