#include "post_processors.hpp"

#include <algorithm>
#include <utility>

#include "tokenizers/common/unicode/properties.hpp"
#include "tokenizers/common/unicode/utf8.hpp"

namespace flowrun::tokenizers {
namespace {

constexpr char32_t kSpelledSpace = 0x120;  // how byte-level spells a space

/// Leaves the white space at both ends of each token out of its offsets, which are in characters.
void trim_offsets(Encoding& encoding, bool add_prefix_space) {
  for (std::size_t i = 0; i < encoding.size(); ++i) {
    std::vector<bool> spaces;
    const std::string& token = encoding.tokens[i];
    for (std::size_t at = 0; at < token.size();) {
      const char32_t c = next_code_point(token, at);
      spaces.push_back(c == kSpelledSpace || is_white_space(c));
    }
    auto leading = static_cast<std::uint32_t>(std::find(spaces.begin(), spaces.end(), false) - spaces.begin());
    const auto trailing = static_cast<std::uint32_t>(std::find(spaces.rbegin(), spaces.rend(), false) - spaces.rbegin());
    Range& offset = encoding.offsets[i];
    // One leading space before the first word is the one that was put there.
    if ((i == 0 || offset.begin == 0) && add_prefix_space && leading == 1) leading = 0;
    if (leading > 0) offset.begin = std::min(offset.begin + leading, offset.end);
    if (trailing > 0 && offset.end >= trailing) offset.end = std::max(offset.end - trailing, offset.begin);
  }
}

Encoding surrounded(const Encoding& inner, const SpecialToken& before, const SpecialToken& behind) {
  Encoding out;
  out.add(before.second, before.first, {}, 0, true);
  for (std::size_t i = 0; i < inner.size(); ++i) out.add(inner.ids[i], inner.tokens[i], inner.offsets[i], inner.type_ids[i], inner.special[i]);
  out.add(behind.second, behind.first, {}, 0, true);
  return out;
}

class Surround final : public PostProcessor {
 public:
  Surround(SpecialToken sep, SpecialToken cls) : sep_(std::move(sep)), cls_(std::move(cls)) {}
  std::size_t added_tokens() const override { return 2; }
  void apply(Encoding& encoding, bool add_special_tokens) const override {
    if (add_special_tokens) encoding = surrounded(encoding, cls_, sep_);
  }

 private:
  SpecialToken sep_, cls_;
};

class TrimOffsets final : public PostProcessor {
 public:
  TrimOffsets(bool trim, bool add_prefix_space) : trim_(trim), add_prefix_space_(add_prefix_space) {}
  std::size_t added_tokens() const override { return 0; }
  void apply(Encoding& encoding, bool) const override {
    if (trim_) trim_offsets(encoding, add_prefix_space_);
  }

 private:
  bool trim_, add_prefix_space_;
};

class Template final : public PostProcessor {
 public:
  explicit Template(std::vector<TemplatePiece> pieces) : pieces_(std::move(pieces)) {}
  std::size_t added_tokens() const override {
    std::size_t added = 0;
    for (const TemplatePiece& piece : pieces_) added += piece.tokens.size();
    return added;
  }
  void apply(Encoding& encoding, bool add_special_tokens) const override {
    Encoding out;
    for (const TemplatePiece& piece : pieces_) {
      if (piece.is_sequence)
        for (std::size_t i = 0; i < encoding.size(); ++i) out.add(encoding.ids[i], encoding.tokens[i], encoding.offsets[i], piece.type_id, encoding.special[i]);
      else if (add_special_tokens)
        for (const auto& [token, id] : piece.tokens) out.add(id, token, {}, piece.type_id, true);
    }
    encoding = std::move(out);
  }

 private:
  std::vector<TemplatePiece> pieces_;
};

class Sequence final : public PostProcessor {
 public:
  explicit Sequence(std::vector<std::unique_ptr<PostProcessor>> steps) : steps_(std::move(steps)) {}
  std::size_t added_tokens() const override {
    std::size_t added = 0;
    for (const auto& step : steps_) added += step->added_tokens();
    return added;
  }
  void apply(Encoding& encoding, bool add_special_tokens) const override {
    for (const auto& step : steps_) step->apply(encoding, add_special_tokens);
  }

 private:
  std::vector<std::unique_ptr<PostProcessor>> steps_;
};

}  // namespace

std::unique_ptr<PostProcessor> make_bert_processing(SpecialToken sep, SpecialToken cls) { return std::make_unique<Surround>(std::move(sep), std::move(cls)); }

std::unique_ptr<PostProcessor> make_roberta_processing(SpecialToken sep, SpecialToken cls, bool trim, bool add_prefix_space) {
  std::vector<std::unique_ptr<PostProcessor>> steps;
  steps.push_back(make_byte_level_processing(trim, add_prefix_space));
  steps.push_back(make_bert_processing(std::move(sep), std::move(cls)));
  return make_sequence(std::move(steps));
}

std::unique_ptr<PostProcessor> make_byte_level_processing(bool trim, bool add_prefix_space) { return std::make_unique<TrimOffsets>(trim, add_prefix_space); }

std::unique_ptr<PostProcessor> make_template_processing(std::vector<TemplatePiece> pieces) { return std::make_unique<Template>(std::move(pieces)); }

std::unique_ptr<PostProcessor> make_sequence(std::vector<std::unique_ptr<PostProcessor>> steps) { return std::make_unique<Sequence>(std::move(steps)); }

}  // namespace flowrun::tokenizers
