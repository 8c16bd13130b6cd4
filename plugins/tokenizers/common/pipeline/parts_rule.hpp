#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "tokenizers/common/json_object.hpp"

namespace flowrun::tokenizers {

/// Says where a text may be cut so that the ids of its parts, each encoded as a text of its own, are the ids of the text.
struct PartsRule {
  enum class Cut {
    kAtWhiteSpace,  ///< at spaces, line feeds, tabs and returns, which belong to no part
    kAtSpaces,      ///< at a space, which belongs to no part: the normalizer puts one before every text
    kBeforeSpaces,  ///< before a space, which begins the next part
  };
  Cut cut;
  /// The characters that a cut may follow, by code point; empty: all but the space and U+2581. With kAtWhiteSpace nothing is asked.
  std::vector<bool> cut_follows = {};
  bool breaks = false;  ///< a line feed is cut at as a space is, since the tokenizer makes a space of it or drops both

  /// Returns whether a space may stand for `c`.
  bool is_space(char c) const noexcept { return c == ' ' || (breaks && c == '\n'); }
  /// Returns whether the text may be cut at or before the space at `at`, which is not its first byte.
  bool allows(std::string_view text, std::size_t at) const noexcept;
};

/// Returns the rule for the tokenizer of a file, nothing where its ids may depend on more than such parts.
///
/// 1. BERT's tokenizers and others that drop white space before all else: kAtWhiteSpace.
/// 2. Metaspace that cuts before each U+2581, which spaces have become by then: kBeforeSpaces. Whatever the model, its pieces are independent. The normalizer must see
///    nothing across the cut, which is asked of it character by character.
/// 3. BPE of whole texts (like Llama 2's, where MetaspaceBpe does not serve): where no merge gives a token that has U+2581 behind some character, no merge joins an U+2581 to what ends with that character. So
///    the merges on either side of such a place are those of the two parts alone, in the same order. kAtSpaces or kBeforeSpaces. In published vocabularies, which
///    sentencepiece trains word by word, that is so for all characters.
std::optional<PartsRule> find_parts_rule(const Json& root);

}  // namespace flowrun::tokenizers
