#include "components_file.hpp"

#include <utility>
#include <vector>

#include <flowrun/error.hpp>

namespace flowrun::tokenizers {
namespace {

[[noreturn]] void refuse_type(const JsonObject& object) { refuse_unsupported("'" + object.path_of("type") + "' is " + shown(object.at("type")) + ", which is not known here"); }

std::string item_path(const JsonObject& object, const char* key, std::size_t index) { return object.path_of(key) + "[" + std::to_string(index) + "]"; }

/// Reads the components of a sequence.
template <class Read>
auto read_steps(const JsonObject& object, const char* key, Read&& read) {
  object.expect_keys({"type", key});
  const Json& list = object.array_at(key);
  std::vector<decltype(read(list, std::string()))> steps;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string path = item_path(object, key, i);
    if (list[i].is_null()) refuse_corrupt("'" + path + "' is null, expected an object");
    steps.push_back(read(list[i], path));
  }
  return steps;
}

/// {"String": text} or {"Regex": expression}.
TextPattern read_pattern(const JsonObject& object) {
  const JsonObject pattern(object.at("pattern"), object.path_of("pattern"));
  pattern.expect_keys({"String", "Regex"});
  if (pattern.find("String") != nullptr) return TextPattern::literal(pattern.string_at("String"));
  try {
    return TextPattern::expression(pattern.string_at("Regex"));
  } catch (const Error& error) {
    const std::string message = "'" + pattern.path_of("Regex") + "': " + error.message();
    // What Oniguruma refuses too is damage.
    if (error.code() == Code::kInvalidArgument) refuse_corrupt(message);
    refuse_unsupported(message);
  }
}

SplitBehavior read_behavior(const JsonObject& object) {
  const std::string& name = object.string_at("behavior");
  if (name == "Removed") return SplitBehavior::kRemoved;
  if (name == "Isolated") return SplitBehavior::kIsolated;
  if (name == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return SplitBehavior::kMergedWithNext;
  if (name == "Contiguous") return SplitBehavior::kContiguous;
  refuse_corrupt("'" + object.path_of("behavior") + "' is " + shown(name) + ", expected Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
}

/// Refuses what stands behind a template in a sequence of post-processors and is no ByteLevel. The library hands every piece of a template on as an encoding of its own,
/// which the next processor surrounds one by one, or takes for a pair of texts.
class TemplateOrder {
 public:
  void visit(const JsonObject& processor) {
    const std::string& type = processor.string_at("type");
    if (type == "Sequence") {
      const Json& steps = processor.array_at("processors");
      for (std::size_t i = 0; i < steps.size(); ++i) visit(JsonObject(steps[i], item_path(processor, "processors", i)));
    } else if (!template_path_.empty() && type != "ByteLevel") {
      refuse_unsupported("'" + processor.path_of("type") + "' is " + shown(type) + " behind the template of '" + template_path_ + "', expected ByteLevel or nothing there");
    } else if (type == "TemplateProcessing" && processor.array_at("single").size() > 1) {
      template_path_ = processor.path();
    }
  }

 private:
  std::string template_path_;
};

struct ByteLevelKeys {
  bool add_prefix_space, trim_offsets, use_regex;
};

ByteLevelKeys read_byte_level(const JsonObject& object) {
  object.expect_keys({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  return {object.boolean_at("add_prefix_space"), object.boolean_at("trim_offsets"), object.find("use_regex") == nullptr || object.boolean_at("use_regex")};
}

struct MetaspaceKeys {
  char32_t replacement;
  PrependScheme scheme;
  bool split;
};

MetaspaceKeys read_metaspace(const JsonObject& object) {
  object.expect_keys({"type", "replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep"});
  MetaspaceKeys keys{object.character_at("replacement"), PrependScheme::kAlways, object.boolean_or("split", true)};
  if (object.find("prepend_scheme") != nullptr) {
    const std::string& name = object.string_at("prepend_scheme");
    if (name == "first") keys.scheme = PrependScheme::kFirst;
    else if (name == "never") keys.scheme = PrependScheme::kNever;
    else if (name != "always") refuse_corrupt("'" + object.path_of("prepend_scheme") + "' is " + shown(name) + ", expected always, never or first");
  }
  if (object.optional_boolean("add_prefix_space") == false) {
    if (object.find("prepend_scheme") != nullptr && keys.scheme != PrependScheme::kNever)
      refuse_corrupt("'" + object.path_of("add_prefix_space") + "' is false, but 'prepend_scheme' is not never");
    // The library refuses this where prepend_scheme is left out as well, since its default is always.
    if (object.find("prepend_scheme") == nullptr) refuse_corrupt("'" + object.path_of("add_prefix_space") + "' is false without 'prepend_scheme'");
  }
  return keys;
}

/// ["[SEP]", 102]
SpecialToken read_special(const JsonObject& object, const char* key) {
  const Json& pair = object.array_at(key);
  if (pair.size() != 2 || !pair[0].is_string()) refuse_corrupt("'" + object.path_of(key) + "' is " + shown(pair) + ", expected a token and its id");
  return {pair[0].get<std::string>(), read_id(pair[1], object.path_of(key) + "[1]")};
}

std::vector<SpecialToken> read_template_tokens(const JsonObject& specials, const std::string& name, const std::string& where) {
  const Json* const entry = specials.find(name.c_str());
  if (entry == nullptr) refuse_corrupt("'" + where + "' names " + shown(name) + ", which is not in '" + specials.path() + "'");
  const JsonObject object(*entry, specials.path_of(name));
  object.expect_keys({"id", "ids", "tokens"});
  const Json &ids = object.array_at("ids"), &tokens = object.array_at("tokens");
  if (ids.size() != tokens.size()) refuse_corrupt("'" + object.path() + "' has " + std::to_string(ids.size()) + " ids for " + std::to_string(tokens.size()) + " tokens");
  std::vector<SpecialToken> list;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!tokens[i].is_string()) refuse_corrupt("'" + item_path(object, "tokens", i) + "' is " + shown(tokens[i]) + ", expected a string");
    list.emplace_back(tokens[i].get<std::string>(), read_id(ids[i], item_path(object, "ids", i)));
  }
  return list;
}

std::vector<TemplatePiece> read_template(const JsonObject& object, const char* key, const JsonObject& specials, bool pair) {
  // A template says a token or two; a text twice over, again and again in a sequence of templates, would be any length.
  constexpr std::size_t kTokensMax = 1024;
  const Json& list = object.array_at(key);
  std::vector<TemplatePiece> pieces;
  std::size_t sequences = 0, tokens = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const JsonObject item(list[i], item_path(object, key, i));
    item.expect_keys({"Sequence", "SpecialToken"});
    if (list[i].size() != 1) refuse_corrupt("'" + item.path() + "' is " + shown(list[i]) + ", expected one of Sequence and SpecialToken");
    const bool is_sequence = item.find("Sequence") != nullptr;
    const char* const kind = is_sequence ? "Sequence" : "SpecialToken";
    const JsonObject piece(item.at(kind), item.path_of(kind));
    piece.expect_keys({"id", "type_id"});
    const std::string& id = piece.string_at("id");
    if (is_sequence && id != "A" && !(pair && id == "B")) refuse_corrupt("'" + piece.path_of("id") + "' is " + shown(id) + (pair ? ", expected A or B" : ", expected A"));
    pieces.push_back({is_sequence, read_id(piece.at("type_id"), piece.path_of("type_id")), is_sequence ? std::vector<SpecialToken>() : read_template_tokens(specials, id, piece.path_of("id"))});
    sequences += is_sequence ? 1 : 0;
    tokens += pieces.back().tokens.size();
    if (sequences > (pair ? 2 : 1)) refuse_unsupported("'" + item.path() + "' is a sequence that stands there before, expected each once");
    if (tokens > kTokensMax) refuse_unsupported("'" + object.path_of(key) + "' adds more than " + std::to_string(kTokensMax) + " special tokens");
  }
  return pieces;
}

}  // namespace

std::unique_ptr<Normalizer> read_normalizer(const Json& value, const std::string& path) {
  if (value.is_null()) return nullptr;
  const JsonObject object(value, path);
  const std::string& type = object.string_at("type");
  const auto bare = [&](std::unique_ptr<Normalizer> normalizer) {
    object.expect_keys({"type"});
    return normalizer;
  };
  if (type == "Sequence") return make_sequence(read_steps(object, "normalizers", read_normalizer));
  if (type == "NFC") return bare(make_unicode_form(NormalForm::kNfc));
  if (type == "NFD") return bare(make_unicode_form(NormalForm::kNfd));
  if (type == "NFKC") return bare(make_unicode_form(NormalForm::kNfkc));
  if (type == "NFKD") return bare(make_unicode_form(NormalForm::kNfkd));
  if (type == "Lowercase") return bare(make_lowercase());
  if (type == "StripAccents") return bare(make_strip_accents());
  if (type == "Nmt") return bare(make_nmt());
  if (type == "ByteLevel") return bare(make_byte_level_normalizer());
  if (type == "BertNormalizer") {
    object.expect_keys({"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"});
    return make_bert_normalizer(object.boolean_at("clean_text"), object.boolean_at("handle_chinese_chars"), object.optional_boolean("strip_accents"), object.boolean_at("lowercase"));
  }
  if (type == "Strip") {
    object.expect_keys({"type", "strip_left", "strip_right"});
    return make_strip(object.boolean_at("strip_left"), object.boolean_at("strip_right"));
  }
  if (type == "Prepend") {
    object.expect_keys({"type", "prepend"});
    return make_prepend(object.string_at("prepend"));
  }
  if (type == "Replace") {
    object.expect_keys({"type", "pattern", "content"});
    return make_replace(read_pattern(object), object.string_at("content"));
  }
  if (type == "Precompiled") {
    object.expect_keys({"type", "precompiled_charsmap"});
    return make_precompiled(object.string_at("precompiled_charsmap"));
  }
  refuse_type(object);
}

std::unique_ptr<PreTokenizer> read_pre_tokenizer(const Json& value, const std::string& path) {
  if (value.is_null()) return nullptr;
  const JsonObject object(value, path);
  const std::string& type = object.string_at("type");
  const auto bare = [&](std::unique_ptr<PreTokenizer> pre_tokenizer) {
    object.expect_keys({"type"});
    return pre_tokenizer;
  };
  if (type == "Sequence") return make_sequence(read_steps(object, "pretokenizers", read_pre_tokenizer));
  if (type == "BertPreTokenizer") return bare(make_bert_pre_tokenizer());
  if (type == "Whitespace") return bare(make_whitespace());
  if (type == "WhitespaceSplit") return bare(make_whitespace_split());
  if (type == "UnicodeScripts") return bare(make_unicode_scripts());
  if (type == "ByteLevel") {
    const ByteLevelKeys keys = read_byte_level(object);
    return make_byte_level(keys.add_prefix_space, keys.use_regex);
  }
  if (type == "Split") {
    object.expect_keys({"type", "pattern", "behavior", "invert"});
    return make_split(read_pattern(object), read_behavior(object), object.boolean_at("invert"));
  }
  if (type == "Metaspace") {
    const MetaspaceKeys keys = read_metaspace(object);
    return make_metaspace(keys.replacement, keys.scheme, keys.split);
  }
  if (type == "Digits") {
    object.expect_keys({"type", "individual_digits"});
    return make_digits(object.boolean_at("individual_digits"));
  }
  if (type == "Punctuation") {
    object.expect_keys({"type", "behavior"});
    return make_punctuation(object.find("behavior") != nullptr ? read_behavior(object) : SplitBehavior::kIsolated);
  }
  if (type == "CharDelimiterSplit") {
    object.expect_keys({"type", "delimiter"});
    return make_character_delimiter(object.character_at("delimiter"));
  }
  if (type == "FixedLength") {
    object.expect_keys({"type", "length"});
    const std::uint64_t length = object.find("length") != nullptr ? object.count_at("length") : 5;
    if (length == 0) refuse_corrupt("'" + object.path_of("length") + "' is 0, expected at least 1");
    return make_fixed_length(length);
  }
  refuse_type(object);
}

std::unique_ptr<PostProcessor> read_post_processor(const Json& value, const std::string& path) {
  if (value.is_null()) return nullptr;
  const JsonObject object(value, path);
  const std::string& type = object.string_at("type");
  if (type == "Sequence") {
    auto steps = read_steps(object, "processors", read_post_processor);
    TemplateOrder().visit(object);
    return make_sequence(std::move(steps));
  }
  if (type == "BertProcessing") {
    object.expect_keys({"type", "sep", "cls"});
    return make_bert_processing(read_special(object, "sep"), read_special(object, "cls"));
  }
  if (type == "RobertaProcessing") {
    object.expect_keys({"type", "sep", "cls", "trim_offsets", "add_prefix_space"});
    return make_roberta_processing(read_special(object, "sep"), read_special(object, "cls"), object.boolean_at("trim_offsets"), object.boolean_at("add_prefix_space"));
  }
  if (type == "ByteLevel") {
    const ByteLevelKeys keys = read_byte_level(object);
    return make_byte_level_processing(keys.trim_offsets, keys.add_prefix_space);
  }
  if (type == "TemplateProcessing") {
    object.expect_keys({"type", "single", "pair", "special_tokens"});
    const JsonObject specials(object.at("special_tokens"), object.path_of("special_tokens"));
    read_template(object, "pair", specials, true);  // for its mistakes: one text has no pair
    return make_template_processing(read_template(object, "single", specials, false));
  }
  refuse_type(object);
}

std::unique_ptr<Decoder> read_decoder(const Json& value, const std::string& path) {
  if (value.is_null()) return nullptr;
  const JsonObject object(value, path);
  const std::string& type = object.string_at("type");
  const auto bare = [&](std::unique_ptr<Decoder> decoder) {
    object.expect_keys({"type"});
    return decoder;
  };
  if (type == "Sequence") return make_sequence(read_steps(object, "decoders", read_decoder));
  if (type == "ByteFallback") return bare(make_byte_fallback_decoder());
  if (type == "Fuse") return bare(make_fuse_decoder());
  if (type == "ByteLevel") {
    read_byte_level(object);  // none of the keys means anything here
    return make_byte_level_decoder();
  }
  if (type == "BPEDecoder") {
    object.expect_keys({"type", "suffix"});
    return make_bpe_decoder(object.string_at("suffix"));
  }
  if (type == "WordPiece") {
    object.expect_keys({"type", "prefix", "cleanup"});
    return make_word_piece_decoder(object.string_at("prefix"), object.boolean_at("cleanup"));
  }
  if (type == "Metaspace") {
    const MetaspaceKeys keys = read_metaspace(object);
    return make_metaspace_decoder(keys.replacement, keys.scheme);
  }
  if (type == "CTC") {
    object.expect_keys({"type", "pad_token", "word_delimiter_token", "cleanup"});
    return make_ctc_decoder(object.string_at("pad_token"), object.string_at("word_delimiter_token"), object.boolean_at("cleanup"));
  }
  if (type == "Replace") {
    object.expect_keys({"type", "pattern", "content"});
    return make_replace_decoder(read_pattern(object), object.string_at("content"));
  }
  if (type == "Strip") {
    object.expect_keys({"type", "content", "start", "stop"});
    return make_strip_decoder(object.character_at("content"), object.count_at("start"), object.count_at("stop"));
  }
  refuse_type(object);
}

}  // namespace flowrun::tokenizers
