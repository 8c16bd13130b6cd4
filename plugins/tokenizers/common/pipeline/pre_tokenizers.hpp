#pragma once

// What cuts normalized text into the pieces that a model sees, each as Hugging Face tokenizers 0.23.3 does it (pre_tokenizers/*.rs).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "normalized_string.hpp"
#include "tokenizers/common/pattern/pattern.hpp"
#include "tokenizers/common/pattern/scanners.hpp"

namespace flowrun::tokenizers {

/// A piece of a text: an added token, which no later step touches, or text.
struct Piece {
  NormalizedString text;
  std::optional<std::uint32_t> added_id = {};
};

/// A text as its pieces, in order; none is empty.
using Pieces = std::vector<Piece>;

/// Cuts pieces into smaller ones. Immutable: any number of threads.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void apply(Pieces& pieces) const = 0;
};

/// A text that is looked for as it is, or a regular expression.
class TextPattern {
 public:
  static TextPattern literal(std::string text);
  /// Throws kUnsupported for an expression that the engine has no part for. One that is known has a scanner and needs no engine.
  static TextPattern expression(std::string expression);
  /// Returns the parts of `text`, which cover it.
  std::vector<PatternPart> parts(std::string_view text) const;

 private:
  std::string text_;
  Scanner scanner_ = nullptr;
  std::shared_ptr<const Pattern> pattern_;
};

/// `▁` for spaces, and one before the text: always, only where the text begins the input, or never.
enum class PrependScheme { kFirst, kNever, kAlways };

std::unique_ptr<PreTokenizer> make_bert_pre_tokenizer();
std::unique_ptr<PreTokenizer> make_byte_level(bool add_prefix_space, bool use_regex);
std::unique_ptr<PreTokenizer> make_character_delimiter(char32_t delimiter);
/// Digits one by one, or in runs.
std::unique_ptr<PreTokenizer> make_digits(bool individual);
/// `length` characters a piece.
std::unique_ptr<PreTokenizer> make_fixed_length(std::size_t length);
std::unique_ptr<PreTokenizer> make_metaspace(char32_t replacement, PrependScheme scheme, bool split);
std::unique_ptr<PreTokenizer> make_punctuation(SplitBehavior behavior);
std::unique_ptr<PreTokenizer> make_sequence(std::vector<std::unique_ptr<PreTokenizer>> steps);
std::unique_ptr<PreTokenizer> make_split(TextPattern pattern, SplitBehavior behavior, bool invert);
std::unique_ptr<PreTokenizer> make_unicode_scripts();
/// Runs of word characters and runs of others that are no white space.
std::unique_ptr<PreTokenizer> make_whitespace();
std::unique_ptr<PreTokenizer> make_whitespace_split();

/// Spells each byte of the text as a character (byte_level.hpp).
void spell_bytes(NormalizedString& text);

}  // namespace flowrun::tokenizers
