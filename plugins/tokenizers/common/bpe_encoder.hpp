#pragma once

// Text to ids: a pre-tokenizer, then BPE of each pre-token, with a cache of pre-tokens in between, since a few thousand of them make up most of
// any text.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bpe.hpp"
#include "gpt2_pretokenizer.hpp"
#include "pattern/scanners.hpp"
#include "pretoken_cache.hpp"
#include "spelt_ids.hpp"

namespace flowrun::bpe {

/// Tokens by their bytes, for models that take a pre-token which is a token as it is, whatever the merges (`ignore_merges`).
class WholeTokens {
 public:
  explicit WholeTokens(const BpeModel& model);
  std::optional<std::uint32_t> find(std::string_view bytes) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> ids_;
};

/// Encodes documents for one thread at a time; several encoders may share one Bpe.
///
/// All of the text is data: one that spells "<|endoftext|>" gives the ids of its letters, never the special token (as tiktoken's
/// `encode_ordinary`, Hugging Face tokenizers with `encode_special_tokens = True`, transformers with `split_special_tokens=True`; the default
/// of both would let a page of a crawl forge the end of its document). No special tokens are added. The ids depend on nothing but the text
/// and the model.
/// Memory: caches of 1.5 MiB, whatever the text; entries replace each other, so hostile text costs time per pre-token and nothing more.
class BpeEncoder {
 public:
  /// `whole_tokens` may be null.
  explicit BpeEncoder(std::shared_ptr<const Bpe> bpe, tokenizers::BatchScanner scanner = tokenizers::scan_one_by_one<gpt2_pretoken_end>,
                      std::shared_ptr<const WholeTokens> whole_tokens = nullptr);
  /// For a model with tokens that are spelt out.
  BpeEncoder(std::shared_ptr<const Bpe> bpe, std::shared_ptr<const SpeltIds> spelt_ids);

  /// Appends the ids of `text` to `out`. Throws kUnsupported for a pre-token of 4 GiB or more.
  void encode(std::string_view text, std::vector<std::uint32_t>& out);

  /// Does the same where `scan(text, begin, ends)` cuts the text as a BatchScanner does.
  template <class Scan>
  void encode_cut_by(const Scan& scan, std::string_view text, std::vector<std::uint32_t>& out);

 private:
  // Nearly all pre-tokens are short and have few ids: their cache is small enough for the second-level cache of a processor.
  using ShortCache = PretokenCache<2, 4, 14>;  // 1 MiB
  using LongCache = PretokenCache<4, 8, 12>;   // 512 KiB

  // Where the cache would have a pre-token that was found in the text and is not looked up yet.
  struct Place {
    ShortCache::Key key;
    ShortCache::Entry* set;  // null: too long for that cache
  };

  void find_places(std::string_view text, std::size_t begin, const std::size_t* ends, std::size_t count, Place* places) noexcept;
  const ShortCache::Entry* encode_missing(const Place& place, std::string_view pretoken);
  void encode_long(std::string_view pretoken, std::vector<std::uint32_t>& out);
  void encode_pretoken(std::string_view pretoken, std::vector<std::uint32_t>& out);
  void encode_other(std::string_view pretoken, std::vector<std::uint32_t>& out);

  std::shared_ptr<const Bpe> bpe_;
  tokenizers::BatchScanner scanner_;
  std::shared_ptr<const WholeTokens> whole_tokens_;
  std::shared_ptr<const SpeltIds> spelt_ids_;
  bool plain_;  // neither of the two: one question for each pre-token
  Bpe::Scratch scratch_;
  std::vector<std::uint32_t> missing_;  // the ids of a pre-token that no cache has
  ShortCache short_cache_;
  LongCache long_cache_;
};

template <class Scan>
void BpeEncoder::encode_cut_by(const Scan& scan, std::string_view text, std::vector<std::uint32_t>& out) {
  using tokenizers::kPretokensAtOnce;
  std::size_t ends[kPretokensAtOnce];
  Place places[kPretokensAtOnce];  // of all before the first is looked up, so that the cache's lines are on their way meanwhile
  std::uint32_t buffer[kPretokensAtOnce * std::size(ShortCache::Entry{}.ids)];
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t count = scan(text, begin, ends);
    find_places(text, begin, ends, count, places);
    // Cached ids are copied four at a time whatever their number, into a buffer that has room for it, and go to `out` together.
    std::size_t buffered = 0;
    for (std::size_t i = 0; i < count; begin = ends[i++]) {
      const auto* entry = places[i].set != nullptr ? ShortCache::look_up(places[i].key, places[i].set) : nullptr;
      if (entry == nullptr) entry = encode_missing(places[i], text.substr(begin, ends[i] - begin));
      if (entry != nullptr) {
        std::memcpy(buffer + buffered, entry->ids, sizeof entry->ids);
        buffered += entry->size();
        continue;
      }
      out.insert(out.end(), buffer, buffer + buffered);
      out.insert(out.end(), missing_.begin(), missing_.end());
      buffered = 0;
    }
    out.insert(out.end(), buffer, buffer + buffered);
  }
}

}  // namespace flowrun::bpe
