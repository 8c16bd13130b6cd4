#pragma once

// WordPiece: the longest token that begins the word, then the longest that continues it, and so on; a word that cannot be finished, or has
// too many characters, is unknown as a whole.
//
// Linear in the word whatever the vocabulary, by LinMaxMatch: each node of a trie knows which tokens are certain once the match fails there
// and where matching goes on. Two tries, one of what may begin a word and one of what may continue it, so that text which itself spells the
// prefix ("##a") is found as the definition finds it. Here the tokens that a node gives up ("failure pops") are linked lists that share
// their beginnings, since lists of their own take quadratic memory for a token of a million equal letters.
// Source: Song et al. 2021, Fast WordPiece Tokenization, arXiv:2012.15524, algorithms 1 and 2.
// Checked against the definition on random vocabularies, and against tokenizers 0.23.3 (testdata).

#include <cstddef>
#include <string>

#include "model.hpp"
#include "tokenizers/common/flat_map.hpp"
#include "vocabulary.hpp"

namespace flowrun::tokenizers {

/// Splits words as WordPiece of Hugging Face tokenizers 0.23.3 does. Needs no scratch.
///
/// `unk_token` may be missing from the vocabulary: the first unknown word is then an error (kInvalidArgument), as in the peer.
/// Memory: about 40 bytes per byte of the vocabulary, beginnings that tokens share counted once.
class WordPiece final : public Model {
 public:
  struct Options {
    std::string unk_token = "[UNK]";
    std::string continuing_subword_prefix = "##";  ///< what the vocabulary writes before a token that does not begin a word; may be empty
    std::size_t max_input_chars_per_word = 100;    ///< Unicode characters; longer words are unknown
  };

  /// Throws kUnsupported where the vocabulary spells more than 2^24 bytes that no two tokens share, and as Vocabulary does.
  WordPiece(const std::vector<VocabularyEntry>& vocabulary, Options options);

  void tokenize(std::string_view pretoken, std::vector<Token>& out, Scratch& scratch) const override;
  std::optional<std::uint32_t> token_to_id(std::string_view token) const override { return vocabulary_.id(token); }
  std::optional<std::string_view> id_to_token(std::uint32_t id) const override { return vocabulary_.token(id); }
  std::size_t vocab_size() const override { return vocabulary_.size(); }

 private:
  struct Node {
    std::uint32_t fail;  // where matching goes on, kAbsent if the word is then unknown
    std::uint32_t pops;  // the last of the tokens that are certain when the match fails here
  };
  struct Pop {
    std::uint32_t id;
    std::uint32_t bytes;
    std::uint32_t previous;
  };
  struct Builder;

  std::uint32_t child(std::uint32_t node, char byte) const noexcept;
  bool match(std::string_view word, std::vector<Token>& out) const;
  void pop(std::uint32_t pops, std::uint32_t& begin, std::vector<Token>& out) const;

  Vocabulary vocabulary_;
  Options options_;
  std::optional<std::uint32_t> unk_id_;
  std::vector<Node> nodes_;
  std::vector<Pop> pops_;
  bpe::FlatMap<std::uint32_t> edges_;  // node << 8 | byte -> node
};

}  // namespace flowrun::tokenizers
