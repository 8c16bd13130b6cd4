#include "base/durable.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <vector>

#include <fmt/format.h>

#include <flowrun/error.hpp>

namespace flowrun::io {
namespace {

namespace fs = std::filesystem;

/// What FLOWRUN_FAULT asks for: PHASE:N[:ACTION]. Read anew each time, so that a forked test can set it; operations are file-sized.
struct FaultPlan {
  std::string_view phase;
  std::uint64_t operation = 0;
  std::string_view action = "kill";

  static FaultPlan parse(std::string_view text) {
    FaultPlan plan;
    const auto first = text.find(':');
    if (first == std::string_view::npos) return plan;
    plan.phase = text.substr(0, first);
    text.remove_prefix(first + 1);
    const auto result = std::from_chars(text.data(), text.data() + text.size(), plan.operation);
    text.remove_prefix(static_cast<std::size_t>(result.ptr - text.data()));
    if (text.size() > 1 && text.front() == ':') plan.action = text.substr(1);
    return plan;
  }
};

std::atomic<const char*> current_phase{"data"};
std::atomic<std::uint64_t> operation_count{0};

[[noreturn]] void fail(const std::string& path, const char* doing, int error, std::uint64_t need = 0) {
  std::string text = fmt::format("cannot {} '{}': {}", doing, path, std::strerror(error));
  struct statvfs space {};
  if ((error == ENOSPC || error == EDQUOT) && statvfs(fs::path(path).parent_path().c_str(), &space) == 0) {
    text += fmt::format("; have {} bytes free", static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize);
    if (need != 0) text += fmt::format(", need {}", need);
  }
  throw Error(Code::kIo, text);
}

void write_all(int descriptor, const char* data, std::size_t bytes, const std::string& path) {
  while (bytes > 0) {
    const ssize_t written = ::write(descriptor, data, bytes);
    if (written < 0) {
      if (errno == EINTR) continue;
      fail(path, "write", errno, bytes);
    }
    data += written;
    bytes -= static_cast<std::size_t>(written);
  }
}

std::string parent_of(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

}  // namespace

void set_phase(const char* phase) {
  if (std::strcmp(current_phase.exchange(phase), phase) != 0) operation_count = 0;
}

void fault_point(const char* operation) {
  const char* text = std::getenv("FLOWRUN_FAULT");
  if (text == nullptr) return;
  const FaultPlan plan = FaultPlan::parse(text);
  if (plan.operation == 0 || plan.phase != current_phase.load()) return;
  if (++operation_count != plan.operation) return;
  if (const char* log = std::getenv("FLOWRUN_FAULT_LOG")) {
    const int descriptor = ::open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (descriptor >= 0) {
      const std::string line = fmt::format("{} {} {}\n", plan.phase, plan.operation, operation);
      [[maybe_unused]] const ssize_t written = ::write(descriptor, line.data(), line.size());
      ::close(descriptor);
    }
  }
  if (plan.action == "kill") ::raise(SIGKILL);
  const int error = plan.action == "enospc" ? ENOSPC : EIO;
  throw Error(Code::kIo, fmt::format("cannot {}: {} (injected by FLOWRUN_FAULT)", operation, std::strerror(error)));
}

void sync_path(const std::string& path) {
  fault_point("fsync");
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail(path, "open", errno);
  const int result = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  if (result != 0) fail(path, "fsync", error);
}

StagedFile::StagedFile(std::string path) : path_(std::move(path)), temporary_(path_ + ".tmp") {
  fault_point("create");
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail(temporary_, "create", errno);
}

StagedFile::~StagedFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void StagedFile::write(const void* data, std::size_t bytes) {
  fault_point("write");
  write_all(descriptor_, static_cast<const char*>(data), bytes, temporary_);
  written_bytes_ += bytes;
}

void StagedFile::commit() {
  fault_point("fsync");
  if (::fsync(descriptor_) != 0) fail(temporary_, "fsync", errno, written_bytes_);
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) fail(temporary_, "close", errno);
  fault_point("rename");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(path_, "rename", errno);
  sync_path(parent_of(path_));
}

void write_file(const std::string& path, std::string_view content) {
  StagedFile file(path);
  file.write(content);
  file.commit();
}

std::string read_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    if (errno == ENOENT) throw Error(Code::kNotFound, fmt::format("'{}' does not exist", path));
    fail(path, "open", errno);
  }
  std::string content;
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && status.st_size > 0) content.reserve(static_cast<std::size_t>(status.st_size));
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = ::read(descriptor, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int error = errno;
      ::close(descriptor);
      fail(path, "read", error);
    }
    if (got == 0) break;
    content.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(descriptor);
  return content;
}

AppendFile::AppendFile(std::string path, std::int64_t keep_bytes) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail(path_, "create", errno);
  if (keep_bytes >= 0) {
    fault_point("truncate");
    if (::ftruncate(descriptor_, keep_bytes) != 0) fail(path_, "truncate", errno);
  }
}

AppendFile::~AppendFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void AppendFile::append(std::string_view text) {
  fault_point("append");
  write_all(descriptor_, text.data(), text.size(), path_);
}

void AppendFile::sync() {
  fault_point("fsync");
  if (::fsync(descriptor_) != 0) fail(path_, "fsync", errno);
}

void commit_folder(const std::string& folder, const std::string& target) {
  std::vector<std::string> folders{folder};
  std::error_code error;
  for (auto it = fs::recursive_directory_iterator(folder, error); !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (it->is_directory()) folders.push_back(it->path().string());
    else if (it->is_regular_file()) sync_path(it->path().string());
  }
  if (error) throw Error(Code::kIo, fmt::format("cannot list '{}': {}", folder, error.message()));
  for (auto it = folders.rbegin(); it != folders.rend(); ++it) sync_path(*it);
  fault_point("rename");
  if (::rename(folder.c_str(), target.c_str()) != 0) fail(target, "rename a folder to", errno);
  sync_path(parent_of(target));
}

void replace_symlink(const std::string& target, const std::string& link) {
  const std::string temporary = link + ".tmp";
  fault_point("symlink");
  ::unlink(temporary.c_str());
  if (::symlink(target.c_str(), temporary.c_str()) != 0) fail(temporary, "create", errno);
  if (::rename(temporary.c_str(), link.c_str()) != 0) fail(link, "rename", errno);
  sync_path(parent_of(link));
}

}  // namespace flowrun::io
