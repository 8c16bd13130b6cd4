#pragma once

// What one merge of a training meets on one side: which tokens stand there, how often, and where the new pairs stand.

#include <cstddef>
#include <cstdint>
#include <limits>
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
  /// Returns how many places belong to neighbours of at least this weight.
  std::size_t size(std::uint64_t least_weight) const noexcept {
    std::size_t n = 0;
    for (const std::uint32_t neighbour : neighbours_) n += weight_[neighbour] >= least_weight ? next_[neighbour] : 0;
    return n;
  }

  /// Calls f(neighbour, weight).
  template <class F>
  void for_each(F&& f) const {
    for (const std::uint32_t neighbour : neighbours_) f(neighbour, weight_[neighbour]);
  }

  /// Writes the places of neighbours of at least `least_weight` to `to`, grouped by neighbour, in the order met; calls f(neighbour, weight, first, n) for
  /// each. A counting sort.
  template <class F>
  void group(Place* to, std::uint64_t least_weight, F&& f) {
    std::size_t first = 0;
    for (const std::uint32_t neighbour : neighbours_) {
      if (weight_[neighbour] < least_weight) {
        next_[neighbour] = kLeftOut;
        continue;
      }
      const std::size_t n = next_[neighbour];
      next_[neighbour] = first;
      f(neighbour, weight_[neighbour], to + first, n);
      first += n;
    }
    for (const Met& met : met_)
      if (std::size_t& next = next_[met.neighbour]; next != kLeftOut) to[next++] = met.pair_at;
  }
  template <class F>
  void group(Place* to, F&& f) {
    group(to, 0, f);
  }

  void clear() {
    for (const std::uint32_t neighbour : neighbours_) weight_[neighbour] = next_[neighbour] = 0;
    neighbours_.clear();
    met_.clear();
  }

 private:
  static constexpr std::size_t kLeftOut = std::numeric_limits<std::size_t>::max();
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
