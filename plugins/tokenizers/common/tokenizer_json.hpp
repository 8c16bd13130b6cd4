#pragma once

// tokenizer.json, the file format of Hugging Face tokenizers, for byte-level BPE with the GPT-2 pre-tokenizer.

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "bpe_model.hpp"

namespace flowrun::bpe {

/// Returns the model that the text of a tokenizer.json describes.
///
/// Whatever would make Hugging Face tokenizers give other ids than this model does is refused, not ignored: normalizers, other
/// pre-tokenizers, post-processors that add tokens, dropout, prefixes and suffixes, byte_fallback, ignore_merges, added tokens that are not
/// special, unknown keys. Merges may be "a b" or ["a", "b"]. `unk_token` is allowed: with all 256 bytes in the vocabulary it never occurs.
/// Throws kCorruptData for what is not such a file (damaged JSON, wrong types, ids with gaps), kUnsupported for what is refused;
/// either names the place, as in "model.merges[3]". Any input is safe. Time and memory linear in the text.
BpeModel read_tokenizer_json(std::string_view json);

/// Returns the model of a parsed tokenizer.json, whatever its other components and `ignore_merges`; added tokens count as special. Ids may have
/// gaps, at most 65,536, where the token is empty. Throws as `read_tokenizer_json`.
BpeModel read_byte_level_model(const nlohmann::json& root);

/// Reads the file at `path`. Throws kNotFound or kIo where it cannot be read, else as `read_tokenizer_json`, with the path as context.
BpeModel load_tokenizer_json(const std::string& path);

/// Returns the text of the tokenizer.json of `model`, byte for byte what tokenizers 0.23.3 saves for it (ends without a line feed, as theirs). `split` is the
/// expression that cuts text into pre-tokens, "" for GPT-2's, which needs none.
std::string write_tokenizer_json(const BpeModel& model, std::string_view split = {});

/// Returns the text of the tokenizer_config.json that transformers wants beside it: <|endoftext|> both begins and ends a text, <|pad|> and
/// <|mask|> are what they say. `model_max_length` is the context in tokens; 0 leaves it out.
std::string write_tokenizer_config_json(std::uint64_t model_max_length);

}  // namespace flowrun::bpe
