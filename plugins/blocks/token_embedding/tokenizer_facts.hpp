#pragma once

#include <cstdint>
#include <string>

namespace flowrun::blocks {

/// What a model must know of its tokenizer. Ids are -1 where the tokenizer has no such token.
struct TokenizerFacts {
  std::int64_t vocab_size = 0;  ///< greatest id + 1
  std::int64_t eos_token_id = -1;   ///< eos_token, else sep_token, else <|endoftext|>
  std::int64_t pad_token_id = -1;   ///< pad_token, else <|pad|>
  std::int64_t mask_token_id = -1;  ///< mask_token, else <|mask|>
};

/// Reads them from the text of a tokenizer.json and, if it is not empty, of the tokenizer_config.json beside it, which says what special tokens are for.
/// Throws kCorruptData if they are none; `file` is the first one's name.
TokenizerFacts read_tokenizer_facts(const std::string& text, const std::string& config_text, const std::string& file);

}  // namespace flowrun::blocks
