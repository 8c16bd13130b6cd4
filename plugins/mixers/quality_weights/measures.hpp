#pragma once

// What is measured of a domain's documents in bounded memory: how far they compress, and how many of them, and of their lines, are copies. Both go by
// hashes alone, so the order of the documents changes nothing.

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace flowrun::mixers {

/// Keeps the documents of the smallest hashes, as many as `sample_bytes` hold, and compresses them together: long ones are cut at kDocumentBytesMax.
class CompressionSample {
 public:
  static constexpr std::size_t kDocumentBytesMax = std::size_t{1} << 16;

  explicit CompressionSample(std::size_t sample_bytes) : sample_bytes_(sample_bytes) {}
  void add(std::string_view id, std::string_view text);

  struct Result {
    std::int64_t bytes = 0, compressed_bytes = 0;
    /// Returns compressed bytes per byte; 1 where there is no text.
    double ratio() const noexcept { return bytes == 0 ? 1 : static_cast<double>(compressed_bytes) / static_cast<double>(bytes); }
  };
  /// Compresses with zstd at level 3, in the order of the hashes. Throws kInternal where zstd fails.
  Result compress() const;

 private:
  std::size_t sample_bytes_, bytes_ = 0;
  std::uint64_t limit_ = UINT64_MAX;                           ///< the smallest hash that had to go; larger ones need not come
  std::set<std::pair<std::uint64_t, std::string>> documents_;  ///< by hash of the id, then text
};

/// Estimates which share of texts repeats an earlier one. It counts the texts whose hash begins with so many zero bits that at most `hashes_max`
/// different ones are left (Wegman's adaptive sampling; Flajolet 1990), and is exact as long as all fit.
/// Memory: about 40 bytes a hash. The standard error of a share p is below sqrt(p (1 - p) / hashes).
class DuplicateShare {
 public:
  explicit DuplicateShare(std::size_t hashes_max) : hashes_max_(hashes_max) {}
  void add(std::string_view text);
  /// Returns copies per text in [0, 1); 0 where there is none.
  double share() const noexcept;
  /// Returns whether all texts have been counted.
  bool is_exact() const noexcept { return zero_bits_ == 0; }

 private:
  bool is_sampled(std::uint64_t hash) const noexcept { return zero_bits_ == 0 || hash >> (64 - zero_bits_) == 0; }

  std::size_t hashes_max_;
  int zero_bits_ = 0;
  std::unordered_map<std::uint64_t, std::int64_t> counts_;
};

}  // namespace flowrun::mixers
