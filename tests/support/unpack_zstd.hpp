#pragma once

// What a run has written as zstd, as a text.

#include <zstd.h>

#include <memory>
#include <string>

#include <flowrun/error.hpp>

namespace flowrun::testing {

inline std::string unpack_zstd(const std::string& bytes) {
  std::string text, part(1 << 16, '\0');
  const std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream(ZSTD_createDStream(), ZSTD_freeDStream);
  for (ZSTD_inBuffer in{bytes.data(), bytes.size(), 0}; in.pos < in.size;) {
    ZSTD_outBuffer out{part.data(), part.size(), 0};
    if (ZSTD_isError(ZSTD_decompressStream(stream.get(), &out, &in))) throw Error(Code::kCorruptData, "no zstd data");
    text.append(part, 0, out.pos);
  }
  return text;
}

}  // namespace flowrun::testing
