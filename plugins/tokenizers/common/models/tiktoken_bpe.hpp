#pragma once

// tiktoken's BPE. A pre-token that is a token is that token. Otherwise the neighbours whose bytes together are the token of the lowest rank are
// joined, the leftmost first, however they are cut: a token may be joined from several pairs.
//
// Most tokens have one pair only: where the smaller ranks alone make two parts of a token's bytes, no others ever stand side by side. For what
// happens within the borders of a token is what happens to its bytes alone, as borders that are there at the end were there all along, and the
// smaller ranks go first. If all tokens are like that (cl100k_base, o200k_base, Qwen), bpe::Bpe gives the same ids, in linear time. If not (Llama
// 3 has 678 tokens that were added to another vocabulary), the others are joined from each pair that spells them, with one rank, by a heap.
// Checked against tiktoken 0.14.0 (testdata) and against the definition on random ranks.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "merge_queue.hpp"
#include "model.hpp"
#include "tokenizers/common/bpe_model.hpp"
#include "vocabulary.hpp"

namespace flowrun::tokenizers {

/// Rank files as merges of pairs.
struct TiktokenBpe {
  bpe::BpeModel model;  ///< ids are ranks; without special tokens, which are not in the file
  /// Tokens, ascending, that no two tokens spell. They occur only as a whole pre-token: where this is not empty, whoever encodes with
  /// bpe::Bpe must look them up first.
  std::vector<std::uint32_t> whole_only;
};

/// Converts `tokens` (by rank, empty where there is none) to merges that give tiktoken's ids.
///
/// Time: n log n in the bytes of all tokens. Throws kUnsupported where a byte is not a token (tiktoken gives up on text that holds it), and for
/// a token that smaller ranks do not make though two tokens spell it: only a TiktokenModel encodes with those.
TiktokenBpe tiktoken_to_bpe(const std::vector<std::string>& tokens);

/// Splits pre-tokens (any bytes) as tiktoken does, whatever the ranks. Time n log n in the pre-token; tokens are spelt as their bytes.
class TiktokenModel final : public Model {
 public:
  /// Throws kUnsupported where a byte is not a token, and for a token of more than 4096 bytes that smaller ranks do not make.
  explicit TiktokenModel(const std::vector<std::string>& tokens);

  std::unique_ptr<Scratch> make_scratch() const override;
  void tokenize(std::string_view pretoken, std::vector<Token>& out, Scratch& scratch) const override;
  std::optional<std::uint32_t> token_to_id(std::string_view token) const override { return vocabulary_.id(token); }
  std::optional<std::string_view> id_to_token(std::uint32_t id) const override { return vocabulary_.token(id); }
  std::size_t vocab_size() const override { return vocabulary_.size(); }

 private:
  struct Work;

  Vocabulary vocabulary_;
  std::array<std::uint32_t, 256> byte_ids_;
  MergeTable merges_;
};

}  // namespace flowrun::tokenizers
