#include "parts_rule.hpp"

#include <algorithm>
#include <string>

#include "components_file.hpp"
#include "json_shapes.hpp"
#include "models_file.hpp"
#include "tokenizers/common/unicode/properties.hpp"
#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

constexpr unsigned char kMetaspaceLast = 0x81;
// Below are no characters that hold on to the one behind them (Grapheme_Cluster_Break=Prepend), which a precompiled map would see together.
constexpr std::size_t kCutFollowsMax = 0x600;

bool drops_white_space(const Json& root) {
  // Other normalizers may look at more than a character: Lowercase at what stands before a sigma.
  if (const Json normalizer = component(root, "normalizer"); !normalizer.is_null() && type_of(normalizer) != "BertNormalizer") return false;
  const Json pre_tokenizer = component(root, "pre_tokenizer");
  const std::string_view type = type_of(pre_tokenizer);
  return type == "BertPreTokenizer" || type == "Whitespace" || type == "WhitespaceSplit";
}

/// Whether a normalizer sees no further than to the next space, and what it makes of a space still is one.
bool stays_between_spaces(const Json& step) {
  for (const char* const type : {"Nmt", "NFC", "NFD", "NFKC", "NFKD", "Precompiled"})
    if (type_of(step) == type) return true;
  return is_replacement(step, "Regex", " {2,}", " ") || is_replacement(step, "Regex", " {2,}", kMetaspace);
}

std::string normalized(const Normalizer& normalizer, const std::string& text) {
  NormalizedString string(text);
  normalizer.apply(string);
  return string.text();
}

/// Asks the normalizer which characters a cut may follow: letters and ASCII that it makes the same of with and without a space behind them, and of which
/// no space is left that could join the one behind. `space` is what begins the next part.
std::vector<bool> characters_before_cuts(const Normalizer& normalizer, const std::string& space) {
  std::vector<bool> follows(kCutFollowsMax);
  const std::string behind = normalized(normalizer, space + "a");
  if (behind != " a" && behind != std::string(kMetaspace) + "a") return follows;
  for (char32_t c = '!'; c < kCutFollowsMax; ++c) {
    if (c >= 0x80 && !is_letter(c)) continue;
    std::string one;
    append_utf8(c, one);
    const std::string alone = normalized(normalizer, one);
    const bool ends_well = !alone.empty() && alone.back() != ' ' && static_cast<unsigned char>(alone.back()) != kMetaspaceLast;
    follows[c] = c != 0x7F && ends_well && normalized(normalizer, one + space + "a") == alone + behind;
  }
  return follows;
}

std::optional<PartsRule> rule_of_metaspace(const Json& root) {
  const std::vector<Json> cuts = steps_of(component(root, "pre_tokenizer"), "pretokenizers");
  if (cuts.empty() || cuts.size() > 2 || type_of(cuts.back()) != "Metaspace" || !JsonObject(cuts.back(), "pre_tokenizer").boolean_or("split", true)) return std::nullopt;
  if (cuts.size() == 2 && type_of(cuts[0]) != "WhitespaceSplit") return std::nullopt;
  const Json normalizer = component(root, "normalizer");
  const std::vector<Json> steps = steps_of(normalizer, "normalizers");
  PartsRule rule{PartsRule::Cut::kBeforeSpaces};
  if (steps.empty()) return rule;
  if (!std::all_of(steps.begin(), steps.end(), stays_between_spaces)) return std::nullopt;
  const auto normalize = read_normalizer(normalizer, "normalizer");
  rule.cut_follows = characters_before_cuts(*normalize, " ");
  rule.breaks = characters_before_cuts(*normalize, "\n") == rule.cut_follows;
  return rule;
}

std::string token_of(const Json& merge) {
  if (merge.is_array()) return merge.at(0).get<std::string>() + merge.at(1).get<std::string>();
  std::string token = merge.get<std::string>();
  return token.erase(token.find(' '), 1);
}

/// Returns the characters that U+2581 stands behind in tokens that merges give, itself left out: below kCutFollowsMax, and that number for any other.
std::vector<std::size_t> characters_before_metaspace(const Json& merges) {
  std::vector<std::size_t> found;
  for (const Json& merge : merges) {
    const std::string token = token_of(merge);
    std::size_t last = 0;
    for (std::size_t at = 0; at < token.size();) {
      const char32_t c = next_code_point(token, at);
      if (c == U'\u2581' && last != 0 && last != c) found.push_back(std::min<std::size_t>(last, kCutFollowsMax));
      last = c;
    }
  }
  return found;
}

/// Returns the rule for BPE of texts whose spaces have become U+2581, as far as the vocabulary goes.
std::optional<PartsRule> rule_of_merges(const Json& model, PartsRule::Cut cut) {
  for (const char* const affix : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (!JsonObject(model, "model").optional_string(affix).value_or("").empty()) return std::nullopt;
  if (JsonObject(model, "model").boolean_or("ignore_merges", false) || !model.at("vocab").contains(kMetaspace)) return std::nullopt;
  const std::vector<std::size_t> joined = characters_before_metaspace(model.at("merges"));
  if (joined.empty()) return PartsRule{cut};
  // A token that stands for bytes or for unknown text may be joined to U+2581 too, and then the character before it in a text is another than in the token.
  const Json unk_token = model.value("unk_token", Json());
  const std::string unknown = ">" + (unk_token.is_string() ? unk_token.get<std::string>() : "");
  PartsRule rule{cut, std::vector<bool>(kCutFollowsMax, true)};
  rule.cut_follows[' '] = false;
  for (const std::size_t c : joined) {
    if (c == kCutFollowsMax) continue;  // no cut follows such a character
    if (c == '>' || c == static_cast<unsigned char>(unknown.back())) return std::nullopt;
    rule.cut_follows[c] = false;
  }
  return rule;
}

std::optional<PartsRule> rule_of_whole_bpe(const Json& root) {
  const Json& model = root.at("model");
  if (model_type_of(JsonObject(model, "model")) != "BPE") return std::nullopt;
  const std::vector<Json> steps = steps_of(component(root, "normalizer"), "normalizers");
  const Json pre_tokenizer = component(root, "pre_tokenizer");
  if (type_of(pre_tokenizer) == "Metaspace") {
    const bool whole = !JsonObject(pre_tokenizer, "pre_tokenizer").boolean_or("split", true) && pre_tokenizer.at("replacement") == kMetaspace;
    return whole && steps.empty() ? rule_of_merges(model, PartsRule::Cut::kBeforeSpaces) : std::nullopt;
  }
  if (!pre_tokenizer.is_null() || steps.empty() || !is_replacement(steps.back(), "String", " ", kMetaspace)) return std::nullopt;
  if (steps.size() == 1) return rule_of_merges(model, PartsRule::Cut::kBeforeSpaces);
  const bool prepended = steps.size() == 2 && type_of(steps[0]) == "Prepend" && steps[0].at("prepend") == kMetaspace;
  return prepended ? rule_of_merges(model, PartsRule::Cut::kAtSpaces) : std::nullopt;
}

// The first bytes of characters that join no character before them: ASCII, and scripts that have no marks (Latin, Greek, Cyrillic, Chinese, Korean). Others a
// normalizer may see together with the space.
constexpr bool begins_apart(unsigned char byte) noexcept {
  return byte < 0x80 || (byte >= 0xC3 && byte <= 0xCA) || byte == 0xCE || byte == 0xCF || byte == 0xD0 || byte == 0xD1 || (byte >= 0xE4 && byte <= 0xE9) || byte == 0xEB || byte == 0xEC;
}

}  // namespace

bool PartsRule::allows(std::string_view text, std::size_t at) const noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  // At the end of a text nothing would be left of its last space, and an empty text has no ids.
  if (cut == Cut::kAtSpaces && at + 1 == text.size()) return false;
  const unsigned char last = byte(at - 1);
  // U+2581 ends with a byte that few characters end with.
  if (cut_follows.empty()) return last != ' ' && last != kMetaspaceLast;
  if (at + 1 < text.size() && !begins_apart(byte(at + 1))) return false;
  if (last < 0x80) return cut_follows[last];
  if (at < 2 || last >= 0xC0 || byte(at - 2) < 0xC3 || byte(at - 2) > 0xD7) return false;
  return cut_follows[(byte(at - 2) & 0x1Fu) << 6 | (last & 0x3Fu)];
}

std::optional<PartsRule> find_parts_rule(const Json& root) {
  // An added token that is not special is looked for in the text, and may hold a space.
  for (const Json& token : component(root, "added_tokens"))
    if (!token.value("special", false)) return std::nullopt;
  if (!gives_text_once(component(root, "post_processor"))) return std::nullopt;
  if (drops_white_space(root)) return PartsRule{PartsRule::Cut::kAtWhiteSpace};
  if (auto rule = rule_of_metaspace(root)) return rule;
  return rule_of_whole_bpe(root);
}

}  // namespace flowrun::tokenizers
