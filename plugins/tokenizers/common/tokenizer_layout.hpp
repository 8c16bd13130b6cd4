#pragma once

// How a tokenizer.json is laid out: the one place that knows its head and its order. The lists of a model are written apart from the rest, because a JSON
// object that keeps its order looks up each key by going through all.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace flowrun::tokenizers {

/// A token and its id.
using NamedId = std::pair<std::string, std::uint32_t>;

/// Returns a string as JSON. What is not UTF-8 in it becomes U+FFFD.
std::string json_string(std::string_view text);

/// Begins a tokenizer.json: the keys up to "added_tokens", with special tokens as they are given. The others follow in the library's order: normalizer,
/// pre_tokenizer, post_processor, decoder, model.
nlohmann::ordered_json begin_tokenizer_json(const std::vector<NamedId>& special_tokens);
/// As above, with ids from 0.
nlohmann::ordered_json begin_tokenizer_json(const std::vector<std::string>& special_tokens);

/// The last keys of a model, whose entries are JSON texts in the order in which they are to stand.
struct ModelLists {
  std::vector<std::string> vocab;
  bool vocab_is_object = true;
  std::vector<std::string> merges = {};
  bool has_merges = false;
};

/// Returns the text of `root`, laid out as the library lays it out, with `lists` in "model". It ends without a line feed, as the library's.
std::string finish_tokenizer_json(nlohmann::ordered_json root, const ModelLists& lists);

/// Returns an entry of a vocabulary that is an object, and one of a list whose entries are pairs.
std::string vocab_entry(std::string_view token, std::uint32_t id);
std::string pair_entry(const std::string& first_json, const std::string& second_json);

}  // namespace flowrun::tokenizers
