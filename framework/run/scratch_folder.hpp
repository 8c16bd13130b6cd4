#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include <flowrun/error.hpp>

namespace flowrun::run {

/// A folder among the artifacts, for what is only looked at: gone afterwards. Throws Error(kIo).
class ScratchFolder {
 public:
  explicit ScratchFolder(const std::string& root) : path_(root + "/.plan-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) throw Error(Code::kIo, fmt::format("cannot create a folder in '{}'", root));
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;  // a destructor cannot report it
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

}  // namespace flowrun::run
