#pragma once

// WordLevel: a pre-token is a token or unknown.

#include <string>

#include "model.hpp"
#include "vocabulary.hpp"

namespace flowrun::tokenizers {

/// Gives a pre-token its own id, or that of `unk_token` where the vocabulary lacks it. One hash look-up; needs no scratch.
///
/// `unk_token` may be missing from the vocabulary: the first unknown pre-token is then an error (kInvalidArgument), as in the peer.
/// Equal to: WordLevel of Hugging Face tokenizers 0.23.3.
class WordLevel final : public Model {
 public:
  WordLevel(const std::vector<VocabularyEntry>& vocabulary, std::string unk_token);

  void tokenize(std::string_view pretoken, std::vector<Token>& out, Scratch& scratch) const override;
  std::optional<std::uint32_t> token_to_id(std::string_view token) const override { return vocabulary_.id(token); }
  std::optional<std::string_view> id_to_token(std::uint32_t id) const override { return vocabulary_.token(id); }
  std::size_t vocab_size() const override { return vocabulary_.size(); }

 private:
  Vocabulary vocabulary_;
  std::string unk_token_;
  std::optional<std::uint32_t> unk_id_;
};

}  // namespace flowrun::tokenizers
