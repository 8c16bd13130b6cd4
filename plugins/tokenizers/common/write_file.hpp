#pragma once

#include <fstream>
#include <string>
#include <string_view>

#include <flowrun/error.hpp>

namespace flowrun::tokenizers {

/// Writes a file of an artifact. Throws kIo with the path and the bytes that it needs.
inline void write_file(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) throw Error(Code::kIo, "'" + path + "' cannot be written, needs " + std::to_string(text.size()) + " bytes");
}

}  // namespace flowrun::tokenizers
