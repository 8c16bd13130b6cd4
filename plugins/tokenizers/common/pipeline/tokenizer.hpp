#pragma once

// A whole tokenizer, as a tokenizer.json describes it: added tokens, normalizer, pre-tokenizer, model, post-processor, decoder. Text to tokens with
// offsets, and back. Equal to Hugging Face tokenizers 0.23.3; what is hot (byte-level BPE of a whole corpus) goes through BpeEncoder instead.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "added_tokens.hpp"
#include "decoders.hpp"
#include "encoding.hpp"
#include "normalizers.hpp"
#include "post_processors.hpp"
#include "pre_tokenizers.hpp"
#include "tokenizers/common/models/model.hpp"

namespace flowrun::tokenizers {

struct Truncation {
  std::size_t max_length = 0;  ///< tokens, those of the post-processor included
  bool left = false;           ///< cuts at the beginning
};

struct Padding {
  std::optional<std::size_t> fixed_length;  ///< none: to the longest of a batch, which for one text is itself
  std::size_t multiple_of = 0;
  bool left = false;
  std::uint32_t id = 0, type_id = 0;
  std::string token;
};

/// What a tokenizer is made of; all but the model may be missing.
struct TokenizerParts {
  std::string model_type;  ///< "BPE", "WordPiece", "Unigram", "WordLevel"
  std::unique_ptr<Normalizer> normalizer;
  std::unique_ptr<PreTokenizer> pre_tokenizer;
  std::unique_ptr<Model> model;
  std::unique_ptr<PostProcessor> post_processor;
  std::unique_ptr<Decoder> decoder;
  std::vector<AddedToken> added_tokens;
  std::optional<Truncation> truncation;
  std::optional<Padding> padding;
};

struct EncodeOptions {
  bool add_special_tokens = true;  ///< those of the post-processor
  bool split_special = false;      ///< text that spells a special token is text like any other
  bool limit = true;               ///< truncation and padding as the file says
  bool offsets = true;             ///< false leaves them out of account, which is faster
};

/// Immutable: any number of threads.
class Tokenizer {
 public:
  explicit Tokenizer(TokenizerParts parts);

  /// Throws kInvalidArgument for text that the model has no token for, not even an unknown one (a Unigram without unk_id).
  Encoding encode(std::string_view text, const EncodeOptions& options = {}) const;
  /// What `append_ids` keeps between calls, for one thread at a time.
  struct Work {
    std::unique_ptr<Scratch> scratch;
    std::vector<Token> tokens;
  };
  /// Appends the ids of a text in which all is data, as they are before the post-processor. Throws as `encode`.
  void append_ids(std::string_view text, Work& work, std::vector<std::uint32_t>& out) const;
  /// Returns the text of `ids`; those that are no token's give nothing, as in the library.
  std::string decode(std::span<const std::uint32_t> ids, bool skip_special_tokens) const;

  std::optional<std::uint32_t> token_to_id(std::string_view token) const;
  std::optional<std::string_view> id_to_token(std::uint32_t id) const;
  /// Returns one more than the largest id, at least the number of tokens.
  std::size_t vocab_size() const noexcept { return vocab_size_; }
  const std::string& model_type() const noexcept { return parts_.model_type; }

 private:
  void tokenize(const Pieces& pieces, Encoding& encoding) const;  // offsets in bytes
  void truncate(Encoding& encoding, bool add_special_tokens) const;
  void pad(Encoding& encoding) const;

  TokenizerParts parts_;
  AddedTokens added_;
  std::size_t vocab_size_ = 0;
};

}  // namespace flowrun::tokenizers
