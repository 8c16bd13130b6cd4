#pragma once

#include <cstdint>
#include <string>

namespace flowrun::blocks {

/// What a model must know of its tokenizer. Ids are -1 where the tokenizer has no such token.
struct TokenizerFacts {
  std::int64_t vocab_size = 0;  ///< greatest id + 1
  std::int64_t eos_token_id = -1;   ///< <|endoftext|>
  std::int64_t pad_token_id = -1;   ///< <|pad|>
  std::int64_t mask_token_id = -1;  ///< <|mask|>
};

/// Reads them from the text of a tokenizer.json. Throws kCorruptData if it is not one; `file` is its name.
TokenizerFacts read_tokenizer_facts(const std::string& text, const std::string& file);

}  // namespace flowrun::blocks
