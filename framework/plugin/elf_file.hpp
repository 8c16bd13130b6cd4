#pragma once

// What can be learnt of a shared library without running any of it.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::plugin {

/// The dynamic section's answers to "which libraries does it need, and where are they looked for".
struct ElfDynamic {
  std::string soname;
  std::vector<std::string> needed;   ///< DT_NEEDED, in order
  std::vector<std::string> rpath;    ///< DT_RPATH, split at colons
  std::vector<std::string> runpath;  ///< DT_RUNPATH, split at colons
};

/// A shared library of this machine, opened for reading. Reads pieces as they are asked for, about 0.1 ms in all; one thread at a time.
class ElfFile {
 public:
  /// Checks that `path` is a whole ELF shared library for this machine: everything that the loader would map lies inside the file, so that a
  /// cut one cannot kill the process later. Throws Error(kNotFound) if there is no such file, else kUnavailable with a message that says "it": whoever
  /// asked names the file.
  explicit ElfFile(const std::string& path);
  ~ElfFile();
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;

  /// Returns the bytes of a section, or nothing if there is none of that name. Throws Error(kUnavailable) for one that cannot be read.
  std::optional<std::string> section(std::string_view name) const;
  ElfDynamic dynamic() const;
  /// Returns whether the library defines `symbol` for others to see.
  bool exports(std::string_view symbol) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flowrun::plugin
