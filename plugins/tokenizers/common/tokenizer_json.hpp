#pragma once

// tokenizer.json, the file format of Hugging Face tokenizers, for byte-level BPE.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json_fwd.hpp>

#include "bpe_model.hpp"

namespace flowrun::bpe {

/// Returns the model of a parsed tokenizer.json, whatever its other components and `ignore_merges`; added tokens count as special. Ids may have
/// gaps, at most 65,536, where the token is empty. Merges may be "a b" or ["a", "b"]. `unk_token` is allowed: with all 256 bytes in the vocabulary it
/// never occurs.
///
/// Throws kCorruptData for what is not such a file (wrong types, ids that stand twice), kUnsupported for a model that is not byte-level BPE or gives other ids
/// than merges alone do (dropout, prefixes, suffixes, byte_fallback, unknown keys); either names the place, as in "model.merges[3]". Any input is safe. Time
/// and memory linear in the file.
BpeModel read_byte_level_model(const nlohmann::json& root);

/// Returns the two tokens of an entry of "merges": "a b", or ["a", "b"]. Throws kCorruptData with `path` for anything else.
std::pair<std::string, std::string> read_merge(const nlohmann::json& merge, const std::string& path);

/// Returns the text of the tokenizer.json of `model`, byte for byte what tokenizers 0.23.3 saves for it (ends without a line feed, as theirs). `split` is the
/// expression that cuts text into pre-tokens, "" for GPT-2's, which needs none.
std::string write_tokenizer_json(const BpeModel& model, std::string_view split = {});

/// Returns the text of the tokenizer_config.json that transformers wants beside it: <|endoftext|> both begins and ends a text, <|pad|> and
/// <|mask|> are what they say. `model_max_length` is the context in tokens; 0 leaves it out.
std::string write_tokenizer_config_json(std::uint64_t model_max_length);

}  // namespace flowrun::bpe
