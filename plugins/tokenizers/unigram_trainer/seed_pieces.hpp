#pragma once

// The pieces that Unigram training begins with: every character, and the substrings of words that are worth most, frequency times length.
// A substring counts if it occurs twice and what follows it differs (an inner node of the suffix tree); a longer one stands for the others.
// Source: sentencepiece and Hugging Face tokenizers take them from an enhanced suffix array (esaxx). No piece is longer than `max_piece_length`, so what
// suffixes have behind one more character changes nothing: here they are cut there, and those that are equal then are counted as words are, in bounded memory.
// What neighbours in the order of their bytes share gives the nodes of the tree (Abouelhoda et al. 2004: an interval of suffixes is a node).

#include <cstddef>
#include <cstdint>
#include <functional>

#include "piece_list.hpp"
#include "tokenizers/common/training/character_counts.hpp"
#include "tokenizers/common/training/word_counter.hpp"

namespace flowrun::tokenizers {

/// Adds at most `seed_size` pieces to `pieces`, or all characters if there are more: characters by (count, code point), then substrings of 2 to
/// `max_piece_length` characters by (score, bytes), both descending. The count of a character is that in `characters`, those of `words`; the frequency of a
/// substring that in the distinct words, where each stands once, as in the library. A zero byte ends a word.
/// Memory: half of what `words` may take, or about 32 bytes for each of `seed_size` and a quarter where that is more. Disk, in the folder of `words`: the
/// distinct suffixes, cut as they are, with 16 bytes each, once for each run. `interrupt` is called now and then; it may throw to give up.
void add_seed_pieces(WordCounter& words, const CharacterCounts& characters, std::size_t max_piece_length, std::size_t seed_size,
                     const std::function<void()>& interrupt, PieceList& pieces);

}  // namespace flowrun::tokenizers
