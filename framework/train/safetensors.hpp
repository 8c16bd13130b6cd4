#pragma once

// Reads and writes safetensors files: eight bytes of header length (little-endian), a JSON header, then the tensors' bytes. Strict: every
// offset is checked with overflow in mind, the tensors must cover the data without gap or overlap, and no key may stand twice.
// Format: https://huggingface.co/docs/safetensors; the rules are those of the reference reader (safetensors 0.6, `SafeTensors::deserialize`).
// Sees no LibTorch.

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun::train::safetensors {

/// Longest header that is read or written, as in the reference reader.
inline constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

/// Where a tensor lies in the data that follows the header.
struct TensorInfo {
  std::string dtype;  ///< "F32", "BF16", "I64", ...
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;
  bool operator==(const TensorInfo&) const = default;
};

struct Header {
  std::map<std::string, TensorInfo> tensors;
  std::map<std::string, std::string> metadata;
  std::uint64_t data_offset = 0;  ///< of the first tensor's bytes in the file
};

/// Returns the bytes of one element, or 0 for a dtype that is not known.
std::uint64_t dtype_bytes(std::string_view dtype) noexcept;

/// Parses the first `head.size()` bytes of a file of `file_bytes`. Throws Error(kCorruptData) saying what was found and expected; `name` is
/// the file's.
Header parse_header(std::span<const std::byte> head, std::uint64_t file_bytes, const std::string& name);

/// A file, mapped into memory. The views it gives are valid as long as it lives.
class File {
 public:
  /// Throws Error(kNotFound, kIo or kCorruptData).
  explicit File(const std::string& path);
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();
  const Header& header() const noexcept { return header_; }
  /// Returns a tensor's bytes. Throws kNotFound for a name that the file does not have.
  std::span<const std::byte> bytes(const std::string& name) const;

 private:
  std::string path_;
  const std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
  Header header_;
};

/// A tensor to write: contiguous, little-endian, borrowed for the call.
struct TensorView {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

/// Writes `path` durably, tensors sorted by name. Throws Error(kIo), or kInvalidArgument for a name that stands twice or a size that is not
/// that of the shape.
void write_file(const std::string& path, std::vector<TensorView> tensors, const std::map<std::string, std::string>& metadata = {});

}  // namespace flowrun::train::safetensors
