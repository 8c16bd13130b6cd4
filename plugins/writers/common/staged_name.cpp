#include "writers/common/staged_name.hpp"

#include <flowrun/error.hpp>

#include <filesystem>

namespace flowrun::writers {

std::string staged_name(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  if (name.empty() || name == "." || name == "..") throw Error(Code::kInvalidArgument, "'path' is '" + path + "', expected the name of a file");
  const std::size_t dot = name.find('.');
  return "output" + (dot == std::string::npos ? std::string() : name.substr(dot));
}

}  // namespace flowrun::writers
