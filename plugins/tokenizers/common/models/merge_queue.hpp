#pragma once

// Joins neighbours of a list by rank: while neighbours exist that a merge joins, those of the lowest rank, the leftmost first; n log n.
//
// What is queued for two neighbours goes by the token that they become, as in Hugging Face tokenizers 0.23.3: it is dropped where other tokens stand
// there by then, unless those become the same id.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "tokenizers/common/flat_map.hpp"

namespace flowrun::tokenizers {

/// Maps pairs of ids to the rank of their merge and the id that they become.
class MergeTable {
 public:
  static constexpr std::uint32_t kAbsent = bpe::PairMap::kAbsent;

  explicit MergeTable(std::size_t expected = 0) : ranks_(expected) { results_.reserve(expected); }

  /// Says that the pair becomes `result`, with the given rank. A pair that is there already keeps what it has; all pairs of one rank have one
  /// result. Memory goes by the largest rank.
  void add(std::uint32_t left, std::uint32_t right, std::uint32_t rank, std::uint32_t result) {
    ranks_.insert(bpe::pair_key(left, right), rank);
    if (rank >= results_.size()) results_.resize(rank + std::size_t{1}, kAbsent);
    results_[rank] = result;
  }

  /// Returns the rank of the pair, kAbsent if no merge joins it.
  std::uint32_t rank(std::uint32_t left, std::uint32_t right) const noexcept { return ranks_.find(bpe::pair_key(left, right)); }

  std::uint32_t result(std::uint32_t rank) const noexcept { return results_[rank]; }

  /// Calls f(left, right) for each pair, in no order.
  template <class F>
  void for_each_pair(F&& f) const {
    ranks_.for_each([&](std::uint64_t key, std::uint32_t) { f(static_cast<std::uint32_t>(key >> 32), static_cast<std::uint32_t>(key)); });
  }

 private:
  bpe::PairMap ranks_;
  std::vector<std::uint32_t> results_;
};

/// A list of symbols that `join` shortens; reused between texts.
class MergeQueue {
 public:
  /// Stands for some text: the id that it has now, and how many bytes it is of (not 0).
  struct Symbol {
    std::uint32_t id;
    std::uint32_t bytes;
  };
  /// Two neighbours that became one.
  struct Join {
    std::uint32_t left, right, result;
    std::uint32_t rank;
  };

  void clear() noexcept { symbols_.clear(); }
  void add(std::uint32_t id, std::uint32_t bytes) { symbols_.push_back({id, bytes, 0, 0}); }
  std::size_t size() const noexcept { return symbols_.size(); }

  /// Joins all that `merges` joins. At most 2^32 - 2 symbols.
  void join(const MergeTable& merges);

  /// Returns what `join` joined last, if anything.
  const std::optional<Join>& last_join() const noexcept { return last_join_; }

  /// Returns whether `join` left a single symbol.
  bool is_joined() const noexcept { return !symbols_.empty() && symbols_[0].next == symbols_.size(); }

  /// Calls f(Symbol) for what `join` left, in order.
  template <class F>
  void for_each(F&& f) const {
    for (std::uint32_t i = 0; i < symbols_.size(); i = symbols_[i].next) f(Symbol{symbols_[i].id, symbols_[i].bytes});
  }

 private:
  struct Linked {
    std::uint32_t id;
    std::uint32_t bytes;  // 0 once it was joined to its left neighbour
    std::uint32_t next;
    std::uint32_t previous;
  };

  void queue(const MergeTable& merges, std::uint32_t left);

  std::vector<Linked> symbols_;
  std::optional<Join> last_join_;
  std::vector<std::uint64_t> heap_;  // rank << 32 | index: comparing finds the lowest rank, then the leftmost
};

}  // namespace flowrun::tokenizers
