#pragma once

// What one merge of a training meets on one side: which tokens stand there, how often, and where the new pairs stand.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace flowrun::bpe {

/// Collects the neighbours of one merge; `Place` says where a pair stands. Reused between merges: `clear` takes time by what was met alone.
template <class Place>
class NeighbourTally {
 public:
  /// Makes room for tokens below `vocab_size`.
  explicit NeighbourTally(std::size_t vocab_size = 0) { resize(vocab_size); }
  void resize(std::size_t vocab_size) {
    weight_.resize(vocab_size);
    next_.resize(vocab_size);
  }

  void meet(std::uint32_t neighbour, std::uint64_t count, Place pair_at) {
    if (next_[neighbour]++ == 0) neighbours_.push_back(neighbour);
    weight_[neighbour] += count;
    met_.push_back({neighbour, pair_at});
  }

  std::size_t size() const noexcept { return met_.size(); }

  /// Calls f(neighbour, weight).
  template <class F>
  void for_each(F&& f) const {
    for (const std::uint32_t neighbour : neighbours_) f(neighbour, weight_[neighbour]);
  }

  /// Writes the places to `to`, grouped by neighbour, in the order met; calls f(neighbour, weight, first, n). A counting sort.
  template <class F>
  void group(Place* to, F&& f) {
    std::size_t first = 0;
    for (const std::uint32_t neighbour : neighbours_) {
      const std::size_t n = next_[neighbour];
      next_[neighbour] = first;
      f(neighbour, weight_[neighbour], to + first, n);
      first += n;
    }
    for (const Met& met : met_) to[next_[met.neighbour]++] = met.pair_at;
  }

  void clear() {
    for (const std::uint32_t neighbour : neighbours_) weight_[neighbour] = next_[neighbour] = 0;
    neighbours_.clear();
    met_.clear();
  }

 private:
  struct Met {
    std::uint32_t neighbour;
    Place pair_at;
  };
  std::vector<std::uint64_t> weight_;  // by neighbour
  std::vector<std::size_t> next_;      // by neighbour: how many, then where the next one goes
  std::vector<std::uint32_t> neighbours_;
  std::vector<Met> met_;
};

}  // namespace flowrun::bpe
