#pragma once

// The characters of words and the pieces that training starts from.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tokenizers/common/flat_map.hpp"
#include "tokenizers/common/training/character_counts.hpp"
#include "tokenizers/common/training/pair_merging.hpp"
#include "tokenizers/common/training/word_counter.hpp"
#include "wordpiece_trainer.hpp"

namespace flowrun::tokenizers {

/// Numbers tokens in the order in which they are first named.
class TokenList {
 public:
  /// Returns the id of `token`, a fresh one if it is new.
  std::uint32_t id_of(const std::string& token);
  bool contains(const std::string& token) const { return ids_.contains(token); }
  const std::string& operator[](std::uint32_t id) const { return tokens_[id]; }
  std::size_t size() const noexcept { return tokens_.size(); }
  std::vector<std::string> take() && { return std::move(tokens_); }

 private:
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, std::uint32_t> ids_;
};

/// What words are made of.
class CharacterUses {
 public:
  /// States that a character stands somewhere in a word, as its first and as its last character or not.
  struct Place {
    char32_t character;
    bool first, last;
  };

  /// Reads all words once. Throws kCorruptData for a word that is not UTF-8, kUnsupported where their characters, repetitions counted, are 2^63 or more.
  explicit CharacterUses(WordCounter& words);

  /// Returns the characters that are kept, ascending. Throws kInvalidArgument for a surrogate or a number above U+10FFFF in the initial alphabet.
  std::vector<char32_t> alphabet(const WordPieceTrainerOptions& options) const;
  /// Returns the places of all characters in the order in which they are met, word by word, the words in the order of their bytes.
  const std::vector<Place>& places() const noexcept { return places_; }

 private:
  void meet(Place place);

  CharacterCounts counts_;
  bpe::FlatMap<std::uint32_t> place_index_;  // place -> index in places_
  std::vector<Place> places_;
};

/// The vocabulary as it grows: special tokens, the alphabet, its characters behind a first one, with the prefix, then what merges make.
class WordPieceVocabulary final : public MergeVocabulary {
 public:
  WordPieceVocabulary(const CharacterUses& uses, const WordPieceTrainerOptions& options);

  /// Writes the ids of the characters of a word, one of those that `uses` were made of, to `symbols`; those that are no token are dropped.
  void spell(std::string_view word, std::vector<std::uint32_t>& symbols) const;

  std::size_t size() const override { return tokens_.size(); }
  std::uint32_t merge(std::uint32_t left, std::uint32_t right) override;

  std::vector<std::string> take() && { return std::move(tokens_).take(); }

 private:
  std::string prefix_;
  TokenList tokens_;
  bpe::FlatMap<std::uint32_t> ids_;  // of places; a dropped character has none
};

}  // namespace flowrun::tokenizers
