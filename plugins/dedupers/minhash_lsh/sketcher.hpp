#pragma once

// From a text to the keys under which it stands in the buckets of locality-sensitive hashing (LSH; Indyk and Motwani 1998): the MinHash signature of its word n-grams, cut
// into `buckets` runs of `hashes_per_bucket` values each. Two texts are candidates where they share the key of any bucket: with Jaccard similarity s, at a probability of
// 1 - (1 - s^hashes_per_bucket)^buckets.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/text/english/words.hpp"

namespace flowrun::dedupers {

struct SketchOptions {
  bool fast = false;
  std::size_t n_grams = 5;
  std::size_t buckets = 14;
  std::size_t hashes_per_bucket = 8;
  std::uint32_t seed = 1;
  int hash_bits = 64;  ///< of mode "equal": 64 or 32
};

/// A bucket and what its hashes are, in 88 bits: two different runs of n documents have the same with a probability of n^2 / 2^89, 10^-9 for 10^9 documents.
struct BucketKey {
  std::uint64_t high;
  std::uint64_t low;  ///< the lowest 40 bits are zero: room for a document
  bool operator==(const BucketKey&) const = default;
};

/// Sketches texts of valid UTF-8. Safe to call from many threads at once, each with a Scratch of its own.
class Sketcher {
 public:
  /// What is used again from text to text.
  struct Scratch {
    std::string simplified, joined;
    text::WordList words;
    std::vector<std::size_t> begins;
    std::vector<std::uint64_t> hashes;
    std::vector<std::uint32_t> short_hashes;
    std::vector<std::uint64_t> minima;
    std::vector<std::uint32_t> short_minima;
  };

  static std::unique_ptr<Sketcher> make(const SketchOptions& options);
  virtual ~Sketcher() = default;

  /// Writes buckets x hashes_per_bucket minima, or nothing where the text has fewer words than an n-gram, to `out`.
  virtual void signature(std::string_view text, Scratch& scratch, std::vector<std::uint64_t>& out) const = 0;
  /// Writes a key for each bucket to `out`; returns false, with nothing written, where the text has fewer words than an n-gram.
  virtual bool keys(std::string_view text, Scratch& scratch, std::span<BucketKey> out) const = 0;
};

}  // namespace flowrun::dedupers
