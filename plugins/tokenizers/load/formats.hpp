#pragma once

// A tokenizer that is there already, whatever its format: tokenizer.json, ranks of tiktoken, a model of sentencepiece. Its content says which it is.

#include <string>
#include <string_view>

#include "tiktoken_file.hpp"
#include "tokenizer_text.hpp"

namespace flowrun::tokenizers {

/// Reads a file, or of a folder the first that is there of tokenizer.json, tokenizer.model, spiece.model, sentencepiece.bpe.model and *.tiktoken.
///
/// A tokenizer.json stays as it is, with the tokenizer_config.json beside it if it is called tokenizer.json (else it may be another tokenizer's) or a
/// minimal one with which transformers loads it; others are converted. Throws kNotFound, kIo; kUnsupported for more than 1 GiB; kCorruptData for what is
/// none of the three; kInvalidArgument for `options` with anything but ranks; else as the converters, with the path as context.
TokenizerFiles read_tokenizer_files(const std::string& path, const RankOptions& options);

bool is_utf8(std::string_view text);

}  // namespace flowrun::tokenizers
