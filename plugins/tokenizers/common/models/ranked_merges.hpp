#pragma once

// BPE by ranks of tokens as merges of pairs. By ranks: neighbours whose text together is a token are joined, those of the lowest rank first, of these
// the leftmost, however the token is cut; tiktoken's files mean that, and sentencepiece's, whose ranks are scores. By pairs: what tokenizer.json has.
//
// The two are equal, for a token has at most one pair. Where parts x and y of a token stand side by side, the borders around them were there all along,
// so what happened between these borders is what happens to the token's text alone; and that goes through at most one state of two parts. The pair
// is that state. A token whose text alone never comes down to two parts occurs only as a whole text. (Most are made of smaller ranks, as a trainer gives
// them; of the tokens of Llama 3, which were added to another vocabulary, 90 are made of larger ones or by way of these, 588 of none.)
// Checked against the definition on random ranks, and against tiktoken and sentencepiece (bench/peers/compare_formats.py).

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tokenizers/common/bpe_model.hpp"

namespace flowrun::tokenizers {

struct RankedToken {
  std::string_view text;
  std::uint32_t id;
};

struct RankedMerges {
  std::vector<bpe::BpeMerge> merges;      ///< by rank; ids as in the tokens
  std::vector<std::uint32_t> whole_only;  ///< ids of tokens that no merge makes, by rank
};

/// Returns how many bytes the atom at `begin` has: what joining starts from, a byte or a character.
using AtomBytes = std::size_t (*)(std::string_view text, std::size_t begin) noexcept;

/// Finds the merges of `tokens`, which are in the order of rank, distinct and not empty.
///
/// Time: n log n in the bytes of all tokens, and the square of the length of a token that smaller ranks do not make.
/// Throws kUnsupported, with the id, where an atom of a token is not a token, and for a token of more than 1,024 atoms that smaller ranks do not make.
RankedMerges find_ranked_merges(const std::vector<RankedToken>& tokens, AtomBytes atom_bytes);

}  // namespace flowrun::tokenizers
