#pragma once

// The pieces that Unigram training begins with: every character, and the substrings of words that are worth most, frequency times length.
// A substring counts if it occurs twice and what follows it differs (an inner node of the suffix tree); a longer one stands for the others.
// Source: sentencepiece and Hugging Face tokenizers take them from an enhanced suffix array (esaxx). Here: libdivsufsort over the bytes, then what
// neighbours share in characters (Abouelhoda et al. 2004: an interval of suffixes is a node of the tree).

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tokenizers/common/training/word_list.hpp"

namespace flowrun::tokenizers {

struct ScoredPiece {
  std::string piece;
  double score;  ///< natural logarithm of a probability
};

/// Returns at most `seed_size` pieces, or all characters if there are more: characters by (count, code point), then substrings of 2 to
/// `max_piece_length` characters by (score, bytes), both descending. The count of a character is that in the text, the frequency of a substring
/// that in the list of words, where each stands once, as in the library. A zero byte ends a word.
/// Memory: 4 bytes per byte of `words.text()`, and 32 per piece of `seed_size`. Throws kUnsupported if that text has 2 GiB.
std::vector<ScoredPiece> make_seed_pieces(const WordList& words, std::size_t max_piece_length, std::size_t seed_size);

}  // namespace flowrun::tokenizers
