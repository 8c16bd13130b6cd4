#pragma once

// Models of sentencepiece as tokenizer.json, so that ids are those of sentencepiece 0.2.3 (EncodeAsIds). As transformers' SpmConverter does it in the
// main, and closer to sentencepiece where the components of the library allow it:
// - spaces are put before, collapsed and replaced by the normalizer over the whole text, exactly as sentencepiece does;
// - user-defined symbols are no added tokens, around which the library would start afresh, but pieces: of Unigram with the score that sentencepiece gives
//   them, of BPE a Split that isolates them and `ignore_merges`;
// - text that spells a control symbol, the unknown piece or a byte piece is text: a Split cuts it where no piece goes across.
// What stays different: Precompiled replaces whole graphemes by the shortest match, sentencepiece the longest match wherever it is (a letter with several
// marks, CR LF, decomposed Hangul); Unigram adds scores as doubles, sentencepiece as floats, so that paths of nearly equal scores may differ. Decoded text
// keeps the U+2581 that a text itself began with, of which sentencepiece leaves out those at the beginning.

#include <string_view>

#include "tokenizer_text.hpp"

namespace flowrun::tokenizers {

/// Returns whether the content begins as such a file does: a message of protobuf whose first field is one of sentencepiece's.
bool is_sentencepiece_model(std::string_view content);

/// Converts the content of a `.model` file. Control symbols are special tokens.
///
/// Throws as read_sentencepiece_model, and kUnsupported, with the reason, for what a tokenizer.json cannot say: white space as a suffix, a denormalizer,
/// unused pieces, a piece spelled as a control symbol, user-defined symbols with a space or that the normalizer changes; of BPE also pieces of
/// several characters with equal scores, characters that are no piece within one, and user-defined symbols beside pieces that merges do not make.
TokenizerFiles sentencepiece_to_tokenizer(std::string_view content);

}  // namespace flowrun::tokenizers
