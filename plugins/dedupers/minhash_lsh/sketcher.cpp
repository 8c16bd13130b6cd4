#include "sketcher.hpp"

#include <bit>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "permutations.hpp"
#include "simplified_text.hpp"

namespace flowrun::dedupers {
namespace {

constexpr std::uint64_t kKeyMask = ~((std::uint64_t{1} << 40) - 1);

template <class Hash>
void keys_of(std::span<const Hash> minima, std::span<BucketKey> out) {
  const std::size_t rows = minima.size() / out.size();
  for (std::size_t bucket = 0; bucket < out.size(); ++bucket) {
    const XXH128_hash_t hash = XXH3_128bits_withSeed(minima.data() + bucket * rows, rows * sizeof(Hash), bucket);
    out[bucket] = {hash.high64, hash.low64 & kKeyMask};
  }
}

/// datatrove 0.10.1: MinhashDedupSignature.get_shingles and get_signature.
class EqualSketcher final : public Sketcher {
 public:
  explicit EqualSketcher(const SketchOptions& options)
      : n_grams_(options.n_grams), hash_bits_(options.hash_bits), permutations_(options.seed, options.buckets * options.hashes_per_bucket, options.hash_bits) {}

  void signature(std::string_view text, Scratch& scratch, std::vector<std::uint64_t>& out) const override {
    out.clear();
    if (!sketch(text, scratch)) return;
    out = scratch.minima;
  }

  bool keys(std::string_view text, Scratch& scratch, std::span<BucketKey> out) const override {
    if (!sketch(text, scratch)) return false;
    keys_of<std::uint64_t>(scratch.minima, out);
    return true;
  }

 private:
  bool sketch(std::string_view text, Scratch& scratch) const {
    simplifier_.simplify(text, scratch.simplified);
    words_.split(scratch.simplified, scratch.words);
    hash_n_grams(scratch);
    if (scratch.hashes.empty()) return false;
    scratch.minima.resize(permutations_.count());
    permutations_.minima(scratch.hashes, scratch.minima);
    return true;
  }

  /// Hashes each run of words, joined by a space: as all of them are joined, each n-gram is a part of that.
  void hash_n_grams(Scratch& scratch) const {
    const auto& words = scratch.words.words;
    scratch.hashes.clear();
    if (words.size() < n_grams_) return;
    join(words, scratch);
    const std::size_t count = words.size() - n_grams_ + 1;
    scratch.hashes.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      const char* const begin = scratch.joined.data() + scratch.begins[i];
      const std::size_t size = scratch.begins[i + n_grams_] - 1 - scratch.begins[i];
      scratch.hashes[i] = hash_bits_ == 32 ? XXH32(begin, size, 0) : XXH64(begin, size, 0);
    }
  }

  static void join(const std::vector<std::string_view>& words, Scratch& scratch) {
    std::size_t bytes = 0;
    scratch.begins.resize(words.size() + 1);
    for (std::size_t i = 0; i < words.size(); ++i) {
      scratch.begins[i] = bytes;
      bytes += words[i].size() + 1;
    }
    scratch.begins.back() = bytes;
    scratch.joined.resize(bytes);
    char* to = scratch.joined.data();
    for (const std::string_view word : words) {
      to = word.copy(to, word.size()) + to;
      *to++ = ' ';
    }
  }

  std::size_t n_grams_;
  int hash_bits_;
  TextSimplifier simplifier_;
  text::EnglishWords words_;
  MersennePermutations permutations_;
};

/// For throughput: words are what stands between spaces of the simplified text, and each character from U+3000 on (Chinese, Japanese, ...) by itself; an n-gram's hash is a
/// rolling polynomial of its words' (Karp and Rabin 1987).
class FastSketcher final : public Sketcher {
 public:
  explicit FastSketcher(const SketchOptions& options) : n_grams_(options.n_grams), permutations_(options.seed, options.buckets * options.hashes_per_bucket) {
    for (std::size_t i = 0; i < n_grams_; ++i) highest_power_ *= kBase;
  }

  void signature(std::string_view text, Scratch& scratch, std::vector<std::uint64_t>& out) const override {
    out.clear();
    if (sketch(text, scratch)) out.assign(scratch.short_minima.begin(), scratch.short_minima.end());
  }

  bool keys(std::string_view text, Scratch& scratch, std::span<BucketKey> out) const override {
    if (!sketch(text, scratch)) return false;
    keys_of<std::uint32_t>(scratch.short_minima, out);
    return true;
  }

 private:
  static constexpr std::uint64_t kBase = 0x9E3779B97F4A7C15;  // odd: 2^64 divided by the golden ratio
  static constexpr std::uint64_t kEach = 0x0101010101010101;
  static constexpr unsigned char kWordByItself = 0xE3;  // the first byte of U+3000 and what is beyond

  bool sketch(std::string_view text, Scratch& scratch) const {
    simplifier_.simplify(text, scratch.simplified);
    hash_words(scratch.simplified, scratch.hashes);
    if (scratch.hashes.size() < n_grams_) return false;
    hash_n_grams(scratch.hashes, scratch.short_hashes);
    scratch.short_minima.resize(permutations_.count());
    permutations_.minima(scratch.short_hashes, scratch.short_minima);
    return true;
  }

  static void hash_words(std::string_view text, std::vector<std::uint64_t>& out) {
    out.clear();
    for (std::size_t at = 0; at < text.size();) {
      const auto first = static_cast<unsigned char>(text[at]);
      if (first == ' ') {
        ++at;
        continue;
      }
      const std::size_t end = first >= kWordByItself ? at + (first >= 0xF0 ? 4 : 3) : word_end(text, at);
      out.push_back(hash_word(text.data() + at, text.data() + end));
      at = end;
    }
  }

  /// Returns where a word ends: at a space, or before a character that is a word by itself.
  static std::size_t word_end(std::string_view text, std::size_t at) noexcept {
    const char* const end = text.data() + text.size();
    for (;;) {
      const std::uint64_t bytes = eight_from(text.data() + at, end), no_spaces = bytes ^ kEach * ' ';
      const std::uint64_t stops = (((no_spaces - kEach) & ~no_spaces) | bytes) & kEach * 0x80;  // spaces and bytes beyond ASCII; the lowest is exact
      at += static_cast<std::size_t>(std::countr_zero(stops)) / 8;
      if (at >= text.size()) return text.size();
      if (stops == 0) continue;
      const auto byte = static_cast<unsigned char>(text[at]);
      if (byte == ' ' || byte >= kWordByItself) return at;
      at += byte >= 0xE0 ? 3 : 2;
      if (at >= text.size()) return text.size();
    }
  }

  /// Eight bytes, with zeros behind the end.
  static std::uint64_t eight_from(const char* from, const char* end) noexcept {
    std::uint64_t bytes = 0;
    if (end - from >= 8) std::memcpy(&bytes, from, 8);
    else std::memcpy(&bytes, from, static_cast<std::size_t>(end - from));
    return bytes;
  }

  /// Words hold no zeros, so that padding makes no two of them the same.
  static std::uint64_t hash_word(const char* from, const char* end) noexcept {
    std::uint64_t hash = kBase;
    for (; end - from > 8; from += 8) hash = mixed(hash ^ eight_from(from, end));
    return mixed(hash ^ eight_from(from, end));
  }

  void hash_n_grams(const std::vector<std::uint64_t>& words, std::vector<std::uint32_t>& out) const {
    out.resize(words.size() - n_grams_ + 1);
    std::uint64_t rolling = 0;
    for (std::size_t i = 0; i < n_grams_; ++i) rolling = rolling * kBase + words[i];
    out[0] = finish(rolling);
    for (std::size_t i = 1; i < out.size(); ++i) {
      const std::uint64_t change = words[i + n_grams_ - 1] - words[i - 1] * highest_power_;
      rolling = rolling * kBase + change;
      out[i] = finish(rolling);
    }
  }

  static std::uint64_t mixed(std::uint64_t x) noexcept {
    x *= 0xFF51AFD7ED558CCD;
    return x ^ (x >> 32);
  }
  /// The last steps of MurmurHash3 (Appleby): every bit of the sum changes half of those that are kept.
  static std::uint32_t finish(std::uint64_t x) noexcept {
    x = (x ^ (x >> 33)) * 0xFF51AFD7ED558CCD;
    x = (x ^ (x >> 33)) * 0xC4CEB9FE1A85EC53;
    return static_cast<std::uint32_t>(x >> 32);
  }

  std::size_t n_grams_;
  TextSimplifier simplifier_;
  FastPermutations permutations_;
  std::uint64_t highest_power_ = 1;  ///< of the word that leaves the n-gram
};

}  // namespace

std::unique_ptr<Sketcher> Sketcher::make(const SketchOptions& options) {
  if (options.fast) return std::make_unique<FastSketcher>(options);
  return std::make_unique<EqualSketcher>(options);
}

}  // namespace flowrun::dedupers
