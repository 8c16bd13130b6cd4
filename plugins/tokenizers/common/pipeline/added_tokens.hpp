#pragma once

// Tokens that are found in a text before anything else sees it, special ones and others, with Hugging Face's flags (tokenizer/added_vocabulary.rs of
// tokenizers 0.23.3): the longest of those that begin first, in the text as it is or in what normalizers make of it.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "normalizers.hpp"
#include "pre_tokenizers.hpp"

namespace flowrun::tokenizers {

struct AddedToken {
  std::uint32_t id = 0;
  std::string content;
  bool single_word = false;  ///< not inside a word
  bool lstrip = false;       ///< takes white space before it
  bool rstrip = false;       ///< takes white space behind it
  bool normalized = true;    ///< looked for in normalized text, in its own normalized form
  bool special = false;
};

class AddedTokens {
 public:
  AddedTokens() = default;
  /// `normalizer` may be null. Tokens without content are left out, as in the library; of two with one id the later counts.
  AddedTokens(std::vector<AddedToken> tokens, const Normalizer* normalizer);

  /// Cuts `text` at added tokens and normalizes the rest. With `split_special` special tokens are text like any other.
  Pieces extract(std::string_view text, const Normalizer* normalizer, bool split_special) const;

  /// Returns whether any token stands in `text`, flags aside: if not, `extract` gives the whole text as one piece.
  bool occur_in(std::string_view text) const;

  std::optional<std::uint32_t> token_to_id(std::string_view content) const;
  /// Returns what an id is decoded as: the normalized form where that differs.
  std::optional<std::string_view> id_to_token(std::uint32_t id) const;
  bool is_special(std::string_view content) const;
  /// By id.
  const std::map<std::uint32_t, AddedToken>& all() const noexcept { return tokens_; }

 private:
  /// A trie of contents, as one table of edges.
  class Trie {
   public:
    void add(std::string_view content, std::uint32_t id);
    bool empty() const noexcept { return edges_.empty(); }
    /// Returns the longest entry that `text` has at `begin`: its end and id.
    std::optional<std::pair<std::size_t, std::uint32_t>> longest(std::string_view text, std::size_t begin) const;

   private:
    std::unordered_map<std::uint64_t, std::uint32_t> edges_;  // node << 8 | byte -> node
    std::vector<std::int64_t> ids_{-1};                       // by node; -1: none ends here
    bool begins_[256] = {};                                   // whether an entry begins with that byte
  };

  std::vector<Piece> cut(const NormalizedString& text, const Trie& trie, bool split_special) const;

  std::map<std::uint32_t, AddedToken> tokens_;
  std::map<std::uint32_t, std::string> normalized_;  // of those whose normalized form differs
  std::map<std::string, std::uint32_t, std::less<>> ids_;
  std::set<std::string, std::less<>> specials_;  // contents: one that is listed twice is special if either is
  Trie as_is_, normalized_trie_;
};

}  // namespace flowrun::tokenizers
