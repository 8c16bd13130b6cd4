#include "tokenizer_writer.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include <flowrun/error.hpp>

#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::string dump(const OrderedJson& json) { return json.dump(2, ' ', false, OrderedJson::error_handler_t::replace); }

// The keys of transformers, and the names by which a special token has that part; the first that is there has it.
struct Part {
  const char* key;
  std::vector<std::string_view> names;
};

const std::vector<Part>& parts() {
  static const std::vector<Part> parts = {
      {"bos_token", {"<|endoftext|>", "<s>"}},     {"eos_token", {"<|endoftext|>", "</s>"}},
      {"sep_token", {"[SEP]", "<sep>"}},           {"cls_token", {"[CLS]", "<cls>"}},
      {"pad_token", {"<|pad|>", "<pad>", "[PAD]"}}, {"mask_token", {"<|mask|>", "<mask>", "[MASK]"}},
  };
  return parts;
}

}  // namespace

OrderedJson begin_tokenizer_json(const std::vector<std::string>& special_tokens) {
  OrderedJson root = {{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}, {"added_tokens", OrderedJson::array()}};
  for (std::size_t id = 0; id < special_tokens.size(); ++id)
    root["added_tokens"].push_back({{"id", id}, {"content", special_tokens[id]}, {"single_word", false}, {"lstrip", false}, {"rstrip", false},
                                    {"normalized", false}, {"special", true}});
  return root;
}

std::string finish_tokenizer_json(OrderedJson root, const std::vector<std::string>& entries, bool is_object) {
  OrderedJson& vocab = root["model"]["vocab"];
  vocab = is_object ? OrderedJson::object() : OrderedJson::array();
  std::string text = dump(root);
  if (entries.empty()) return text;
  // The last of its kind: a string cannot hold a line's end, and nothing after the vocabulary has this key.
  constexpr std::string_view kKey = "\n    \"vocab\": ";
  const std::size_t begin = text.rfind(kKey) + kKey.size();
  std::string list(1, text[begin]);
  const char* separator = "\n      ";
  for (const std::string& entry : entries) {
    list += separator;
    list += entry;
    separator = ",\n      ";
  }
  list += "\n    ";
  list += text[begin + 1];
  return text.replace(begin, 2, list);
}

std::string quoted(const std::string& text) { return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

std::string write_tokenizer_config(const std::vector<std::string>& special_tokens, const std::optional<std::string>& unk_token) {
  OrderedJson config;
  for (const auto& [key, names] : parts())
    for (const std::string_view name : names)
      if (!config.contains(key) && std::find(special_tokens.begin(), special_tokens.end(), name) != special_tokens.end()) config[key] = name;
  if (unk_token) config["unk_token"] = *unk_token;
  // Of two texts BERT is told which token is whose.
  if (config.contains("cls_token") && config.contains("sep_token")) config["model_input_names"] = {"input_ids", "token_type_ids", "attention_mask"};
  // transformers would otherwise take the space before punctuation out of what it decodes.
  config["clean_up_tokenization_spaces"] = false;
  config["tokenizer_class"] = "PreTrainedTokenizerFast";
  return dump(config) + "\n";
}

void check_special_tokens(const std::vector<std::string>& special_tokens) {
  std::set<std::string_view> seen;
  for (const std::string& token : special_tokens) {
    if (token.empty()) throw Error(Code::kInvalidArgument, "'special_tokens' has an empty one");
    if (find_malformed_utf8(token) != std::string::npos) throw Error(Code::kInvalidArgument, "'special_tokens' has one that is not UTF-8");
    if (!seen.insert(token).second) throw Error(Code::kInvalidArgument, "'special_tokens' has '" + token + "' twice");
  }
}

}  // namespace flowrun::tokenizers
