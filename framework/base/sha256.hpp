#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace flowrun {

/// SHA-256, incrementally (OpenSSL's).
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(const void* data, std::size_t bytes);
  void update(std::string_view text) { update(text.data(), text.size()); }
  /// Returns 64 lower-case hex digits; call once.
  std::string hex();

 private:
  void* context_;
};

/// Returns the SHA-256 of `text` in hex.
std::string sha256_hex(std::string_view text);

/// Returns the SHA-256 of a file in hex. Throws Error(kNotFound) or kIo. `between` is called now and then while it reads, and may throw.
std::string sha256_file(const std::string& path, const std::function<void()>& between = {});

}  // namespace flowrun
