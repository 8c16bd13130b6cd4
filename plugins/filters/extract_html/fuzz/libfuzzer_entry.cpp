// The function that libFuzzer calls.

#include <cstddef>
#include <cstdint>

#include "extract_fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  flowrun::filters::html::fuzz_extract_html({reinterpret_cast<const char*>(data), size});
  return 0;
}
