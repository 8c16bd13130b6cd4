#pragma once

// What the ids of a tokenizer stand for, in bytes of text: what a report says of a vocabulary and of the tokens that a text gives.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizers/common/json_object.hpp"
#include "tokenizers/common/pipeline/tokenizer.hpp"

namespace flowrun::tokenizers {

/// One id. Its text is not as the file spells it but what it stands for in a document: the bytes of a byte-level spelling ("Ġthe" is " the"), a space for
/// Metaspace's character, the byte of "<0x41>" under byte fallback, nothing for the prefix of a continuing subword or the suffix that ends a word.
struct TokenText {
  std::string text;
  bool exists = false;  ///< false for an id that no token has
  bool special = false;
  bool single_byte = false;        ///< stands for one byte
  bool partial_character = false;  ///< is not UTF-8 by itself: begins or ends inside a character
};

/// A vocabulary by id, special and other added tokens included.
struct VocabularyTexts {
  std::vector<TokenText> tokens;
  std::optional<std::uint32_t> unknown_id;
  std::size_t size = 0;     ///< ids that are a token's
  std::size_t special = 0;  ///< of them
};

/// Reads the vocabulary of a tokenizer that `build_tokenizer` has made of `root`. Throws kUnsupported for ids from 2^24 on: everything that is counted by
/// id would take memory for the gaps between them.
VocabularyTexts read_vocabulary_texts(const Json& root, const Tokenizer& tokenizer);

/// Returns `text` as ASCII or printable characters: the rest, and what is not UTF-8, as "\n", "\xE6", "\u{200B}"; a backslash as "\\". Cut after
/// `characters_max` characters, which "..." then says.
std::string printable(std::string_view text, std::size_t characters_max = 80);

}  // namespace flowrun::tokenizers
