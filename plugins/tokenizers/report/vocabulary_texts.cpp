#include "vocabulary_texts.hpp"

#include <cstdio>
#include <functional>
#include <utility>

#include <flowrun/error.hpp>

#include "tokenizers/common/byte_level.hpp"
#include "tokenizers/common/pipeline/tokenizer_file.hpp"
#include "tokenizers/common/unicode/properties.hpp"
#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

constexpr std::uint32_t kIdEnd = 1 << 24;  // 64 times the largest published vocabularies

/// How the file spells text in its vocabulary.
struct Spelling {
  bool byte_level = false;
  bool byte_fallback = false;
  std::string space;   ///< Metaspace's character; "" for none
  std::string prefix;  ///< of continuing subwords
  std::string suffix;  ///< of tokens that end a word
};

/// Returns a component and those inside it, in order.
std::vector<const Json*> components_of(const Json& root, const char* key) {
  std::vector<const Json*> components;
  const std::function<void(const Json&)> collect = [&](const Json& component) {
    if (!component.is_object()) return;
    components.push_back(&component);
    for (const char* const list : {"pretokenizers", "decoders", "normalizers"})
      if (component.contains(list))
        for (const Json& step : component.at(list)) collect(step);
  };
  if (root.contains(key)) collect(root.at(key));
  return components;
}

Spelling spelling_of(const Json& root) {
  Spelling spelling;
  const auto type_of = [](const Json& component) { return component.value("type", Json()); };
  for (const char* const key : {"normalizer", "pre_tokenizer", "decoder"})
    for (const Json* const component : components_of(root, key)) {
      if (type_of(*component) == "ByteLevel") spelling.byte_level = true;
      if (type_of(*component) == "Metaspace") spelling.space = component->value("replacement", "\u2581");
    }
  // Models of sentencepiece may have no Metaspace: their normalizer replaces spaces, and the decoder replaces them back.
  for (const Json* const component : components_of(root, "decoder"))
    if (type_of(*component) == "Replace" && component->value("content", Json()) == " " && component->at("pattern").contains("String"))
      spelling.space = component->at("pattern").at("String").get<std::string>();
  const JsonObject model(root.at("model"), "model");
  spelling.byte_fallback = model.boolean_or("byte_fallback", false);
  spelling.prefix = model.optional_string("continuing_subword_prefix").value_or("");
  spelling.suffix = model.optional_string("end_of_word_suffix").value_or("");
  return spelling;
}

std::optional<std::string> byte_of_fallback(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; };
  const int high = digit(token[3]), low = digit(token[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return std::string(1, static_cast<char>(high * 16 + low));
}

std::string replaced(std::string_view text, const std::string& from, char to) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const bool here = text.substr(at).starts_with(from);
    out += here ? to : text[at];
    at += here ? from.size() : 1;
  }
  return out;
}

std::string text_of(std::string_view token, const Spelling& spelling) {
  if (spelling.byte_level)
    if (auto bytes = bpe::byte_level_decode(token)) return *std::move(bytes);
  if (spelling.byte_fallback)
    if (auto byte = byte_of_fallback(token)) return *std::move(byte);
  if (!spelling.prefix.empty() && token.size() > spelling.prefix.size() && token.starts_with(spelling.prefix)) token.remove_prefix(spelling.prefix.size());
  if (!spelling.suffix.empty() && token.size() > spelling.suffix.size() && token.ends_with(spelling.suffix)) token.remove_suffix(spelling.suffix.size());
  return spelling.space.empty() ? std::string(token) : replaced(token, spelling.space, ' ');
}

/// Returns whether `text` is whole characters. What is ill-formed gives U+FFFD and one byte, U+FFFD itself takes three.
bool is_whole_characters(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character character = decode_utf8(text, at);
    if (character.code_point == 0xFFFD && character.bytes == 1) return false;
    at += character.bytes;
  }
  return true;
}

TokenText describe(std::string text, bool special) {
  TokenText token{std::move(text), true, special};
  token.single_byte = token.text.size() == 1;
  token.partial_character = !is_whole_characters(token.text);
  return token;
}

std::vector<std::uint32_t> ids_of_model(const Json& model) {
  std::vector<std::uint32_t> ids;
  const Json& vocab = model.at("vocab");
  if (vocab.is_array())
    for (std::uint32_t id = 0; id < vocab.size(); ++id) ids.push_back(id);
  else
    for (const auto& [token, id] : vocab.items()) ids.push_back(id.get<std::uint32_t>());
  return ids;
}

std::optional<std::uint32_t> unknown_id_of(const Json& root, const Tokenizer& tokenizer) {
  const JsonObject model(root.at("model"), "model");
  if (const Json* const id = model.find("unk_id"); id != nullptr && id->is_number_unsigned()) return id->get<std::uint32_t>();
  const auto token = model.optional_string("unk_token");
  return token ? tokenizer.token_to_id(*token) : std::nullopt;
}

bool is_printable(char32_t code_point) {
  const GeneralCategory category = general_category(code_point);
  return code_point == U' ' || category < GeneralCategory::kZs;
}

std::string escaped(const char* format, unsigned value) {
  char text[16];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace

VocabularyTexts read_vocabulary_texts(const Json& root, const Tokenizer& tokenizer) {
  VocabularyTexts vocabulary;
  const auto add = [&](std::uint32_t id, TokenText token) {
    if (id >= kIdEnd) throw Error(Code::kUnsupported, "the tokenizer has the id " + std::to_string(id) + ", expected ids below " + std::to_string(kIdEnd));
    if (id >= vocabulary.tokens.size()) vocabulary.tokens.resize(id + std::size_t{1});
    vocabulary.tokens[id] = std::move(token);
  };
  const Spelling spelling = spelling_of(root);
  for (const std::uint32_t id : ids_of_model(root.at("model"))) add(id, describe(text_of(tokenizer.id_to_token(id).value_or(""), spelling), false));
  for (const AddedToken& token : read_added_tokens(JsonObject(root, ""))) add(token.id, describe(token.content, token.special));
  for (const TokenText& token : vocabulary.tokens) {
    vocabulary.size += token.exists ? 1 : 0;
    vocabulary.special += token.special ? 1 : 0;
  }
  vocabulary.unknown_id = unknown_id_of(root, tokenizer);
  return vocabulary;
}

std::string printable(std::string_view text, std::size_t characters_max) {
  std::string out;
  std::size_t characters = 0;
  for (std::size_t at = 0; at < text.size(); ++characters) {
    if (characters == characters_max) return out + "...";
    const Utf8Character character = decode_utf8(text, at);
    if (character.code_point == 0xFFFD && character.bytes == 1) out += escaped("\\x%02X", static_cast<unsigned char>(text[at]));
    else if (character.code_point == U'\n') out += "\\n";
    else if (character.code_point == U'\t') out += "\\t";
    else if (character.code_point == U'\r') out += "\\r";
    else if (character.code_point == U'\\') out += "\\\\";
    else if (is_printable(character.code_point)) out += text.substr(at, character.bytes);
    else out += escaped("\\u{%X}", static_cast<unsigned>(character.code_point));
    at += character.bytes;
  }
  return out;
}

}  // namespace flowrun::tokenizers
