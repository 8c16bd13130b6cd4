#include "tokenizer_facts.hpp"

#include <algorithm>
#include <initializer_list>
#include <unordered_map>
#include <vector>

#include <nlohmann/json.hpp>

#include <flowrun/error.hpp>

namespace flowrun::blocks {

namespace {

using Json = nlohmann::json;

/// Returns the names that a token of one of these roles may have, the first found in the tokenizer counting. transformers writes a token by itself or with its flags.
std::vector<std::string> names_of(const Json& config, std::initializer_list<const char*> roles, const char* own_name) {
  std::vector<std::string> names;
  for (const char* const role : roles) {
    const auto found = config.find(role);
    if (found == config.end()) continue;
    const Json& name = found->is_object() ? found->value("content", Json()) : *found;
    if (name.is_string()) names.push_back(name.get<std::string>());
  }
  names.push_back(own_name);
  return names;
}

}  // namespace

TokenizerFacts read_tokenizer_facts(const std::string& text, const std::string& config_text, const std::string& file) {
  const Json json = Json::parse(text, nullptr, false);
  const Json config = config_text.empty() ? Json::object() : Json::parse(config_text, nullptr, false);
  if (!config.is_object()) throw Error(Code::kCorruptData, "the tokenizer_config.json beside '" + file + "' is no JSON object");
  std::unordered_map<std::string, std::int64_t> ids;
  TokenizerFacts facts;
  const auto see = [&](const std::string& token, const Json& id) {
    if (!id.is_number_integer()) throw Error(Code::kCorruptData, "'" + file + "': token '" + token + "' has no whole number as its id");
    const auto value = id.get<std::int64_t>();
    facts.vocab_size = std::max(facts.vocab_size, value + 1);
    ids[token] = value;
  };
  const Json* const vocab = json.is_object() && json.contains("model") && json["model"].is_object() && json["model"].contains("vocab") ? &json["model"]["vocab"] : nullptr;
  if (vocab == nullptr || !vocab->is_structured()) throw Error(Code::kCorruptData, "'" + file + "' is not a tokenizer.json: expected an object with model.vocab");
  if (vocab->is_object())
    for (const auto& [token, id] : vocab->items()) see(token, id);
  else  // of Unigram: pieces by id, each with its score
    for (std::size_t id = 0; id < vocab->size(); ++id) {
      const Json& piece = (*vocab)[id];
      if (!piece.is_array() || piece.empty() || !piece[0].is_string()) throw Error(Code::kCorruptData, "'" + file + "': piece " + std::to_string(id) + " has no text");
      see(piece[0].get<std::string>(), id);
    }
  for (const auto& added : json.value("added_tokens", Json::array()))
    if (added.is_object() && added.contains("content") && added["content"].is_string() && added.contains("id")) see(added["content"].get<std::string>(), added["id"]);
  const auto id_of = [&](std::initializer_list<const char*> roles, const char* own_name) -> std::int64_t {
    for (const std::string& name : names_of(config, roles, own_name))
      if (const auto found = ids.find(name); found != ids.end()) return found->second;
    return -1;
  };
  facts.eos_token_id = id_of({"eos_token", "sep_token"}, "<|endoftext|>");
  facts.pad_token_id = id_of({"pad_token"}, "<|pad|>");
  facts.mask_token_id = id_of({"mask_token"}, "<|mask|>");
  return facts;
}

}  // namespace flowrun::blocks
