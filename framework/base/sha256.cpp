#include "base/sha256.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include <fmt/format.h>
#include <openssl/evp.h>

#include <flowrun/error.hpp>

namespace flowrun {

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr || EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), EVP_sha256(), nullptr) != 1)
    throw Error(Code::kInternal, "SHA-256 is not available in libcrypto");
}

Sha256::~Sha256() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }

void Sha256::update(const void* data, std::size_t bytes) {
  if (EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), data, bytes) != 1) throw Error(Code::kInternal, "SHA-256 failed");
}

std::string Sha256::hex() {
  unsigned char digest[32];
  unsigned int length = 0;
  if (EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), digest, &length) != 1 || length != sizeof digest) throw Error(Code::kInternal, "SHA-256 failed");
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) (text += kHex[byte >> 4]) += kHex[byte & 15];
  return text;
}

std::string sha256_hex(std::string_view text) {
  Sha256 hash;
  hash.update(text);
  return hash.hex();
}

std::string sha256_file(const std::string& path, const std::function<void()>& between) {
  struct Descriptor {
    int number;
    ~Descriptor() {
      if (number >= 0) ::close(number);
    }
  } const file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.number < 0) throw Error(errno == ENOENT ? Code::kNotFound : Code::kIo, fmt::format("cannot open '{}': {}", path, std::strerror(errno)));
  Sha256 hash;
  std::vector<char> buffer(std::size_t{1} << 20);
  for (;;) {
    const ssize_t got = ::read(file.number, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error(Code::kIo, fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
    if (got == 0) break;
    hash.update(buffer.data(), static_cast<std::size_t>(got));
    if (between) between();
  }
  return hash.hex();
}

}  // namespace flowrun
