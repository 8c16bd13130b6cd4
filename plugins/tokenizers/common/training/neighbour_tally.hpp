#pragma once

// What one merge of a training meets on one side: which tokens stand there, how often, and where the new pairs stand.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/unnamed_file.hpp"

namespace flowrun::tokenizers {

/// Collects the neighbours of one merge; `Place` says where a pair stands. Reused between merges: `clear` takes time by what was met alone.
///
/// Memory: 16 bytes a token, and `memory_bytes` or a little for the places, which the most frequent pairs may exceed: then they go, in their order, to a file
/// without a name in `folder`. Throws kIo where that cannot be written.
template <class Place>
class NeighbourTally {
 public:
  NeighbourTally(std::size_t memory_bytes, std::string folder) : met_max_(memory_bytes / sizeof(Met) + 1), folder_(std::move(folder)) {}

  /// Makes room for tokens below `vocab_size`.
  void resize(std::size_t vocab_size) {
    weight_.resize(vocab_size);
    next_.resize(vocab_size);
  }

  void meet(std::uint32_t neighbour, std::uint64_t count, Place pair_at) {
    if (next_[neighbour]++ == 0) neighbours_.push_back(neighbour);
    weight_[neighbour] += count;
    met_.push_back({neighbour, pair_at});
    if (met_.size() == met_max_) spill();
  }

  std::size_t size() const noexcept { return spilled_ + met_.size(); }
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
  /// each, then touch() for each place. A counting sort.
  template <class F, class Touch>
  void group(Place* to, std::uint64_t least_weight, F&& f, Touch&& touch) {
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
    for_each_met([&](const Met& met) {
      std::size_t& next = next_[met.neighbour];
      if (next == kLeftOut) return;
      to[next++] = met.pair_at;
      touch();
    });
  }

  void clear() {
    for (const std::uint32_t neighbour : neighbours_) weight_[neighbour] = next_[neighbour] = 0;
    neighbours_.clear();
    met_.clear();
    file_.clear();
    spilled_ = 0;
  }

 private:
  static constexpr std::size_t kLeftOut = std::numeric_limits<std::size_t>::max();
  struct Met {
    std::uint32_t neighbour;
    Place pair_at;
  };
  static_assert(std::is_trivially_copyable_v<Met>);

  void spill() {
    if (file_.empty()) file_.emplace_back(folder_);
    file_.front().append(met_.data(), met_.size() * sizeof(Met));
    spilled_ += met_.size();
    met_.clear();
  }

  template <class F>
  void for_each_met(F&& f) const {
    constexpr std::size_t kChunk = 4096;
    std::vector<Met> chunk(spilled_ > 0 ? kChunk : 0);
    for (std::size_t at = 0; at < spilled_; at += kChunk) {
      const std::size_t n = file_.front().read(at * sizeof(Met), chunk.data(), kChunk * sizeof(Met)) / sizeof(Met);
      for (std::size_t i = 0; i < n; ++i) f(chunk[i]);
    }
    for (const Met& met : met_) f(met);
  }

  std::size_t met_max_;
  std::string folder_;
  std::vector<std::uint64_t> weight_;  // by neighbour
  std::vector<std::size_t> next_;      // by neighbour: how many, then where the next one goes
  std::vector<std::uint32_t> neighbours_;
  std::vector<common::UnnamedFile> file_;  // none until it is needed; what was met before `met_`
  std::size_t spilled_ = 0;        // places in it
  std::vector<Met> met_;
};

}  // namespace flowrun::tokenizers
