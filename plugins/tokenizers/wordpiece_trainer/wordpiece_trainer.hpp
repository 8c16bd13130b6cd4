#pragma once

// WordPiece training as Hugging Face tokenizers' WordPieceTrainer does it: BPE over the characters of words, those behind the first with a
// prefix ("##"), of which only the vocabulary is kept.
//
// Ids: special tokens; the alphabet by code point; its characters behind a first one, with the prefix; then what each merge makes that is not
// there yet. Of equal counts the pair with the smallest ids (left, then right) is merged first. Pairs are counted as windows ("aaa" has "aa"
// twice), and a merge joins them from left to right.
//
// The library is not deterministic in three places, where it goes by the order of a hash that is seeded anew each time. Here:
// - pieces with the prefix or suffix get ids as they are met, word by word, the words in byte order. Ties of later merges go by these ids, so
//   the library's vocabularies differ from run to run, unless all such pieces are special tokens;
// - of characters of equal count, `limit_alphabet` drops the largest code points;
// - where a merge makes a token that is there already, a pair may be queued twice, each time with the words that were met then. Of two entries with
//   one count the library takes the one that its heap of eight children a node happens to have nearer to the top, which hangs on all pairs
//   queued before and so on the hash again; here the one that got into the queue with that count first. Only a prefix of characters that the
//   text has brings this about: of 4,000 random trainings on words of two or three letters, 58 have such a tie that shows. In 51 this is what some
//   of sixteen runs of the library give, in 7 it is not, but taking such entries in another order gives what they do.
// The first two are orders that the library may take.
// Equal to version 0.23.3 otherwise (testdata). Differs: counts have 64 bits, theirs 32 signed ones.
//
// Merges are those of tokenizers/common/training/pair_merging.hpp, until one makes a token that stands in the words already, which takes a prefix of
// characters that the text has or a text that was not cut at punctuation: then all begins again with word_merging.hpp.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tokenizers/common/training/word_counter.hpp"

namespace flowrun::tokenizers {

/// What `train_word_piece` aims at; the names are the library's.
struct WordPieceTrainerOptions {
  std::size_t vocab_size = 30'000;  ///< special tokens and alphabet included; they are kept even where they alone are more
  std::uint64_t min_frequency = 0;  ///< training ends at the first pair that occurs less often; 0 and 1 mean any pair
  std::vector<std::string> specials;
  std::optional<std::size_t> limit_alphabet;  ///< keeps so many characters, the most frequent; the others are left out of their words
  std::u32string initial_alphabet;            ///< is in the alphabet whether it occurs or not; the last that a limit drops
  std::string continuing_subword_prefix = "##";
  std::string end_of_word_suffix;
  std::uint64_t first_threshold = 0;  ///< as in PairMergingOptions; changes time and memory, never the vocabulary
};

/// Called every 100 merges and at the end with the number of tokens and how often the last pair occurs, 0 where there is none; it may throw to give up.
using WordPieceProgress = std::function<void(std::size_t tokens, std::uint64_t count)>;

/// Returns the vocabulary, by id, of words that are UTF-8.
///
/// The result depends on the counts of `words` alone. Memory: what `words` may take for what grows with the distinct words, and about 300 bytes a token of the
/// vocabulary; where a merge makes a token again, see `merge_words`. Disk, where that is not enough, in the folder of `words`: about 30 bytes per character of distinct words.
/// Throws kCorruptData for a word that is not UTF-8, kInvalidArgument for a surrogate or a number above U+10FFFF in `initial_alphabet`,
/// kUnsupported where the characters of all words, repetitions counted, are 2^63 or more, or as `merge_pairs`, and kIo where the disk is full.
std::vector<std::string> train_word_piece(WordCounter& words, const WordPieceTrainerOptions& options,
                                          const WordPieceProgress& progress = [](std::size_t, std::uint64_t) {});

}  // namespace flowrun::tokenizers
