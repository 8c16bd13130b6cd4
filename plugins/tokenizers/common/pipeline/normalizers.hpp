#pragma once

// What changes text before it is cut, each as Hugging Face tokenizers 0.23.3 does it (normalizers/*.rs).

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "normalized_string.hpp"
#include "pre_tokenizers.hpp"
#include "tokenizers/common/unicode/normalization.hpp"

namespace flowrun::tokenizers {

/// Changes text in place. Immutable: any number of threads.
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual void apply(NormalizedString& text) const = 0;
};

/// BERT's: control characters removed, white space to spaces, spaces around Chinese characters, accents stripped, lower case. `strip_accents` not
/// given follows `lowercase`.
std::unique_ptr<Normalizer> make_bert_normalizer(bool clean_text, bool handle_chinese_chars, std::optional<bool> strip_accents, bool lowercase);
std::unique_ptr<Normalizer> make_byte_level_normalizer();
std::unique_ptr<Normalizer> make_lowercase();
/// Of sentencepiece's nmt rules: control characters removed, unusual spaces to spaces.
std::unique_ptr<Normalizer> make_nmt();
/// `charsmap` is sentencepiece's precompiled map, in base64. Throws kCorruptData.
std::unique_ptr<Normalizer> make_precompiled(const std::string& charsmap);
std::unique_ptr<Normalizer> make_prepend(std::string prefix);
std::unique_ptr<Normalizer> make_replace(TextPattern pattern, std::string content);
std::unique_ptr<Normalizer> make_sequence(std::vector<std::unique_ptr<Normalizer>> steps);
std::unique_ptr<Normalizer> make_strip(bool left, bool right);
std::unique_ptr<Normalizer> make_strip_accents();
std::unique_ptr<Normalizer> make_unicode_form(NormalForm form);

}  // namespace flowrun::tokenizers
