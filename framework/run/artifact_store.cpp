#include "run/artifact_store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include <fmt/format.h>

#include "base/durable.hpp"
#include "base/sha256.hpp"

namespace flowrun::run {
namespace fs = std::filesystem;

std::unique_ptr<FileLock> FileLock::try_take(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) throw Error(Code::kIo, fmt::format("cannot open lock '{}': {}", path, std::strerror(errno)));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return std::unique_ptr<FileLock>(new FileLock(descriptor));
  const int error = errno;
  ::close(descriptor);
  if (error == EWOULDBLOCK) return nullptr;
  throw Error(Code::kIo, fmt::format("cannot lock '{}': {}", path, std::strerror(error)));
}

FileLock::~FileLock() { ::close(descriptor_); }

void FileLock::write(const std::string& text) {
  if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, text.data(), text.size(), 0) < 0)
    throw Error(Code::kIo, fmt::format("cannot write a lock file: {}", std::strerror(errno)));
}

std::string artifacts_root(const std::string& option) {
  const char* const variable = std::getenv("FLOWRUN_ARTIFACTS");
  const std::string folder = !option.empty() ? option : variable != nullptr && *variable != '\0' ? variable : "runs/.artifacts";
  return fs::absolute(folder).lexically_normal().string();
}

ArtifactStore::ArtifactStore(std::string root) : root_(std::move(root)) {}

std::string ArtifactStore::folder(const std::string& key) const { return fmt::format("{}/{}/{}", root_, key.substr(0, 2), key); }

bool ArtifactStore::has(const std::string& key) const {
  std::error_code error;
  if (!fs::exists(folder(key) + "/manifest.json", error)) return false;
  const auto whole = manifest(key);
  for (const auto& [name, file] : whole["files"].items())
    if (fs::file_size(folder(key) + "/" + name, error) != file.value("bytes", std::uintmax_t{0}) || error) return false;
  return true;
}

nlohmann::json ArtifactStore::manifest(const std::string& key) const {
  const std::string path = folder(key) + "/manifest.json";
  auto manifest = nlohmann::json::parse(io::read_file(path), nullptr, false);
  if (!manifest.is_object() || !manifest.contains("files") || !manifest.contains("nodes"))
    throw Error(Code::kCorruptData, fmt::format("'{}' is damaged; remove its folder and run again", path));
  return manifest;
}

std::int64_t ArtifactStore::bytes(const std::string& key) const {
  std::int64_t total = 0;
  const auto whole = manifest(key);
  for (const auto& [name, file] : whole["files"].items()) total += file.at("bytes").get<std::int64_t>();
  return total;
}

std::unique_ptr<FileLock> ArtifactStore::lock(const std::string& name, const graph::StageControl& control) const {
  fs::create_directories(root_ + "/locks");
  for (;;) {
    if (auto lock = FileLock::try_take(fmt::format("{}/locks/{}", root_, name))) return lock;
    if (control.stopping()) throw Error(Code::kCancelled, "stopped while another process held what this one needs");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

std::string ArtifactStore::make_staging(const std::string& key) const {
  const std::string path = fmt::format("{}/staging/{}", root_, key);
  std::error_code error;
  fs::remove_all(path, error);
  fs::create_directories(path, error);
  if (error) throw Error(Code::kIo, fmt::format("cannot create '{}': {}", path, error.message()));
  return path;
}

nlohmann::json describe_files(const std::string& folder) {
  nlohmann::json files = nlohmann::json::object();
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = entry.path().lexically_relative(folder).generic_string();
    if (name != "manifest.json") files[name] = {{"bytes", entry.file_size()}, {"sha256", sha256_file(entry.path().string())}};
  }
  return files;
}

void ArtifactStore::commit(const std::string& key, const std::string& staging, nlohmann::json manifest) const {
  manifest["version"] = 1;
  manifest["key"] = key;
  manifest["files"] = describe_files(staging);
  // Artifacts are immutable, and a writer's files are hard-linked into runs: nobody may change them in place.
  for (const auto& entry : fs::recursive_directory_iterator(staging))
    if (entry.is_regular_file()) ::chmod(entry.path().c_str(), 0444);
  io::write_file(staging + "/manifest.json", manifest.dump(1) + "\n");
  const std::string target = folder(key);
  fs::create_directories(fs::path(target).parent_path());
  if (fs::exists(target)) {  // without a manifest: a damaged leftover
    fs::remove_all(target);
  }
  io::commit_folder(staging, target);
}

}  // namespace flowrun::run
