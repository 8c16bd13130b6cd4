#pragma once

// What is said beside a trained tokenizer.json, and of its special tokens.

#include <optional>
#include <string>
#include <vector>

namespace flowrun::tokenizers {

/// Returns the text of the tokenizer_config.json from which transformers, packers and objectives learn what special tokens are for. They are known by
/// name: as BERT, RoBERTa, T5 and flowrun's byte-level BPE call them. `unk_token` needs no such name.
std::string write_tokenizer_config(const std::vector<std::string>& special_tokens, const std::optional<std::string>& unk_token);

/// Throws kInvalidArgument for special tokens that are empty, not UTF-8, or there twice, and for a vocabulary without room for them and `others`.
void check_special_tokens(const std::vector<std::string>& special_tokens, std::size_t vocab_size, std::size_t others = 0);

}  // namespace flowrun::tokenizers
