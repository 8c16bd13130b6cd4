#include "tokenizer_facts.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include <flowrun/error.hpp>

namespace flowrun::blocks {

TokenizerFacts read_tokenizer_facts(const std::string& text, const std::string& file) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  TokenizerFacts facts;
  const auto see = [&](const std::string& token, const nlohmann::json& id) {
    if (!id.is_number_integer()) throw Error(Code::kCorruptData, "'" + file + "': token '" + token + "' has no whole number as its id");
    const auto value = id.get<std::int64_t>();
    facts.vocab_size = std::max(facts.vocab_size, value + 1);
    if (token == "<|endoftext|>") facts.eos_token_id = value;
    if (token == "<|pad|>") facts.pad_token_id = value;
    if (token == "<|mask|>") facts.mask_token_id = value;
  };
  if (!json.is_object() || !json.contains("model") || !json["model"].is_object() || !json["model"].contains("vocab") || !json["model"]["vocab"].is_object())
    throw Error(Code::kCorruptData, "'" + file + "' is not a tokenizer.json: expected an object with model.vocab");
  for (const auto& [token, id] : json["model"]["vocab"].items()) see(token, id);
  for (const auto& added : json.value("added_tokens", nlohmann::json::array()))
    if (added.is_object() && added.contains("content") && added["content"].is_string() && added.contains("id")) see(added["content"].get<std::string>(), added["id"]);
  return facts;
}

}  // namespace flowrun::blocks
