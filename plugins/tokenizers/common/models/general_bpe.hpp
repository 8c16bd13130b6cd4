#pragma once

// BPE over characters, for every tokenizer.json whose model is not plain byte-level: Llama 2 (byte_fallback), CLIP (end_of_word_suffix), and
// any vocabulary that has no token for some byte. Equal to BPE of Hugging Face tokenizers 0.23.3 in ids and offsets, oddities included:
// - a character without a token of its own is a run of byte tokens, the unknown token, or, without `unk_token`, nothing at all;
// - an unknown character waits for the next known one: byte tokens that come in between stand before it;
// - offsets are sums of the lengths so far, so what is dropped shifts those behind it. They end at the pre-token's end here.
// Time n log n in the pre-token.
//
// A byte-level vocabulary with `ignore_merges` (Llama 3) needs none of this: bpe::Bpe gives the same ids where the whole pre-token is looked
// up in the vocabulary first.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "merge_queue.hpp"
#include "model.hpp"
#include "tokenizers/common/bpe_model.hpp"
#include "vocabulary.hpp"

namespace flowrun::tokenizers {

/// Splits pre-tokens by merges of a vocabulary over arbitrary strings.
class GeneralBpe final : public Model {
 public:
  struct Options {
    std::optional<double> dropout;                         ///< 0 or nothing: ids must not depend on chance
    std::optional<std::string> unk_token;                  ///< may be missing from the vocabulary until a character needs it
    std::optional<std::string> continuing_subword_prefix;  ///< written before each character but the first
    std::optional<std::string> end_of_word_suffix;         ///< written after the last character
    bool fuse_unk = false;                                 ///< unknown characters side by side are one token
    bool byte_fallback = false;                            ///< an unknown character is its bytes, as "<0x0A>", where all of them are tokens
    bool ignore_merges = false;                            ///< a pre-token that is in the vocabulary is one token
  };

  /// The two parts of each merge, the earlier the better; of merges of one pair the last counts.
  using Merges = std::vector<std::pair<std::string, std::string>>;

  /// Throws kCorruptData for a merge whose parts or whole are not in the vocabulary, and names it as "merges[3]"; kUnsupported for a
  /// dropout above 0; and as Vocabulary does.
  GeneralBpe(const std::vector<VocabularyEntry>& vocabulary, const Merges& merges, Options options);

  std::unique_ptr<Scratch> make_scratch() const override;
  void tokenize(std::string_view pretoken, std::vector<Token>& out, Scratch& scratch) const override;
  std::optional<std::uint32_t> token_to_id(std::string_view token) const override { return vocabulary_.id(token); }
  std::optional<std::string_view> id_to_token(std::uint32_t id) const override { return vocabulary_.token(id); }
  std::size_t vocab_size() const override { return vocabulary_.size(); }

  /// Calls f(token, id) for each token of the vocabulary.
  template <class F>
  void for_each_token(F&& f) const {
    vocabulary_.for_each(std::forward<F>(f));
  }

  /// Returns the ids of "<0x00>" to "<0xFF>" where any text is characters and bytes of the vocabulary and nothing else: all of them are tokens and
  /// `byte_fallback` is on, there is no prefix or suffix, `ignore_merges` is off.
  std::optional<std::array<std::uint32_t, 256>> fallback_ids() const;

  /// Returns the merges that are ever made, by rank: one for each token that its own text gives, the last that was made of that text. (Files of sentencepiece's models
  /// list every pair that a token can be cut into.) Returns nothing without `fallback_ids`, and where a merge takes or gives one of these.
  ///
  /// No other merge takes place in any text: where two parts of a token stand side by side, the borders around them were there all along, so what happened between these
  /// happened in the same order to the token's text alone, and what makes a token of it is the last that does. The ids of a text are those that these merges alone give.
  /// Time: that of encoding every token. Throws kUnsupported for a token of 4 GiB or more.
  std::optional<std::vector<bpe::BpeMerge>> effective_merges() const;

 private:
  struct Work;

  void add_symbols(std::string_view pretoken, Work& work) const;
  std::string_view spelling_of(std::string_view character, bool first, bool last, std::string& buffer) const;
  bool add_bytes(std::string_view spelt, MergeQueue& queue) const;

  Vocabulary vocabulary_;
  Options options_;
  MergeTable merges_;
  std::optional<std::uint32_t> unk_id_;
  std::array<std::optional<std::uint32_t>, 256> byte_ids_;  // of "<0x00>" to "<0xFF>"
};

}  // namespace flowrun::tokenizers
