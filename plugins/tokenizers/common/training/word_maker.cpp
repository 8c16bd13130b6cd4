#include "word_maker.hpp"

#include <utility>

#include <flowrun/error.hpp>

#include "tokenizers/common/pipeline/components_file.hpp"

namespace flowrun::tokenizers {

WordMaker::WordMaker(const Json& normalizer, const Json& pre_tokenizer)
    : normalizer_(read_normalizer(normalizer, "normalizer")), pre_tokenizer_(read_pre_tokenizer(pre_tokenizer, "pre_tokenizer")) {}

Pieces WordMaker::words_of(std::string_view text) const {
  NormalizedString normalized(text);
  if (normalizer_) normalizer_->apply(normalized);
  Pieces pieces;
  if (normalized.empty()) return pieces;
  pieces.push_back({std::move(normalized)});
  if (pre_tokenizer_) pre_tokenizer_->apply(pieces);
  return pieces;
}

void make_words(WordCounter& counts, const std::function<Pieces(std::string_view)>& words_of, const std::function<void()>& interrupt) {
  constexpr std::size_t kTextsPerInterrupt = 4096;
  // Two counters at once would be twice the memory, so a large one goes to disk and is read from there.
  if (counts.memory_bytes() > counts.options().memory_bytes / 4) counts.release_memory();
  WordCounter words(counts.options());
  std::size_t texts = 0;
  counts.for_each([&](std::string_view text, std::uint64_t count) {
    if (texts++ % kTextsPerInterrupt == 0) interrupt();
    for (const Piece& word : words_of(text)) words.add(word.text.text(), count);
  });
  counts = std::move(words);
  if (counts.words() == 0) throw Error(Code::kInvalidArgument, "the input has no word to learn from");
}

}  // namespace flowrun::tokenizers
