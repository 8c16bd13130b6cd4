#pragma once

// The pieces that Unigram training begins with: every character, and the substrings of words that are worth most, frequency times length.
// A substring counts if it occurs twice and what follows it differs (an inner node of the suffix tree); a longer one stands for the others.
// Source: sentencepiece and Hugging Face tokenizers take them from an enhanced suffix array (esaxx). Here: libdivsufsort over the bytes, then
// longest common prefixes in characters (Kasai et al. 2001).

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace flowrun::tokenizers {

/// A pre-token and how often it occurs.
struct WordCount {
  std::string word;
  std::uint64_t count = 0;
};

struct ScoredPiece {
  std::string piece;
  double score;  ///< natural logarithm of a probability
};

/// Returns at most `seed_size` pieces, or all characters if there are more: characters by (count, code point), then substrings of 2 to
/// `max_piece_length` characters by (score, bytes), both descending. The count of a character is that in the text, the frequency of a substring
/// that in the list of words, where each stands once, as in the library. A zero byte ends a word.
/// Memory: 9 bytes per byte of words, and 16 per substring found. Throws kUnsupported if the words have 2 GiB together.
std::vector<ScoredPiece> make_seed_pieces(std::span<const WordCount> words, std::size_t max_piece_length, std::size_t seed_size);

}  // namespace flowrun::tokenizers
