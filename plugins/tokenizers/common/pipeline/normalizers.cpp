#include "normalizers.hpp"

#include <functional>
#include <utility>

#include "tokenizers/common/unicode/properties.hpp"
#include "tokenizers/common/unicode/utf8.hpp"
#include "tokenizers/common/unigram/precompiled_normalizer.hpp"

namespace flowrun::tokenizers {
namespace {

/// A normalizer that is one function.
class Function final : public Normalizer {
 public:
  explicit Function(std::function<void(NormalizedString&)> body) : body_(std::move(body)) {}
  void apply(NormalizedString& text) const override { body_(text); }

 private:
  std::function<void(NormalizedString&)> body_;
};

std::unique_ptr<Normalizer> make(std::function<void(NormalizedString&)> body) { return std::make_unique<Function>(std::move(body)); }

void apply_form(NormalizedString& text, NormalForm form) {
  if (!is_normalized_quick(text.text(), form)) text.transform(normalize(text.text(), form));
}

void clean(NormalizedString& text) {
  text.filter([](char32_t c) { return c != 0 && c != 0xFFFD && !is_control_bert(c); });
  text.map([](char32_t c) { return is_white_space(c) ? U' ' : c; });
}

void space_out_chinese(NormalizedString& text) {
  std::vector<MappedChar> chars;
  for (std::size_t at = 0; at < text.text().size();) {
    const char32_t c = next_code_point(text.text(), at);
    if (is_chinese_bert(c)) chars.insert(chars.end(), {{U' ', 0}, {c, 1}, {U' ', 1}});
    else chars.push_back({c, 0});
  }
  text.transform(chars);
}

class Sequence final : public Normalizer {
 public:
  explicit Sequence(std::vector<std::unique_ptr<Normalizer>> steps) : steps_(std::move(steps)) {}
  void apply(NormalizedString& text) const override {
    for (const auto& step : steps_) step->apply(text);
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> steps_;
};

}  // namespace

std::unique_ptr<Normalizer> make_bert_normalizer(bool clean_text, bool handle_chinese_chars, std::optional<bool> strip_accents, bool lowercase) {
  return make([=](NormalizedString& text) {
    if (clean_text) clean(text);
    if (handle_chinese_chars) space_out_chinese(text);
    if (strip_accents.value_or(lowercase)) {
      apply_form(text, NormalForm::kNfd);
      text.filter([](char32_t c) { return !is_nonspacing_mark_bert(c); });
    }
    if (lowercase) text.lowercase();
  });
}

std::unique_ptr<Normalizer> make_byte_level_normalizer() { return make(spell_bytes); }

std::unique_ptr<Normalizer> make_lowercase() {
  return make([](NormalizedString& text) { text.lowercase(); });
}

std::unique_ptr<Normalizer> make_nmt() {
  return make([](NormalizedString& text) {
    text.filter([](char32_t c) { return !is_removed_by_nmt(c); });
    text.map([](char32_t c) { return mapped_by_nmt(c); });
  });
}

std::unique_ptr<Normalizer> make_precompiled(const std::string& charsmap) {
  const auto map = std::make_shared<const PrecompiledNormalizer>(PrecompiledNormalizer::from_base64(charsmap));
  return make([map](NormalizedString& text) {
    std::vector<NormalizedCharacter> characters;
    if (!map->normalize(text.text(), characters)) return;
    std::vector<MappedChar> chars;
    for (const auto& [character, change] : characters) chars.push_back({character, static_cast<std::int32_t>(change)});
    text.transform(chars);
  });
}

std::unique_ptr<Normalizer> make_prepend(std::string prefix) {
  return make([prefix = std::move(prefix)](NormalizedString& text) { text.prepend(prefix); });
}

std::unique_ptr<Normalizer> make_replace(TextPattern pattern, std::string content) {
  return make([pattern = std::move(pattern), content = std::move(content)](NormalizedString& text) { text.replace(pattern.parts(text.text()), content); });
}

std::unique_ptr<Normalizer> make_sequence(std::vector<std::unique_ptr<Normalizer>> steps) { return std::make_unique<Sequence>(std::move(steps)); }

std::unique_ptr<Normalizer> make_strip(bool left, bool right) {
  return make([=](NormalizedString& text) { text.strip(left, right); });
}

std::unique_ptr<Normalizer> make_strip_accents() {
  return make([](NormalizedString& text) { text.filter([](char32_t c) { return !is_combining_mark(c); }); });
}

std::unique_ptr<Normalizer> make_unicode_form(NormalForm form) {
  return make([form](NormalizedString& text) { apply_form(text, form); });
}

}  // namespace flowrun::tokenizers
