#pragma once

// Unigram training: start from many pieces, estimate their probabilities by expectation maximization over all ways to cut the words, drop those
// whose loss hurts the likelihood of the text least, and so on until the vocabulary has its size.
//
// Source: Kudo 2018, arXiv:1804.10959; the steps, constants and order are those of UnigramTrainer of Hugging Face tokenizers 0.23.3, and so are the
// pieces (testdata/trained.json). Its own result changes a little from run to run, as it sums and breaks ties in the order of a hash map. Ties here:
// - words are taken in the order of their bytes, so every sum has one order;
// - pieces of equal loss keep the order of the step before, and seeds stand in the order of `add_seed_pieces`;
// - characters that are no piece any more get the smallest score, 0.0001 apart, in the order of their code points;
// - final pieces of equal score: characters first, by code point, then the others in the order of the last step.
// Differs: counts have 64 bits; a vocabulary that cannot hold every character beside the special tokens is refused, not exceeded; a piece that
// is also a special token is left out, so no piece is there twice.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "seed_pieces.hpp"
#include "tokenizers/common/unigram/unigram.hpp"

namespace flowrun::tokenizers {

struct UnigramTrainerOptions {
  std::uint32_t vocab_size = 8000;          ///< special tokens included
  std::uint32_t n_sub_iterations = 2;       ///< steps of expectation maximization before pieces are dropped, at least 1
  double shrinking_factor = 0.75;           ///< what stays each time, above 0 and below 1
  std::vector<std::string> special_tokens;  ///< get the ids from 0, with score 0
  std::vector<char32_t> initial_alphabet;   ///< characters that are pieces whether they occur or not
  std::optional<std::string> unk_token;     ///< becomes `unk_id`; goes before the special tokens if it is none of them
  std::size_t max_piece_length = 16;        ///< characters, at least 1
  std::size_t seed_size = 1'000'000;
};

/// Called before and after each time that pieces are dropped, with how many there are and how many are aimed at; it may throw to give up.
using UnigramProgress = std::function<void(std::size_t pieces, std::size_t aim)>;

/// Learns a vocabulary from words (UTF-8) and their counts.
///
/// Determinism: the result depends on the words and counts alone. One thread.
/// Memory: a quarter of what `words` may take for the words, which are on disk beyond that; about 80 bytes per seed; see `add_seed_pieces` for the seeds
/// themselves. Disk, in the folder of `words`: the distinct words, 16 bytes more for each, and what `add_seed_pieces` needs.
/// `interrupt` is called now and then, at least every 4,096 words; it may throw to give up.
/// Throws kInvalidArgument for options out of range, for words that are not UTF-8 and where the characters do not fit into `vocab_size`, kIo where the disk
/// is full. The vocabulary is smaller where the words have not enough pieces.
UnigramVocabulary train_unigram(WordCounter& words, const UnigramTrainerOptions& options, const std::function<void()>& interrupt = [] {},
                                const UnigramProgress& progress = [](std::size_t, std::size_t) {});

}  // namespace flowrun::tokenizers
