#pragma once

// Every write that must survive a crash goes through here: written beside, fsynced, renamed, folder fsynced. Each step is a fault point:
// it is counted in the current phase, and FLOWRUN_FAULT can end or fail the process there (docs/architecture.md, "Fault points").

#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

namespace flowrun::io {

/// Names the phase in which operations are counted from now on: "data", "training" or "save". Any thread; one phase at a time.
void set_phase(const char* phase);

/// Counts one operation of `phase` and acts if FLOWRUN_FAULT names it: `PHASE:N[:kill|eio|enospc]`, N from 1. `kill` (the default) ends the
/// process by SIGKILL; the others throw Error(kIo). Before it acts it appends a line `PHASE N OPERATION` to the file FLOWRUN_FAULT_LOG.
void fault_point(const char* operation);

/// Writes `path` durably: the whole content stands there, or the old one does. Throws Error(kIo) naming path, need and have.
void write_file(const std::string& path, std::string_view content);

/// Returns the whole file. Throws Error(kNotFound) or kIo.
std::string read_file(const std::string& path);

/// A file being written beside its final name. Not committed: removed by the destructor.
class StagedFile {
 public:
  /// Creates `<path>.tmp`; throws Error(kIo).
  explicit StagedFile(std::string path);
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;
  ~StagedFile();
  void write(const void* data, std::size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  std::uint64_t written_bytes() const noexcept { return written_bytes_; }
  /// fsync, rename, fsync of the folder. A failed fsync is not tried again: the file must be written anew.
  void commit();

 private:
  std::string path_, temporary_;
  int descriptor_ = -1;
  std::uint64_t written_bytes_ = 0;
};

/// A log that is appended to, for example metrics.jsonl. `sync` makes what was appended durable.
class AppendFile {
 public:
  /// Opens for appending after cutting the file to `keep_bytes` (-1: all of it).
  AppendFile(std::string path, std::int64_t keep_bytes);
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;
  ~AppendFile();
  void append(std::string_view text);
  void sync();

 private:
  std::string path_;
  int descriptor_ = -1;
};

/// Fsyncs every file below `folder` and the folders themselves, then renames it to `target` (which must not exist) and fsyncs its parent.
void commit_folder(const std::string& folder, const std::string& target);

/// Fsyncs a file or a folder. Throws Error(kIo).
void sync_path(const std::string& path);

/// Atomically points the symlink `link` at `target` (relative).
void replace_symlink(const std::string& target, const std::string& link);

}  // namespace flowrun::io
