#pragma once

// What flowrun finds of the machine that it runs on.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace flowrun::run {

/// Returns the CPU's name; "?" where the system does not say.
std::string cpu_model();

/// Returns which of the instruction sets that the kernels know the CPU has, by the names of /proc/cpuinfo ("avx2", "amx_bf16").
std::vector<std::string> cpu_features();

/// Returns how many threads this process may run at once: cores that its affinity and its control group allow, at least 1.
int usable_threads();

struct Memory {
  std::int64_t total_bytes = 0, available_bytes = 0;
  std::optional<std::int64_t> limit_bytes;  ///< of the control group; nothing: none
};
Memory memory();

/// A file system, asked through a folder on it.
struct Disk {
  std::string folder;  ///< the nearest one that exists
  std::int64_t total_bytes = 0, free_bytes = 0;
};
/// Throws Error(kIo).
Disk disk_of(const std::string& path);

}  // namespace flowrun::run
