#include "metaspace_bpe.hpp"

#include <utility>

#include "components_file.hpp"
#include "json_shapes.hpp"
#include "models_file.hpp"
#include "tokenizer_file.hpp"
#include "tokenizers/common/models/fallback_bytes.hpp"

namespace flowrun::tokenizers {
namespace {

/// Appends `text` with a space for each U+2581.
void append_spaced(std::string_view text, std::string& out) {
  for (std::size_t begin = 0;;) {
    const std::size_t found = text.find(kMetaspace, begin);
    out += text.substr(begin, found - begin);
    if (found == std::string_view::npos) return;
    out.push_back(' ');
    begin = found + kMetaspace.size();
  }
}

/// A Split at spaces of which none is left, as in Gemma's files.
bool is_idle_split(const Json& step) {
  return type_of(step) == "Split" && step.at("pattern").value("String", Json()) == " " && step.at("invert") == false;
}

std::vector<std::string_view> tokens_of_merges(const bpe::BpeModel& model, std::size_t vocab_size) {
  std::vector<std::string_view> tokens;
  for (const bpe::BpeMerge& merge : model.merges)
    if (merge.result < vocab_size) tokens.push_back(model.tokens[merge.result]);
  return tokens;
}

AddedTokens plain_added_of(const Json& root) {
  const auto normalizer = read_normalizer(component(root, "normalizer"), "normalizer");
  std::vector<AddedToken> plain;
  for (const AddedToken& token : read_added_tokens(JsonObject(root, ""))) {
    if (token.special) continue;
    NormalizedString content(token.content);
    if (token.normalized && normalizer) normalizer->apply(content);
    AddedToken spaced;
    spaced.id = token.id;
    spaced.normalized = false;
    append_spaced(content.text(), spaced.content);
    plain.push_back(std::move(spaced));
  }
  return AddedTokens(std::move(plain), nullptr);
}

}  // namespace

std::optional<MetaspaceBpe::Spaces> MetaspaceBpe::find_spaces(const Json& root) {
  const std::vector<Json> steps = steps_of(component(root, "normalizer"), "normalizers");
  const Json pre_tokenizer = component(root, "pre_tokenizer");
  if (type_of(pre_tokenizer) == "Metaspace") {
    if (!steps.empty() || pre_tokenizer.at("replacement") != kMetaspace) return std::nullopt;
    const bool never = pre_tokenizer.value("prepend_scheme", Json()) == "never";
    return Spaces{never ? Prepend::kNever : Prepend::kUnlessSpace, JsonObject(pre_tokenizer, "pre_tokenizer").boolean_or("split", true)};
  }
  if (!pre_tokenizer.is_null() && !is_idle_split(pre_tokenizer)) return std::nullopt;
  if (steps.empty() || steps.size() > 2 || !is_replacement(steps.back(), "String", " ", kMetaspace)) return std::nullopt;
  if (steps.size() == 1) return Spaces{Prepend::kNever, false};
  if (type_of(steps[0]) != "Prepend" || steps[0].at("prepend") != kMetaspace) return std::nullopt;
  return Spaces{Prepend::kAlways, false};
}

std::shared_ptr<const MetaspaceBpe> MetaspaceBpe::make(const Json& root) {
  const Json& model = root.at("model");
  const auto spaces = find_spaces(root);
  if (!spaces || !gives_text_once(component(root, "post_processor")) || model_type_of(JsonObject(model, "model")) != "BPE" || model.value("byte_fallback", Json()) != true) return nullptr;
  const auto bpe = read_model(JsonObject(model, "model"));
  const auto bytes = find_fallback_bytes(static_cast<const GeneralBpe&>(*bpe), kMetaspace);
  if (!bytes) return nullptr;
  return std::shared_ptr<const MetaspaceBpe>(new MetaspaceBpe(*spaces, *bytes, bpe->vocab_size(), root));
}

MetaspaceBpe::MetaspaceBpe(Spaces spaces, const FallbackBytes& bytes, std::size_t vocab_size, const Json& root)
    : prepend_(spaces.prepend),
      bpe_(std::make_shared<const bpe::Bpe>(bytes.model)),
      spelt_ids_(std::make_shared<const bpe::SpeltIds>(bytes.spelt)),
      cuts_(tokens_of_merges(bytes.model, vocab_size), spaces.cut_before),
      plain_added_(plain_added_of(root)) {}

MetaspaceBpe::Encoder::Encoder(std::shared_ptr<const MetaspaceBpe> bpe) : bpe_(std::move(bpe)), encoder_(bpe_->bpe_, bpe_->spelt_ids_) {}

bool MetaspaceBpe::Encoder::encode(std::string_view text, std::vector<std::uint32_t>& out) {
  if (text.empty()) return true;
  spaced_.assign(1, ' ');
  append_spaced(text, spaced_);
  if (bpe_->plain_added_.occur_in(spaced_)) return false;
  const bool prepended = bpe_->prepend_ == Prepend::kAlways || (bpe_->prepend_ == Prepend::kUnlessSpace && spaced_[1] != ' ');
  encoder_.encode_cut_by(bpe_->cuts_, std::string_view(spaced_).substr(prepended ? 0 : 1), out);
  return true;
}

}  // namespace flowrun::tokenizers
