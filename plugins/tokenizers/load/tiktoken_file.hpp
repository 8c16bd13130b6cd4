#pragma once

// Rank files of tiktoken as tokenizer.json: BPE over bytes with `ignore_merges`, a Split by the pattern, ByteLevel.

#include <string>
#include <string_view>
#include <vector>

#include "tokenizer_text.hpp"

namespace flowrun::tokenizers {

/// What a rank file does not say.
struct RankOptions {
  std::string pattern;                      ///< of kNamedPatterns, or empty
  std::string expression;                   ///< a regular expression instead, or empty
  std::vector<std::string> special_tokens;  ///< with the ids after the largest rank, in order

  bool empty() const { return pattern.empty() && expression.empty() && special_tokens.empty(); }
};

/// Returns whether the content is that of a rank file: its first line, but for empty ones, is base64, a space and a number.
bool is_rank_file(std::string_view content);

/// Converts the content of a rank file. Ids are tiktoken's, of texts that it takes.
///
/// Files of published encodings (r50k_base, p50k_base, cl100k_base, o200k_base, Llama 3) are known by their SHA-256 and have their patterns and special
/// tokens; `options` go before these. Throws kInvalidArgument for another one without a pattern, for a pattern that has no such name, and for special tokens
/// that are empty, there twice or spelled as a token of the file; kCorruptData with the line for damage; kUnsupported as tiktoken_to_bpe.
TokenizerFiles ranks_to_tokenizer(std::string_view content, const RankOptions& options);

}  // namespace flowrun::tokenizers
