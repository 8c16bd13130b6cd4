#pragma once

// The files of a trained tokenizer, as Hugging Face writes them.

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace flowrun::tokenizers {

/// Begins a tokenizer.json: the keys up to "added_tokens", with `special_tokens` by id from 0. The others follow in the library's order: normalizer,
/// pre_tokenizer, post_processor, decoder, model.
nlohmann::ordered_json begin_tokenizer_json(const std::vector<std::string>& special_tokens);

/// Returns the text of `root`, laid out as the library lays it out, with `entries` (JSON texts) as "vocab" of "model". Of a vocabulary the order counts,
/// and a JSON object that keeps it looks up each key by going through all.
std::string finish_tokenizer_json(nlohmann::ordered_json root, const std::vector<std::string>& entries, bool is_object);

/// Returns a string as JSON. What is not UTF-8 in it becomes U+FFFD.
std::string quoted(const std::string& text);

/// Returns the text of the tokenizer_config.json from which transformers, packers and objectives learn what special tokens are for. They are known by
/// name: as BERT, RoBERTa, T5 and flowrun's byte-level BPE call them. `unk_token` needs no such name.
std::string write_tokenizer_config(const std::vector<std::string>& special_tokens, const std::optional<std::string>& unk_token);

/// Throws kInvalidArgument for special tokens that are empty, not UTF-8, or there twice.
void check_special_tokens(const std::vector<std::string>& special_tokens);

}  // namespace flowrun::tokenizers
