#pragma once

// BPE over characters with byte_fallback (Llama 2, Mistral, Gemma) as BPE over bytes, so that the byte-level encoder serves it: before all other merges stand those
// that make each character of the vocabulary of its bytes, from left to right. UTF-8 tells where a character begins, so these merges take place wherever such a
// character stands and nowhere else, and then the others find the characters that they join. The bytes of any other character stay, or come as beginnings of a
// character, as far as one of the vocabulary begins with the same bytes: beginnings have ids above those of the vocabulary, and are spelt out as bytes again.

#include <optional>
#include <string_view>

#include "general_bpe.hpp"
#include "tokenizers/common/bpe_model.hpp"
#include "tokenizers/common/spelt_ids.hpp"

namespace flowrun::tokenizers {

struct FallbackBytes {
  bpe::BpeModel model;  ///< tokens by their bytes, `space` as U+0020; tokens that no text gives are empty
  bpe::SpeltIds spelt;  ///< beginnings of characters, by the tokens of their bytes
};

/// Returns the model over bytes that gives the ids that `bpe` gives to a text in which every U+0020 has become `space`, and that has U+0020 for every `space`.
///
/// Returns nothing where `bpe` has no effective_merges, no token for `space`, or gaps in its ids. Time and memory: about those of `bpe` itself.
std::optional<FallbackBytes> find_fallback_bytes(const GeneralBpe& bpe, std::string_view space);

}  // namespace flowrun::tokenizers
