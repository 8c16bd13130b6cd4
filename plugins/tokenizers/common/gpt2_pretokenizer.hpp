#pragma once

// The GPT-2 pre-tokenizer, which cuts text into the pieces that BPE never merges across:
//
//     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// as a hand-written scanner: one table look-up a byte for ASCII, one more for the rest. Checked against Hugging Face tokenizers 0.23.3
// (pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)) over every code point and random text of all of them.
// Source: Radford et al. 2019, github.com/openai/gpt-2, src/encoder.py.

#include <cstddef>
#include <string_view>

namespace flowrun::bpe {

/// Returns where the pre-token that begins at `begin` (below `text.size()`) ends; the next one begins there.
///
/// Every byte of `text` belongs to exactly one pre-token, and none is empty. Text should be UTF-8; a byte that is not part of valid UTF-8
/// counts as one character that is neither letter, number nor white space. Time linear in the length of the pre-token; any thread.
std::size_t gpt2_pretoken_end(std::string_view text, std::size_t begin) noexcept;

}  // namespace flowrun::bpe
