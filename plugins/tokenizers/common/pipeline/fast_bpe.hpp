#pragma once

// The tokenizers that most models have, byte-level BPE behind a pre-tokenizer that is a scanner, go through BpeEncoder: no pieces, no offsets, no
// spelling of bytes as characters. Which texts may, is decided text by text.

#include <memory>
#include <string_view>

#include "added_tokens.hpp"
#include "tokenizers/common/bpe_encoder.hpp"
#include "tokenizers/common/json_object.hpp"
#include "tokenizers/common/unicode/normalization.hpp"

namespace flowrun::tokenizers {

/// Immutable: any number of threads, each with an encoder of its own.
class FastBpe {
 public:
  /// Returns null where the tokenizer.json is of another shape: another model, normalizer or pre-tokenizer, or a vocabulary with gaps.
  static std::shared_ptr<const FastBpe> make(const Json& root);

  std::unique_ptr<bpe::BpeEncoder> make_encoder() const { return std::make_unique<bpe::BpeEncoder>(bpe_, scanner_, whole_tokens_); }
  /// Returns whether the encoder gives the ids of `text`: it holds no added token that is not special, and normalizing changes nothing.
  bool fits(std::string_view text) const;

 private:
  std::shared_ptr<const bpe::Bpe> bpe_;
  BatchScanner scanner_ = nullptr;
  std::shared_ptr<const bpe::WholeTokens> whole_tokens_;
  std::optional<NormalForm> form_;
  AddedTokens plain_added_;  // those that are not special
};

}  // namespace flowrun::tokenizers
