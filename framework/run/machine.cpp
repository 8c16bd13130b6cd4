#include "run/machine.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

#include <flowrun/error.hpp>

namespace flowrun::run {
namespace {

namespace fs = std::filesystem;

/// Returns what /proc/cpuinfo says of the first core under a name; "" for nothing.
std::string cpu_info(std::string_view name) {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with(name)) return line.substr(std::min(line.size(), line.find(':') + 2));
  return "";
}

/// Returns the first words of a control group's file, from this process's group up to the root: the least of them is what counts.
std::vector<std::string> control_group_lines(const char* file) {
  std::string own;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);)
    if (line.starts_with("0::")) own = line.substr(3);
  std::vector<std::string> lines;
  for (fs::path folder = own;; folder = folder.parent_path()) {
    std::string line;
    if (std::ifstream in("/sys/fs/cgroup" + folder.string() + "/" + file); std::getline(in, line)) lines.push_back(line);
    if (folder == folder.parent_path()) return lines;
  }
}

}  // namespace

std::string cpu_model() {
  const std::string name = cpu_info("model name");
  return name.empty() ? "?" : name;
}

std::vector<std::string> cpu_features() {
  constexpr std::array kKnown{"sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16"};
  std::istringstream words(cpu_info("flags"));
  std::set<std::string> flags;
  for (std::string word; words >> word;) flags.insert(word);
  std::vector<std::string> features;
  for (const char* name : kKnown)
    if (flags.contains(name)) features.emplace_back(name);
  return features;
}

int usable_threads() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  double threads = ::sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : static_cast<double>(::sysconf(_SC_NPROCESSORS_ONLN));
  for (const std::string& line : control_group_lines("cpu.max")) {
    std::istringstream words(line);
    double quota = 0, period = 0;
    if (words >> quota >> period && period > 0) threads = std::min(threads, std::ceil(quota / period));  // "max 100000": no number, no limit
  }
  return std::max(1, static_cast<int>(threads));
}

Memory memory() {
  Memory memory;
  std::ifstream info("/proc/meminfo");
  std::string name, unit;
  for (std::int64_t kib = 0; info >> name >> kib; std::getline(info, unit)) {
    if (name == "MemTotal:") memory.total_bytes = kib << 10;
    if (name == "MemAvailable:") memory.available_bytes = kib << 10;
  }
  for (const std::string& line : control_group_lines("memory.max")) {
    std::istringstream words(line);
    if (std::int64_t bytes = 0; words >> bytes) memory.limit_bytes = std::min(bytes, memory.limit_bytes.value_or(bytes));
  }
  return memory;
}

Disk disk_of(const std::string& path) {
  fs::path folder = fs::absolute(path).lexically_normal();
  std::error_code error;
  while (!fs::exists(folder, error) && folder != folder.parent_path()) folder = folder.parent_path();
  const fs::space_info space = fs::space(folder, error);
  if (error) throw Error(Code::kIo, fmt::format("cannot ask how full '{}' is: {}", folder.string(), error.message()));
  return {folder.string(), static_cast<std::int64_t>(space.capacity), static_cast<std::int64_t>(space.available)};
}

}  // namespace flowrun::run
