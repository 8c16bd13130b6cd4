#pragma once

// Exact byte-level BPE encoding: while neighbours exist that a merge joins, join those of the lowest rank, the leftmost first.
//
// Two algorithms that give the same ids:
// - a heap of (rank, position), n log n, for any list of merges (as Hugging Face tokenizers does it);
// - for a regular list, which every trainer gives (each token is made by one merge, its parts by earlier ones, and encodes to itself), a
//   search from left to right for the only sequence of tokens whose neighbours would not have been merged across their border: linear, and
//   one step for text that is a token. Source: van Antwerpen and Neubeck 2024, github.com/github/rust-gems, crate bpe (backtracking).
// Checked against each other on random merges, and against tokenizers 0.23.3 (testdata, bench/peers/compare_bpe.py).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bpe_model.hpp"
#include "flat_map.hpp"
#include "joined_pairs.hpp"
#include "unigram/double_array.hpp"

namespace flowrun::bpe {

/// Holds the tables of one model, immutable: any number of threads may encode and decode with it at once, each with its own Scratch.
///
/// Memory: about 200 bytes a token. Making it costs about a microsecond a token (each is encoded once to see whether the list is regular).
class Bpe {
 public:
  /// Working memory of one thread, reused between calls: at most about 25 bytes per byte of the longest pre-token, 5 in a regular model.
  struct Scratch {
    std::vector<std::uint32_t> ids, next, previous;
    std::vector<std::uint64_t> heap, unreachable;
  };

  /// Throws kInvalidArgument if a byte is not a token or a merge names an id out of range.
  explicit Bpe(const BpeModel& model);

  /// Appends the ids of one pre-token, of at least one byte. Throws kUnsupported from 4 GiB on.
  void encode_pretoken(std::string_view pretoken, Scratch& scratch, std::vector<std::uint32_t>& out) const;

  /// Does the same by the heap, whatever the model: the reference of `encode_pretoken`.
  void encode_by_heap(std::string_view pretoken, Scratch& scratch, std::vector<std::uint32_t>& out) const;

  /// Returns the bytes that `ids` stand for (not always UTF-8: a token may end within a character). Special tokens give their text.
  /// Throws kInvalidArgument for an id that is not in the vocabulary.
  std::string decode(std::span<const std::uint32_t> ids) const;

  std::size_t vocab_size() const noexcept { return tokens_.size(); }
  bool regular() const noexcept { return regular_; }

 private:
  // A token at some place of a text.
  struct Found {
    std::uint32_t age;
    std::size_t end;
  };

  void build_search();
  bool encodes_to_itself(std::uint32_t age, Scratch& scratch) const;
  void build_trie();
  Found longest_token(std::string_view text, std::size_t begin) const noexcept;
  bool may_stand_together(std::uint32_t left, std::uint32_t right) const noexcept;
  void encode_by_search(std::string_view pretoken, Scratch& scratch, std::vector<std::uint32_t>& out) const;

  std::vector<std::string> tokens_;
  std::vector<BpeMerge> merges_;
  std::uint32_t byte_ids_[256];
  PairMap ranks_;  // pair of ids -> index in merges_
  bool regular_ = false;

  // The search numbers tokens by age: a byte is itself, the result of merge i is 256 + i. Special tokens have no number.
  struct Parts {
    std::uint32_t left, right;  // what it was merged from; of a byte itself, twice
  };
  struct Aged {
    std::uint32_t id;
    std::uint32_t bytes;
    std::uint32_t shorter_prefix;  // the longest token that is a proper prefix, kAbsent if none
  };
  std::vector<Parts> parts_;
  std::vector<Aged> aged_;
  JoinedPairs joined_;
  std::optional<tokenizers::DoubleArray> trie_;  // the bytes of all tokens -> age; absent unless regular
};

}  // namespace flowrun::bpe
