// The function that libFuzzer calls. FLOWRUN_FUZZ_TARGET is one of those in targets.hpp.

#include <cstddef>
#include <cstdint>

#include "targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  flowrun::tokenizers::FLOWRUN_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
