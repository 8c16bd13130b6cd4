#pragma once

// The Unigram language model: each piece has a score (a log probability), and a text is cut into the pieces whose scores have the largest sum.
// One pass over the positions of characters keeps the best path to each (Viterbi), which then is read backwards.
// Source: Kudo 2018, arXiv:1804.10959. Gives the ids and offsets of Hugging Face tokenizers 0.23.3 (Unigram, encode_optimized): checked with
// its answers in testdata/unigram.jsonl.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "double_array.hpp"

namespace flowrun::tokenizers {

/// Holds the vocabulary of a Unigram model: a piece's id is its place. Of equal pieces the last gives the id and the score.
struct UnigramVocabulary {
  std::vector<std::pair<std::string, double>> pieces;  ///< UTF-8, and the natural logarithm of the probability
  std::optional<std::uint32_t> unk_id;                 ///< the piece that stands for unknown text
  bool byte_fallback = false;                          ///< unknown text becomes pieces `<0x00>` to `<0xFF>`, where all that it needs are there
};

/// Encodes text with one vocabulary, immutable: any number of threads may call it at once, each with its own Scratch.
///
/// Time: linear in the bytes of the text, at most as many steps a character as the longest piece has bytes. Memory: about 100 bytes a piece.
class Unigram {
 public:
  /// Working memory of one thread, reused between calls: 16 bytes per byte of the longest text.
  struct Scratch {
    struct Node {
      double score;         // of the best path that ends here
      std::uint32_t begin;  // of its last piece
      std::uint32_t id;
    };
    std::vector<Node> nodes;
    std::uint64_t trie_steps = 0;  ///< of all calls: the work done, for those who measure it
  };

  /// One piece of a text, [begin, end) in bytes of it. A run of unknown characters is one token, or with byte fallback one a byte, each with
  /// the offsets of the whole run.
  struct Token {
    std::uint32_t id;
    std::uint32_t begin, end;
    friend bool operator==(const Token&, const Token&) = default;
  };

  /// Throws kInvalidArgument if `unk_id` is not in the vocabulary or a score is not finite, kUnsupported from 8,388,607 pieces on.
  explicit Unigram(UnigramVocabulary vocabulary);

  /// Appends the tokens of `text`. Of paths to one position with equal sums, the one whose last piece begins first is kept.
  /// A character that is no piece itself counts as the unknown piece with the smallest score of the vocabulary less 10.
  /// Throws kInvalidArgument where that is needed and there is no `unk_id`, kUnsupported from 4 GiB on; `out` is then as before.
  void encode(std::string_view text, Scratch& scratch, std::vector<Token>& out) const;

  std::optional<std::uint32_t> token_to_id(std::string_view piece) const noexcept { return trie_.find(piece); }

  /// Returns the piece of `id`, valid as long as the model; nothing for an id that is not in the vocabulary.
  std::optional<std::string_view> id_to_token(std::uint32_t id) const noexcept;

  const UnigramVocabulary& vocabulary() const noexcept { return vocabulary_; }
  std::size_t vocab_size() const noexcept { return vocabulary_.pieces.size(); }

 private:
  void find_best_path(std::string_view text, Scratch& scratch) const;
  void append_unknown(std::string_view text, std::uint32_t begin, std::uint32_t end, std::vector<Token>& out) const;

  UnigramVocabulary vocabulary_;
  DoubleArray trie_;
  std::vector<double> scores_;  // by id, dense: the vocabulary's pairs would take a cache line each
  double unk_score_;
  std::optional<std::uint32_t> byte_ids_[256];
};

}  // namespace flowrun::tokenizers
