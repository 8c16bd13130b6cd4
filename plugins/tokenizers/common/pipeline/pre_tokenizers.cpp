#include "pre_tokenizers.hpp"

#include <functional>
#include <utility>

#include "tokenizers/common/byte_level.hpp"
#include "tokenizers/common/pattern/named_patterns.hpp"
#include "tokenizers/common/unicode/properties.hpp"
#include "tokenizers/common/unicode/scripts.hpp"
#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

std::uint32_t narrow(std::size_t n) { return static_cast<std::uint32_t>(n); }

/// Cuts every piece of text by `cut`, which may change it first; what is empty then goes.
template <class Cut>
void cut_pieces(Pieces& pieces, Cut&& cut) {
  Pieces result;
  result.reserve(pieces.size());
  for (Piece& piece : pieces) {
    if (piece.added_id) {
      result.push_back(std::move(piece));
      continue;
    }
    for (NormalizedString& part : cut(piece.text))
      if (!part.empty()) result.push_back({std::move(part)});
  }
  pieces = std::move(result);
}

/// Cuts at characters.
class CharacterSplit final : public PreTokenizer {
 public:
  CharacterSplit(std::function<bool(char32_t)> matches, SplitBehavior behavior) : matches_(std::move(matches)), behavior_(behavior) {}
  void apply(Pieces& pieces) const override {
    cut_pieces(pieces, [&](NormalizedString& text) { return text.split(match_characters(text.text(), matches_), behavior_); });
  }

 private:
  std::function<bool(char32_t)> matches_;
  SplitBehavior behavior_;
};

class PatternSplit final : public PreTokenizer {
 public:
  PatternSplit(TextPattern pattern, SplitBehavior behavior, bool inverted) : pattern_(std::move(pattern)), behavior_(behavior), inverted_(inverted) {}
  void apply(Pieces& pieces) const override {
    cut_pieces(pieces, [&](NormalizedString& text) {
      auto parts = pattern_.parts(text.text());
      if (inverted_) invert(parts);
      return text.split(parts, behavior_);
    });
  }

 private:
  TextPattern pattern_;
  SplitBehavior behavior_;
  bool inverted_;
};

class Sequence final : public PreTokenizer {
 public:
  explicit Sequence(std::vector<std::unique_ptr<PreTokenizer>> steps) : steps_(std::move(steps)) {}
  void apply(Pieces& pieces) const override {
    for (const auto& step : steps_) step->apply(pieces);
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> steps_;
};

class ByteLevel final : public PreTokenizer {
 public:
  ByteLevel(bool add_prefix_space, bool use_regex)
      : add_prefix_space_(add_prefix_space),
        use_regex_(use_regex),
        pattern_(TextPattern::expression(std::string(expression_named("gpt2")))) {}
  void apply(Pieces& pieces) const override {
    cut_pieces(pieces, [&](NormalizedString& text) {
      if (add_prefix_space_ && !text.text().starts_with(' ')) text.prepend(" ");
      if (!use_regex_) return std::vector{std::move(text)};
      return text.split(pattern_.parts(text.text()), SplitBehavior::kIsolated);
    });
    for (Piece& piece : pieces)
      if (!piece.added_id) spell_bytes(piece.text);
  }

 private:
  bool add_prefix_space_, use_regex_;
  TextPattern pattern_;
};

class Metaspace final : public PreTokenizer {
 public:
  Metaspace(char32_t replacement, PrependScheme scheme, bool split) : replacement_(replacement), scheme_(scheme), split_(split) { append_utf8(replacement, spelling_); }
  void apply(Pieces& pieces) const override {
    cut_pieces(pieces, [&](NormalizedString& text) {
      text.replace(match_characters(text.text(), [](char32_t c) { return c == U' '; }), spelling_);
      const bool wanted = scheme_ == PrependScheme::kAlways || (scheme_ == PrependScheme::kFirst && text.original_begin() == 0);
      if (wanted && !text.text().starts_with(spelling_)) text.prepend(spelling_);
      if (!split_) return std::vector{std::move(text)};
      return text.split(match_characters(text.text(), [&](char32_t c) { return c == replacement_; }), SplitBehavior::kMergedWithNext);
    });
  }

 private:
  char32_t replacement_;
  PrependScheme scheme_;
  bool split_;
  std::string spelling_;
};

class FixedLength final : public PreTokenizer {
 public:
  explicit FixedLength(std::size_t length) : length_(length) {}
  void apply(Pieces& pieces) const override {
    cut_pieces(pieces, [&](NormalizedString& text) {
      std::vector<NormalizedString> parts;
      for (std::size_t at = 0; at < text.text().size();) {
        const std::size_t begin = at;
        for (std::size_t n = 0; n < length_ && at < text.text().size(); ++n) next_code_point(text.text(), at);
        parts.push_back(text.slice({narrow(begin), narrow(at)}));
      }
      return parts;
    });
  }

 private:
  std::size_t length_;
};

/// Cuts where the script changes. What has no script of its own stays with what is before it. As in the library, text before the first such place is
/// dropped with it: a piece that begins with characters of no script loses them.
class UnicodeScripts final : public PreTokenizer {
 public:
  void apply(Pieces& pieces) const override {
    cut_pieces(pieces, [](NormalizedString& text) {
      std::vector<std::size_t> cuts;
      int last = kNone;
      for (std::size_t at = 0; at < text.text().size();) {
        const std::size_t begin = at;
        const int script = script_class(next_code_point(text.text(), at));
        if (script == kAnyScript) continue;
        if (last != script) cuts.push_back(begin);
        last = script;
      }
      cuts.push_back(text.text().size());
      std::vector<NormalizedString> parts;
      for (std::size_t i = 0; i + 1 < cuts.size(); ++i) parts.push_back(text.slice({narrow(cuts[i]), narrow(cuts[i + 1])}));
      return parts;
    });
  }

 private:
  static constexpr int kNone = -1;
};

bool is_punctuation(char32_t c) { return is_punctuation_bert(c); }

}  // namespace

void spell_bytes(NormalizedString& text) {
  static const std::vector<char32_t> spellings = [] {
    std::vector<char32_t> all;
    for (int byte = 0; byte < 256; ++byte) {
      std::size_t at = 0;
      all.push_back(next_code_point(bpe::byte_level_encode(std::string(1, static_cast<char>(byte))), at));
    }
    return all;
  }();
  std::vector<MappedChar> chars;
  chars.reserve(text.text().size());
  for (std::size_t at = 0; at < text.text().size();) {
    const std::size_t begin = at;
    next_code_point(text.text(), at);
    for (std::size_t i = begin; i < at; ++i) chars.push_back({spellings[static_cast<unsigned char>(text.text()[i])], i == begin ? 0 : 1});
  }
  text.transform(chars);
}

TextPattern TextPattern::literal(std::string text) {
  if (text.empty()) return expression("");  // stands between any two characters
  TextPattern pattern;
  pattern.text_ = std::move(text);
  return pattern;
}

TextPattern TextPattern::expression(std::string expression) {
  TextPattern pattern;
  pattern.scanner_ = find_scanner(expression);
  if (pattern.scanner_ == nullptr) pattern.pattern_ = std::make_shared<const Pattern>(Pattern::compile(expression));
  return pattern;
}

std::vector<PatternPart> TextPattern::parts(std::string_view text) const {
  std::vector<PatternPart> parts;
  if (text.empty()) return {{{0, 0}, false}};
  std::size_t last = 0;
  const auto matched = [&](std::size_t begin, std::size_t end) {
    if (last != begin) parts.push_back({{narrow(last), narrow(begin)}, false});
    parts.push_back({{narrow(begin), narrow(end)}, true});
    last = end;
  };
  if (scanner_ != nullptr) {
    while (last < text.size()) matched(last, scanner_(text, last));
  } else if (pattern_ != nullptr) {
    Pattern::Scratch scratch;
    Pattern::Matches matches(*pattern_, text, scratch);
    while (const auto match = matches.next()) matched(match->begin, match->end);
  } else {
    for (std::size_t found; (found = text.find(text_, last)) != std::string_view::npos;) matched(found, found + text_.size());
  }
  if (last != text.size()) parts.push_back({{narrow(last), narrow(text.size())}, false});
  return parts;
}

std::unique_ptr<PreTokenizer> make_bert_pre_tokenizer() {
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  steps.push_back(make_whitespace_split());
  steps.push_back(make_punctuation(SplitBehavior::kIsolated));
  return make_sequence(std::move(steps));
}

std::unique_ptr<PreTokenizer> make_byte_level(bool add_prefix_space, bool use_regex) { return std::make_unique<ByteLevel>(add_prefix_space, use_regex); }

std::unique_ptr<PreTokenizer> make_character_delimiter(char32_t delimiter) {
  return std::make_unique<CharacterSplit>([delimiter](char32_t c) { return c == delimiter; }, SplitBehavior::kRemoved);
}

std::unique_ptr<PreTokenizer> make_digits(bool individual) {
  return std::make_unique<CharacterSplit>(is_numeric, individual ? SplitBehavior::kIsolated : SplitBehavior::kContiguous);
}

std::unique_ptr<PreTokenizer> make_fixed_length(std::size_t length) { return std::make_unique<FixedLength>(length); }

std::unique_ptr<PreTokenizer> make_metaspace(char32_t replacement, PrependScheme scheme, bool split) { return std::make_unique<Metaspace>(replacement, scheme, split); }

std::unique_ptr<PreTokenizer> make_punctuation(SplitBehavior behavior) { return std::make_unique<CharacterSplit>(is_punctuation, behavior); }

std::unique_ptr<PreTokenizer> make_sequence(std::vector<std::unique_ptr<PreTokenizer>> steps) { return std::make_unique<Sequence>(std::move(steps)); }

std::unique_ptr<PreTokenizer> make_split(TextPattern pattern, SplitBehavior behavior, bool inverted) {
  return std::make_unique<PatternSplit>(std::move(pattern), behavior, inverted);
}

std::unique_ptr<PreTokenizer> make_unicode_scripts() { return std::make_unique<UnicodeScripts>(); }

std::unique_ptr<PreTokenizer> make_whitespace() {
  // `\w+|[^\w\s]+` of the library's second engine (Rust's regex), whose \w is is_word.
  class Words final : public PreTokenizer {
   public:
    void apply(Pieces& pieces) const override {
      cut_pieces(pieces, [](NormalizedString& text) {
        std::vector<NormalizedString> parts;
        int kind = kSpace;
        std::size_t begin = 0;
        for (std::size_t at = 0; at < text.text().size();) {
          const std::size_t here = at;
          const char32_t c = next_code_point(text.text(), at);
          const int found = is_word(c) ? kWord : is_white_space(c) ? kSpace : kOther;
          if (found == kind) continue;
          if (kind != kSpace) parts.push_back(text.slice({narrow(begin), narrow(here)}));
          kind = found;
          begin = here;
        }
        if (kind != kSpace) parts.push_back(text.slice({narrow(begin), narrow(text.text().size())}));
        return parts;
      });
    }

   private:
    enum { kSpace, kWord, kOther };
  };
  return std::make_unique<Words>();
}

std::unique_ptr<PreTokenizer> make_whitespace_split() { return std::make_unique<CharacterSplit>(is_white_space, SplitBehavior::kRemoved); }

}  // namespace flowrun::tokenizers
