// flowrun-embed LIBRARY.so: puts a plugin's descriptor into the section `.flowrun` of its library, where flowrun reads it without running the
// plugin. Called after linking by flowrun_add_plugin(), or by hand for a plugin that is built in another way, in any language.

#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <flowrun/error.hpp>
#include <fmt/format.h>

#include "plugin/elf_file.hpp"
#include "plugin/loader.hpp"

extern char** environ;

namespace flowrun::plugin {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSection = ".flowrun";

/// A file that is removed when it goes out of scope; one that was renamed away is gone already.
class Temporary {
 public:
  explicit Temporary(std::string path) : path_(std::move(path)) {}
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() { ::unlink(path_.c_str()); }
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

/// Runs a program that is found by PATH, without a shell. Throws Error(kUnavailable) if it cannot be started, kInternal if it fails.
void run_program(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  if (const int error = posix_spawnp(&child, words[0].c_str(), nullptr, nullptr, arguments.data(), environ); error != 0)
    throw Error(Code::kUnavailable, fmt::format("'{}' cannot be run ({}), expected it on the PATH; it is part of GNU binutils (Debian: apt-get install "
                                                "binutils), or name another one by the environment variable OBJCOPY",
                                                words[0], std::strerror(error)));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) throw Error(Code::kInternal, fmt::format("waiting for '{}' failed: {}", words[0], std::strerror(errno)));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw Error(Code::kInternal, WIFEXITED(status) ? fmt::format("'{}' ended with exit code {}", words[0], WEXITSTATUS(status))
                                                   : fmt::format("'{}' was ended by signal {}", words[0], WTERMSIG(status)));
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) throw Error(Code::kIo, fmt::format("'{}' cannot be written: {}", path, std::strerror(errno)));
}

/// Returns the plugin's descriptor after every check that loading would make.
std::string checked_descriptor(const std::string& file) {
  const flowrun_plugin& table = open_library(file);
  const char* const text = table.descriptor();
  if (text == nullptr) throw Error(Code::kUnavailable, "its function 'descriptor' gives no text");
  const DescriptorInfo info = parse_descriptor(text);
  check_interface(file, table, info);
  const fs::path path(file);
  if (const std::string place = path.parent_path().filename().string() + "/" + path.stem().string(); place != info.id || path.extension() != ".so")
    throw Error(Code::kUnavailable, fmt::format("its descriptor says id '{}', expected the file to end in '{}.so': a plugin is found by its id", info.id, info.id));
  return text;
}

void embed(const std::string& library) {
  const std::string file = fs::absolute(library).lexically_normal().string();
  const bool has_section = ElfFile(file).section(kSection).has_value();
  const std::string descriptor = checked_descriptor(file);

  const Temporary json(fmt::format("{}.{}.json", file, ::getpid())), linked(fmt::format("{}.{}.tmp", file, ::getpid()));
  write_text(json.path(), descriptor);
  const char* const named = std::getenv("OBJCOPY");
  std::vector<std::string> words = {named && *named ? named : "objcopy"};
  // A section that is there already keeps its flags; a new one is not to be mapped when the plugin runs.
  if (has_section)
    words.insert(words.end(), {"--update-section", fmt::format("{}={}", kSection, json.path())});
  else
    words.insert(words.end(), {"--add-section", fmt::format("{}={}", kSection, json.path()), "--set-section-flags", fmt::format("{}=noload,readonly", kSection)});
  words.insert(words.end(), {file, linked.path()});
  run_program(words);

  if (ElfFile(linked.path()).section(kSection) != descriptor) throw Error(Code::kInternal, fmt::format("'{}' did not put the descriptor into the library", words[0]));
  fs::rename(linked.path(), file);
}

}  // namespace
}  // namespace flowrun::plugin

int main(int argc, char** argv) {
  const std::string word = argc == 2 ? argv[1] : "";
  if (word == "--help" || word == "-h") {
    fmt::print("usage: flowrun-embed LIBRARY.so\n\nLoads the plugin, checks its descriptor and puts it into the library's section .flowrun.\n"
               "Run it after linking; the library must lie at <family>/<name>.so, its id. Uses objcopy (or $OBJCOPY).\n");
    return 0;
  }
  if (word.empty() || word[0] == '-') {
    fmt::print(stderr, "flowrun-embed: found {}, expected one argument, the plugin's library; usage: flowrun-embed LIBRARY.so\n",
               argc == 2 ? fmt::format("'{}'", word) : fmt::format("{} arguments", argc - 1));
    return 2;
  }
  try {
    flowrun::plugin::embed(word);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "flowrun-embed: '{}': error: {}\n", word, error.what());
    return 1;
  }
}
