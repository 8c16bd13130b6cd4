#include "word_maker.hpp"

#include <utility>

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

void replace_by_words(WordCounter& counts, const std::string& folder, const std::function<Pieces(std::string_view)>& words_of,
                      const std::function<void()>& interrupt) {
  constexpr std::size_t kTextsPerInterrupt = 4096;
  WordCounter words({counts.memory_bytes_max(), folder});
  std::size_t texts = 0;
  counts.for_each([&](std::string_view text, std::uint64_t count) {
    if (texts++ % kTextsPerInterrupt == 0) interrupt();
    for (const Piece& word : words_of(text)) words.add(word.text.text(), count);
  });
  counts = std::move(words);
}

}  // namespace flowrun::tokenizers
