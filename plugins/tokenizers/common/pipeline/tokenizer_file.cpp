#include "tokenizer_file.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <unordered_map>
#include <utility>

#include <flowrun/error.hpp>

#include "components_file.hpp"
#include "models_file.hpp"

namespace flowrun::tokenizers {
namespace {

/// "Left" or "Right".
bool read_is_left(const JsonObject& object, bool other) {
  if (object.find("direction") == nullptr) return other;
  const std::string& direction = object.string_at("direction");
  if (direction != "Left" && direction != "Right") refuse_corrupt("'" + object.path_of("direction") + "' is " + shown(direction) + ", expected Left or Right");
  return direction == "Left";
}

std::optional<Truncation> read_truncation(const JsonObject& root) {
  const Json* const value = root.find("truncation");
  if (value == nullptr || value->is_null()) return std::nullopt;
  const JsonObject object(*value, "truncation");
  object.expect_keys({"direction", "max_length", "strategy", "stride"});
  const std::string& strategy = object.string_at("strategy");
  if (strategy != "LongestFirst" && strategy != "OnlyFirst")
    refuse_unsupported("'truncation.strategy' is " + shown(strategy) + ", expected LongestFirst or OnlyFirst: there is no second sequence here");
  const std::size_t stride = object.count_at("stride");  // of the parts that are cut off, which are not kept here
  const std::size_t max_length = object.count_at("max_length");
  if (stride > 0 && stride >= max_length)
    refuse_corrupt("'truncation.stride' is " + std::to_string(stride) + ", expected less than 'truncation.max_length', which is " + std::to_string(max_length));
  return Truncation{max_length, read_is_left(object, false)};
}

/// Longer than any context: a damaged number must not take all memory.
void check_padded_length(std::size_t length, const char* path) {
  constexpr std::size_t kLengthMax = 1 << 20;
  if (length > kLengthMax) refuse_unsupported("'" + std::string(path) + "' is " + std::to_string(length) + ", expected at most " + std::to_string(kLengthMax));
}

std::optional<Padding> read_padding(const JsonObject& root) {
  const Json* const value = root.find("padding");
  if (value == nullptr || value->is_null()) return std::nullopt;
  const JsonObject object(*value, "padding");
  object.expect_keys({"strategy", "direction", "pad_to_multiple_of", "pad_id", "pad_type_id", "pad_token"});
  Padding padding;
  if (object.at("strategy").is_object()) {
    const JsonObject strategy(object.at("strategy"), "padding.strategy");
    strategy.expect_keys({"Fixed"});
    padding.fixed_length = strategy.count_at("Fixed");
    check_padded_length(*padding.fixed_length, "padding.strategy.Fixed");
  } else if (object.string_at("strategy") != "BatchLongest") {
    refuse_corrupt("'padding.strategy' is " + shown(object.at("strategy")) + ", expected BatchLongest or Fixed");
  }
  if (const Json* const multiple = object.find("pad_to_multiple_of"); multiple != nullptr && !multiple->is_null()) {
    padding.multiple_of = object.count_at("pad_to_multiple_of");
    check_padded_length(padding.multiple_of, "padding.pad_to_multiple_of");
  }
  padding.left = read_is_left(object, false);
  padding.id = read_id(object.at("pad_id"), "padding.pad_id");
  padding.type_id = read_id(object.at("pad_type_id"), "padding.pad_type_id");
  padding.token = object.string_at("pad_token");
  constexpr std::size_t kTokenBytesMax = 256;
  if (padding.token.size() > kTokenBytesMax)
    refuse_unsupported("'padding.pad_token' has " + std::to_string(padding.token.size()) + " bytes, expected at most " + std::to_string(kTokenBytesMax));
  return padding;
}

/// Gives added tokens the ids that the library gives them, which does not ask what the file says: those of the vocabulary, else the next ones behind it.
void number_added_tokens(std::vector<AddedToken>& tokens, const Model& model) {
  std::unordered_map<std::string_view, std::uint32_t> fresh;
  auto next = static_cast<std::uint32_t>(model.vocab_size());
  for (AddedToken& token : tokens) {
    if (token.content.empty()) continue;
    if (const auto id = model.token_to_id(token.content)) token.id = *id;
    else if (const auto [known, is_fresh] = fresh.emplace(token.content, next); is_fresh) token.id = next++;
    else token.id = known->second;
  }
}

/// Refuses tokens that the normalizer leaves nothing of: the library then finds them between any two characters.
void expect_content(const std::vector<AddedToken>& tokens, const Normalizer* normalizer) {
  if (normalizer == nullptr) return;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!tokens[i].normalized || tokens[i].content.empty()) continue;
    NormalizedString text(tokens[i].content);
    normalizer->apply(text);
    if (text.text().empty())
      refuse_unsupported("'added_tokens[" + std::to_string(i) + "].content' is " + shown(tokens[i].content) + ", of which the normalizer leaves nothing; set \"normalized\" to false, or take the token out");
  }
}

}  // namespace

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(Code::kNotFound, "'" + path + "' cannot be opened");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) throw Error(Code::kIo, "'" + path + "' cannot be read");
  return text;
}

std::vector<AddedToken> read_added_tokens(const JsonObject& root) {
  std::vector<AddedToken> tokens;
  const Json* const list = root.find("added_tokens");
  if (list == nullptr) return tokens;
  const Json& entries = root.array_at("added_tokens");
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const JsonObject entry(entries[i], "added_tokens[" + std::to_string(i) + "]");
    entry.expect_keys({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
    tokens.push_back({read_id(entry.at("id"), entry.path_of("id")), entry.string_at("content"), entry.boolean_at("single_word"), entry.boolean_at("lstrip"),
                      entry.boolean_at("rstrip"), entry.boolean_at("normalized"), entry.boolean_at("special")});
  }
  return tokens;
}

Tokenizer read_tokenizer(std::string_view json) { return build_tokenizer(parse_json(json)); }

Tokenizer build_tokenizer(const Json& value) {
  const JsonObject root(value, "");
  root.expect_keys({"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model"});
  root.expect("version", {"1.0"});
  const JsonObject model(root.at("model"), "model");
  const auto component = [&](const char* key, auto&& read) {
    const Json* const found = root.find(key);
    return read(found != nullptr ? *found : Json(), key);
  };
  TokenizerParts parts;
  parts.model_type = model_type_of(model);
  parts.normalizer = component("normalizer", read_normalizer);
  parts.pre_tokenizer = component("pre_tokenizer", read_pre_tokenizer);
  parts.post_processor = component("post_processor", read_post_processor);
  parts.decoder = component("decoder", read_decoder);
  parts.model = read_model(model);
  parts.added_tokens = read_added_tokens(root);
  number_added_tokens(parts.added_tokens, *parts.model);
  expect_content(parts.added_tokens, parts.normalizer.get());
  parts.truncation = read_truncation(root);
  parts.padding = read_padding(root);
  return Tokenizer(std::move(parts));
}

Json load_json(const std::string& path) {
  const std::string file = std::filesystem::is_directory(path) ? path + "/tokenizer.json" : path;
  const std::string text = read_text(file);
  try {
    return parse_json(text);
  } catch (Error& error) {
    error.add_context("in '" + file + "'");
    throw;
  }
}

Tokenizer load_tokenizer(const std::string& path) {
  const Json root = load_json(path);
  try {
    return build_tokenizer(root);
  } catch (Error& error) {
    error.add_context("in '" + path + "'");
    throw;
  }
}

}  // namespace flowrun::tokenizers
