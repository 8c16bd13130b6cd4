#pragma once

// A tokenizer whose tokens know where in the document they stand: what counting words in pieces needs beside ids.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizers/common/pipeline/fast_bpe.hpp"
#include "tokenizers/common/pipeline/tokenizer.hpp"
#include "vocabulary_texts.hpp"

namespace flowrun::tokenizers {

/// The tokens of a document; the lists are equally long.
struct MeasuredTokens {
  std::vector<std::uint32_t> ids;
  std::vector<Range> ranges;  ///< of the document; empty for tokens that come from nowhere
  bool in_bytes = false;      ///< whether ranges count bytes; else characters (code points)
};

/// Encodes as DocumentTokenizer does, with any model: all text is data, nothing is added or cut off. One thread at a time.
class MeasuredTokenizer {
 public:
  /// Loads a tokenizer.json. Throws as load_tokenizer and read_vocabulary_texts.
  explicit MeasuredTokenizer(const std::string& path);

  /// Throws kInvalidArgument for text that the model has no token for.
  void encode(std::string_view text, MeasuredTokens& out);

  const VocabularyTexts& vocabulary() const noexcept { return vocabulary_; }
  const std::string& model_type() const noexcept { return tokenizer_->model_type(); }

 private:
  bool encode_fast(std::string_view text, MeasuredTokens& out);

  std::unique_ptr<const Tokenizer> tokenizer_;
  VocabularyTexts vocabulary_;
  std::shared_ptr<const FastBpe> fast_;  // null: no document goes that way
  std::unique_ptr<bpe::BpeEncoder> fast_encoder_;
};

}  // namespace flowrun::tokenizers
