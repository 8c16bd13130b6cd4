#include "tokenizer_writer.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include <flowrun/error.hpp>
#include <nlohmann/json.hpp>

#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

using OrderedJson = nlohmann::ordered_json;

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
  return config.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

void check_special_tokens(const std::vector<std::string>& special_tokens, std::size_t vocab_size, std::size_t others) {
  std::set<std::string_view> seen;
  for (const std::string& token : special_tokens) {
    if (token.empty()) throw Error(Code::kInvalidArgument, "'special_tokens' has an empty one");
    if (find_malformed_utf8(token) != std::string::npos) throw Error(Code::kInvalidArgument, "'special_tokens' has one that is not UTF-8");
    if (!seen.insert(token).second) throw Error(Code::kInvalidArgument, "'special_tokens' has '" + token + "' twice");
  }
  if (vocab_size < special_tokens.size() + others)
    throw Error(Code::kInvalidArgument, "'vocab_size' is " + std::to_string(vocab_size) + ", expected at least the " + std::to_string(special_tokens.size()) + " special tokens" +
                                            (others > 0 ? " and the " + std::to_string(others) + " bytes" : ""));
}

}  // namespace flowrun::tokenizers
