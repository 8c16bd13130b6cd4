#include "tokenizer_text.hpp"

namespace flowrun::tokenizers {
namespace {

/// Returns `[` or `{`, a line for each item, and the bracket that closes.
template <class Items, class Line>
std::string lines(const char* brackets, const Items& items, Line&& line) {
  std::string out(1, brackets[0]);
  const char* separator = "\n      ";
  for (const auto& item : items) {
    out += separator + line(item);
    separator = ",\n      ";
  }
  return out + (items.empty() ? "" : "\n    ") + brackets[1];
}

}  // namespace

std::string BpeText::text() const {
  const auto flag = [](bool value) { return value ? "true" : "false"; };
  std::string out = R"({"type": "BPE", "dropout": null, "unk_token": )" + (unk_token ? json_string(*unk_token) : "null");
  out += R"(, "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": )" + std::string(flag(fuse_unk));
  out += R"(, "byte_fallback": )" + std::string(flag(byte_fallback)) + R"(, "ignore_merges": )" + flag(ignore_merges);
  out += ",\n    \"vocab\": " + lines("{}", vocab, [](const NamedId& token) { return json_string(token.first) + ": " + std::to_string(token.second); });
  return out + ",\n    \"merges\": " + lines("[]", merges, [](const auto& merge) { return "[" + json_string(merge.first) + ", " + json_string(merge.second) + "]"; }) + "\n  }";
}

std::string UnigramText::text() const {
  const std::string head = R"({"type": "Unigram", "unk_id": )" + std::to_string(unk_id) + R"(, "byte_fallback": )" + (byte_fallback ? "true" : "false");
  const auto line = [](const auto& piece) { return "[" + json_string(piece.first) + ", " + OrderedJson(piece.second).dump() + "]"; };
  return head + ",\n    \"vocab\": " + lines("[]", vocab, line) + "\n  }";
}

std::string TokenizerText::text() const {
  OrderedJson root = begin_tokenizer_json(special_tokens);
  root["normalizer"] = normalizer;
  root["pre_tokenizer"] = pre_tokenizer;
  root["post_processor"] = post_processor;
  root["decoder"] = decoder;
  std::string out = "{\n";
  for (const auto& [key, value] : root.items())
    out += "  " + json_string(key) + ": " + (key == "added_tokens" ? lines("[]", value, [](const OrderedJson& token) { return token.dump(); }) : value.dump()) + ",\n";
  return out + "  \"model\": " + model + "\n}\n";
}

std::string tokenizer_config(const std::vector<std::pair<std::string, std::string>>& named) {
  OrderedJson config = OrderedJson::object();
  for (const auto& [key, token] : named) config[key] = token;
  // transformers would otherwise take the space before punctuation out of what it decodes.
  config["clean_up_tokenization_spaces"] = false;
  config["tokenizer_class"] = "PreTrainedTokenizerFast";
  return config.dump(2) + "\n";
}

}  // namespace flowrun::tokenizers
