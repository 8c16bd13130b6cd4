#include "tokenizer_layout.hpp"

namespace flowrun::tokenizers {
namespace {

using OrderedJson = nlohmann::ordered_json;

/// Puts `entries` between the brackets of the empty list `key` of the model.
void fill(std::string& text, const std::string& key, const std::vector<std::string>& entries) {
  if (entries.empty()) return;
  // The last of its kind: a string cannot hold a line's end, and nothing after the model has keys so far to the right.
  const std::string line = "\n    \"" + key + "\": ";
  const std::size_t begin = text.rfind(line) + line.size();
  std::string list(1, text[begin]);
  const char* separator = "\n      ";
  for (const std::string& entry : entries) {
    list += separator;
    list += entry;
    separator = ",\n      ";
  }
  list += "\n    ";
  list += text[begin + 1];
  text.replace(begin, 2, list);
}

}  // namespace

std::string json_string(std::string_view text) { return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

OrderedJson begin_tokenizer_json(const std::vector<NamedId>& special_tokens) {
  OrderedJson root = {{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}, {"added_tokens", OrderedJson::array()}};
  for (const auto& [content, id] : special_tokens)
    root["added_tokens"].push_back({{"id", id}, {"content", content}, {"single_word", false}, {"lstrip", false}, {"rstrip", false}, {"normalized", false}, {"special", true}});
  return root;
}

OrderedJson begin_tokenizer_json(const std::vector<std::string>& special_tokens) {
  std::vector<NamedId> named;
  for (const std::string& token : special_tokens) named.emplace_back(token, static_cast<std::uint32_t>(named.size()));
  return begin_tokenizer_json(named);
}

std::string finish_tokenizer_json(OrderedJson root, const ModelLists& lists) {
  OrderedJson& model = root["model"];
  model["vocab"] = lists.vocab_is_object ? OrderedJson::object() : OrderedJson::array();
  if (lists.has_merges) model["merges"] = OrderedJson::array();
  std::string text = root.dump(2, ' ', false, OrderedJson::error_handler_t::replace);
  if (lists.has_merges) fill(text, "merges", lists.merges);
  fill(text, "vocab", lists.vocab);
  return text;
}

std::string vocab_entry(std::string_view token, std::uint32_t id) { return json_string(token) + ": " + std::to_string(id); }

std::string pair_entry(const std::string& first_json, const std::string& second_json) { return "[\n        " + first_json + ",\n        " + second_json + "\n      ]"; }

}  // namespace flowrun::tokenizers
