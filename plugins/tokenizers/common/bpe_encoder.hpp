#pragma once

// Text to ids: the GPT-2 pre-tokenizer, then BPE of each pre-token, with a cache of pre-tokens in between, since a few thousand of them
// make up most of any text.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "bpe.hpp"
#include "short_key.hpp"

namespace flowrun::bpe {

/// Encodes documents for one thread at a time; several encoders may share one Bpe.
///
/// All of the text is data: one that spells "<|endoftext|>" gives the ids of its letters, never the special token (as tiktoken's
/// `encode_ordinary`, Hugging Face tokenizers with `encode_special_tokens = True`, transformers with `split_special_tokens=True`; the default
/// of both would let a page of a crawl forge the end of its document). No special tokens are added. The ids depend on nothing but the text
/// and the model.
/// Memory: a cache of 4 MiB, whatever the text; entries replace each other, so hostile text costs time per pre-token and nothing more.
class BpeEncoder {
 public:
  explicit BpeEncoder(std::shared_ptr<const Bpe> bpe);

  /// Appends the ids of `text` to `out`. Throws kUnsupported for a pre-token of 4 GiB or more.
  void encode(std::string_view text, std::vector<std::uint32_t>& out);

 private:
  static constexpr std::size_t kCachedIdsMax = 8;
  using Key = ShortKey<4>;

  // One cache line. The free bits of the key hold the number of ids less one; a key of all zeros is no pre-token's.
  struct alignas(64) Entry {
    Key key;
    std::uint32_t ids[kCachedIdsMax];
  };

  // A pre-token that was found in the text and is not encoded yet; `set` is where the cache would have it.
  struct Pending {
    Key key;
    std::string_view text;
    Entry* set;  // null: too long for the cache
  };

  std::size_t gather(std::string_view text, std::size_t& begin, Pending* pending) noexcept;
  static const Entry* look_up(const Pending& pretoken) noexcept;
  static void remember(const Pending& pretoken, const std::uint32_t* ids, std::size_t count) noexcept;

  std::shared_ptr<const Bpe> bpe_;
  Bpe::Scratch scratch_;
  std::vector<Entry> cache_;  // sets of two neighbours, the one used last first
};

}  // namespace flowrun::bpe
