#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizers/common/models/model.hpp"
#include "tokenizers/common/unigram/unigram.hpp"

namespace flowrun::tokenizers {

/// Unigram behind the interface of models.
class UnigramModel final : public Model {
 public:
  explicit UnigramModel(UnigramVocabulary vocabulary) : unigram_(std::move(vocabulary)) {}

  std::unique_ptr<Scratch> make_scratch() const override { return std::make_unique<Work>(); }
  void tokenize(std::string_view pretoken, std::vector<Token>& out, Scratch& scratch) const override {
    Work& work = static_cast<Work&>(scratch);
    work.tokens.clear();
    unigram_.encode(pretoken, work.unigram, work.tokens);
    for (const Unigram::Token& token : work.tokens) out.push_back({token.id, token.begin, token.end});
  }
  /// Unknown text stands for itself, as in the library.
  std::string_view spelling(const Token& token, std::string_view pretoken) const override {
    return token.id == unigram_.vocabulary().unk_id ? pretoken.substr(token.begin, token.end - token.begin) : Model::spelling(token, pretoken);
  }
  std::optional<std::uint32_t> token_to_id(std::string_view token) const override { return unigram_.token_to_id(token); }
  std::optional<std::string_view> id_to_token(std::uint32_t id) const override { return unigram_.id_to_token(id); }
  std::size_t vocab_size() const override { return unigram_.vocab_size(); }

 private:
  struct Work final : Scratch {
    Unigram::Scratch unigram;
    std::vector<Unigram::Token> tokens;
  };

  Unigram unigram_;
};

}  // namespace flowrun::tokenizers
