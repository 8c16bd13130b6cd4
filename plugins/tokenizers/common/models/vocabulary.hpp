#pragma once

// The vocabulary of a model: tokens by text and by id.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizers/common/flat_map.hpp"

namespace flowrun::tokenizers {

/// States that the vocabulary gives `token` the id `id`.
struct VocabularyEntry {
  std::string token;
  std::uint32_t id;
};

/// Maps tokens to ids and back. Immutable; reading is safe from any number of threads.
///
/// Of entries with the same token the last counts, as in the JSON objects that vocabularies are written as. Ids may have gaps, and two
/// tokens may have one id: `token` then gives the first of them. Memory: the text and about 50 bytes a token.
class Vocabulary {
 public:
  /// Throws kUnsupported for an id of 2^32 - 1 and for more than 2^31 entries.
  explicit Vocabulary(const std::vector<VocabularyEntry>& entries);

  /// Returns the id of `token`.
  std::optional<std::uint32_t> id(std::string_view token) const noexcept;

  /// Returns the token of `id`; the view lives as long as the vocabulary.
  std::optional<std::string_view> token(std::uint32_t id) const noexcept;

  /// Returns the number of distinct tokens.
  std::size_t size() const noexcept { return places_.size(); }

  /// Calls f(token, id) for each token, in the order of first mention.
  template <class F>
  void for_each(F&& f) const {
    for (const Place& place : places_) f(text_of(place), place.id);
  }

 private:
  struct Place {
    std::size_t begin;
    std::size_t bytes;
    std::uint32_t id;
  };
  // The high half of the hash tells nearly all other tokens apart without a look at their text.
  struct Slot {
    std::uint32_t tag;
    std::uint32_t place;
  };

  std::string_view text_of(const Place& place) const noexcept { return std::string_view(text_).substr(place.begin, place.bytes); }
  std::size_t slot_of(std::string_view token, std::uint64_t hash) const noexcept;

  std::string text_;
  std::vector<Place> places_;
  std::vector<Slot> slots_;  // open addressing, linear probing; at most half full
  bpe::PairMap by_id_;       // id -> place
};

}  // namespace flowrun::tokenizers
