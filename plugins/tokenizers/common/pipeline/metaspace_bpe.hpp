#pragma once

// The tokenizers of Llama 2, Mistral and Gemma: BPE over the characters of whole texts, whose spaces have become U+2581, with bytes for characters that are no
// tokens. Texts go through BpeEncoder, as those of byte-level tokenizers do: fallback_bytes.hpp makes bytes of the vocabulary, character_cuts.hpp says where a text may
// be cut. No pieces, no offsets, and U+2581 is the byte of a space.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "added_tokens.hpp"
#include "character_cuts.hpp"
#include "tokenizers/common/bpe_encoder.hpp"
#include "tokenizers/common/json_object.hpp"

namespace flowrun::tokenizers {

struct FallbackBytes;

/// Immutable: any number of threads, each with an encoder of its own.
class MetaspaceBpe {
 public:
  /// Returns null where the tokenizer.json is of another shape: another model, normalizer or pre-tokenizer, or a vocabulary that find_fallback_bytes has no model for.
  static std::shared_ptr<const MetaspaceBpe> make(const Json& root);

  /// Encodes for one thread at a time. Memory: the caches of BpeEncoder and a copy of the text.
  class Encoder {
   public:
    explicit Encoder(std::shared_ptr<const MetaspaceBpe> bpe);
    /// Appends the ids of `text` and returns true, or returns false where an added token that is not special may stand in it. Throws as BpeEncoder::encode.
    bool encode(std::string_view text, std::vector<std::uint32_t>& out);

   private:
    std::shared_ptr<const MetaspaceBpe> bpe_;
    bpe::BpeEncoder encoder_;
    std::string spaced_;  // the text as the model over bytes has it
  };

 private:
  enum class Prepend { kNever, kAlways, kUnlessSpace };
  struct Spaces {
    Prepend prepend;
    bool cut_before;  ///< each U+2581 begins a piece
  };
  MetaspaceBpe(Spaces spaces, const FallbackBytes& bytes, std::size_t vocab_size, const Json& root);
  static std::optional<Spaces> find_spaces(const Json& root);

  Prepend prepend_;
  std::shared_ptr<const bpe::Bpe> bpe_;
  std::shared_ptr<const bpe::SpeltIds> spelt_ids_;
  CharacterCuts cuts_;
  AddedTokens plain_added_;  // those that are not special, with spaces for U+2581, in the form in which they are looked for
};

}  // namespace flowrun::tokenizers
