#include "run/native_library.hpp"

#include <cstdlib>
#include <filesystem>

#include <boost/dll/runtime_symbol_info.hpp>
#include <boost/dll/shared_library.hpp>
#include <fmt/format.h>

#include <flowrun/error.hpp>

namespace flowrun::run {
namespace {

std::filesystem::path library_path() { return (boost::dll::program_location().parent_path() / ".." / FLOWRUN_LIBRARY_FOLDER / "libflowrun_native.so").lexically_normal(); }

}  // namespace

bool native_library_is_built() { return std::filesystem::exists(library_path()); }

train::Runtime& native_runtime() {
  static train::Runtime* runtime = [] {
    ::setenv("OMP_WAIT_POLICY", "PASSIVE", 0);
    const auto path = library_path();
    if (!native_library_is_built())
      throw Error(Code::kUnavailable, fmt::format("'{}' does not exist: this flowrun was built without its native half; build it with -DFLOWRUN_NATIVE=ON", path.string()));
    try {
      // Never unloaded: LibTorch's threads and tables live until the process ends.
      auto* library = new boost::dll::shared_library(path, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
      return library->get<train::Runtime*()>("flowrun_native_runtime_v1")();
    } catch (const std::exception& error) {
      throw Error(Code::kUnavailable, fmt::format("cannot load '{}': {}", path.string(), error.what()));
    }
  }();
  return *runtime;
}

}  // namespace flowrun::run
