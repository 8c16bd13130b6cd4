#pragma once

// Words for a trainer, made by the very components that will stand in its tokenizer.json, so that training and encoding cannot disagree. They keep offsets,
// which costs time; so a trainer counts what lies between spaces as it is, and makes words of each distinct part once.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "tokenizers/common/json_object.hpp"
#include "tokenizers/common/pipeline/normalizers.hpp"
#include "tokenizers/common/pipeline/pre_tokenizers.hpp"
#include "word_counter.hpp"

namespace flowrun::tokenizers {

/// Cuts text as a tokenizer does before its model sees it. Immutable: any number of threads.
class WordMaker {
 public:
  /// Takes "normalizer" and "pre_tokenizer" of a tokenizer.json; either may be null.
  WordMaker(const Json& normalizer, const Json& pre_tokenizer);

  /// Returns the words of `text` in order, none of them empty.
  Pieces words_of(std::string_view text) const;

 private:
  std::unique_ptr<const Normalizer> normalizer_;
  std::unique_ptr<const PreTokenizer> pre_tokenizer_;
};

/// Puts the words that `words_of` makes of the texts in `counts` in their place. Memory and runs: what `counts` may take, and a quarter beside it.
/// `interrupt` is called now and then; it may throw to give up. Throws kInvalidArgument where there is no word.
void make_words(WordCounter& counts, const std::function<Pieces(std::string_view)>& words_of, const std::function<void()>& interrupt);

}  // namespace flowrun::tokenizers
