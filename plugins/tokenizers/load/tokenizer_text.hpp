#pragma once

// Writes tokenizer.json and tokenizer_config.json. By hand where the vocabulary is: its order is that of the ids, which a JSON object does not keep.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tokenizers/common/tokenizer_layout.hpp"

namespace flowrun::tokenizers {

using OrderedJson = nlohmann::ordered_json;

/// What a folder with a tokenizer holds, as text.
struct TokenizerFiles {
  std::string tokenizer_json, tokenizer_config_json;
};

/// A model of type BPE.
struct BpeText {
  std::optional<std::string> unk_token;
  bool fuse_unk = false, byte_fallback = false, ignore_merges = false;
  std::vector<NamedId> vocab;                               ///< as they are to stand, so by id
  std::vector<std::pair<std::string, std::string>> merges;  ///< by rank

  std::string text() const;
};

/// A model of type Unigram: a piece's id is its place.
struct UnigramText {
  std::uint32_t unk_id = 0;
  bool byte_fallback = false;
  std::vector<std::pair<std::string, double>> vocab;

  std::string text() const;
};

/// A whole file; a component that is not set is null.
struct TokenizerText {
  std::vector<NamedId> special_tokens;  ///< by id; they stand in the model's vocabulary too, if their ids are to hold
  OrderedJson normalizer, pre_tokenizer, post_processor, decoder;
  std::string model;

  std::string text() const;
};

/// Returns the text of the tokenizer_config.json with which transformers loads such a file: `named` are "bos_token" and others with their tokens.
std::string tokenizer_config(const std::vector<std::pair<std::string, std::string>>& named);

}  // namespace flowrun::tokenizers
