#include "fast_bpe.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <flowrun/error.hpp>

#include "components_file.hpp"
#include "tokenizer_file.hpp"
#include "tokenizers/common/pattern/named_patterns.hpp"
#include "tokenizers/common/pattern/scanners.hpp"
#include "tokenizers/common/tokenizer_json.hpp"

namespace flowrun::tokenizers {
namespace {

bool is_type(const Json& component, const char* type) { return component.is_object() && component.value("type", Json()) == type; }

bool is_byte_level(const Json& component, bool use_regex) {
  return is_type(component, "ByteLevel") && component.value("add_prefix_space", true) == false && component.value("use_regex", true) == use_regex;
}

/// Returns the scanner that does all that the pre-tokenizer does, or null. Every byte belongs to a match of a known pattern, so it does not matter whether
/// matches are isolated or what is between them removed.
BatchScanner scanner_of(const Json& pre_tokenizer) {
  if (is_byte_level(pre_tokenizer, true)) return find_batch_scanner(expression_named("gpt2"));
  if (!is_type(pre_tokenizer, "Sequence")) return nullptr;
  const Json& steps = pre_tokenizer.at("pretokenizers");
  if (steps.size() != 2 || !is_type(steps[0], "Split") || !is_byte_level(steps[1], false)) return nullptr;
  const Json& split = steps[0];
  const bool all_matches = split.at("behavior") == "Isolated" || (split.at("behavior") == "Removed" && split.at("invert") == true);
  const Json& pattern = split.at("pattern");
  return all_matches && pattern.contains("Regex") ? find_batch_scanner(pattern.at("Regex").get<std::string>()) : nullptr;
}

/// Returns the form of a normalizer that is one; `known` is false for any other normalizer.
std::optional<NormalForm> form_of(const Json& normalizer, bool& known) {
  known = true;
  if (is_type(normalizer, "NFC")) return NormalForm::kNfc;
  if (is_type(normalizer, "NFKC")) return NormalForm::kNfkc;
  known = normalizer.is_null();
  return std::nullopt;
}

}  // namespace

std::shared_ptr<const FastBpe> FastBpe::make(const Json& root) {
  auto fast = std::make_shared<FastBpe>();
  const auto component = [&](const char* key) { return root.contains(key) ? root.at(key) : Json(); };
  bool known = false;
  fast->form_ = form_of(component("normalizer"), known);
  fast->scanner_ = scanner_of(component("pre_tokenizer"));
  if (!known || fast->scanner_ == nullptr) return nullptr;
  bpe::BpeModel model;
  try {
    model = bpe::read_byte_level_model(root);
  } catch (const Error&) {
    return nullptr;  // a file that is damaged has been refused before; this one is of another shape
  }
  if (JsonObject(root.at("model"), "model").boolean_or("ignore_merges", false)) fast->whole_tokens_ = std::make_shared<const bpe::WholeTokens>(model);
  fast->bpe_ = std::make_shared<const bpe::Bpe>(model);
  std::vector<AddedToken> plain;
  for (AddedToken& token : read_added_tokens(JsonObject(root, "")))
    if (!token.special) plain.push_back(std::move(token));
  const auto normalizer = read_normalizer(component("normalizer"), "normalizer");
  fast->plain_added_ = AddedTokens(std::move(plain), normalizer.get());
  return fast;
}

bool FastBpe::fits(std::string_view text) const { return (!form_ || is_normalized_quick(text, *form_)) && !plain_added_.occur_in(text); }

}  // namespace flowrun::tokenizers
