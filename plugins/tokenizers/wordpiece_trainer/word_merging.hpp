#pragma once

// Training by merges as the library does it where a merge makes a token that stands in the words already ("#" and "###" make "##", "##" and "##b" make
// "##b" again): pairs are counted again after they were merged, and a pair stands in the queue more than once, each time with the words that were met then.
// `merge_pairs` gives the same where that does not happen, in less time and with bounded memory for pairs.

#include "tokenizers/common/training/pair_merging.hpp"

namespace flowrun::tokenizers {

/// Merges pairs in `words` until `vocabulary` is full or no pair occurs often enough.
///
/// Determinism: the merges depend on the words' counts alone. Memory: `memory_bytes` for the words and where pairs stand, and about 120 bytes for each pair
/// that is ever counted. Time: each merge reads the words that hold its pair. Throws as `merge_pairs`.
void merge_words(WordCounter& words, const Spelling& spelling, MergeVocabulary& vocabulary, const PairMergingOptions& options, const MergeProgress& progress);

}  // namespace flowrun::tokenizers
