#include "wordpiece_trainer.hpp"

#include "alphabet.hpp"
#include "tokenizers/common/training/pair_merging.hpp"
#include "word_merging.hpp"

namespace flowrun::tokenizers {

std::vector<std::string> train_word_piece(WordCounter& words, const WordPieceTrainerOptions& options, const WordPieceProgress& progress) {
  words.settle();
  const WordPieceVocabulary initial(CharacterUses(words), options);
  const Spelling spelling = [&](std::string_view word, std::vector<std::uint32_t>& symbols) { initial.spell(word, symbols); };
  const PairMergingOptions merging{options.vocab_size, options.min_frequency, words.options().memory_bytes, words.options().folder, options.first_threshold};
  WordPieceVocabulary vocabulary = initial;
  const auto say = [&](std::size_t, std::uint64_t count) { progress(vocabulary.size(), count); };
  if (!merge_pairs(words, spelling, vocabulary, merging, say)) {
    vocabulary = initial;
    merge_words(words, spelling, vocabulary, merging, say);
  }
  return std::move(vocabulary).take();
}

}  // namespace flowrun::tokenizers
