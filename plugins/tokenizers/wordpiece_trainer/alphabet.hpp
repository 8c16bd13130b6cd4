#pragma once

// The characters of words and the pieces that training starts from.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tokenizers/common/flat_map.hpp"
#include "wordpiece_trainer.hpp"

namespace flowrun::tokenizers {

/// Reads the character at `text[at]` and moves `at` behind it. Throws kCorruptData for what is not UTF-8.
char32_t next_char(std::string_view text, std::size_t& at);

/// Returns `c` as UTF-8. Throws kInvalidArgument for a surrogate or a number above U+10FFFF.
std::string to_utf8(char32_t c);

/// Returns the characters that are kept, ascending.
std::vector<char32_t> make_alphabet(const WordList& words, const WordPieceTrainerOptions& options);

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

/// The ids of characters by where they stand in a word.
class InitialPieces {
 public:
  static constexpr std::uint32_t kDropped = std::numeric_limits<std::uint32_t>::max();

  /// Adds what `words` need to `tokens`, where the alphabet already is. Characters that are no token are dropped.
  InitialPieces(const WordList& words, const WordPieceTrainerOptions& options, TokenList& tokens);

  /// Returns the id of a character, kDropped if it has none. It was in one of the words at such a place.
  std::uint32_t id_of(char32_t c, bool first, bool last) const noexcept { return ids_[places_.find(place(c, first, last))]; }

 private:
  static std::uint32_t place(char32_t c, bool first, bool last) noexcept {
    return static_cast<std::uint32_t>(c) << 2 | static_cast<std::uint32_t>(first) << 1 | static_cast<std::uint32_t>(last);
  }

  bpe::FlatMap<std::uint32_t> places_;  // place -> index in ids_
  std::vector<std::uint32_t> ids_;
};

}  // namespace flowrun::tokenizers
