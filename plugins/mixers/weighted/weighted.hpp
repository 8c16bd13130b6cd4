#pragma once

// The order in which mixers/weighted gives documents. Domain i gets the share P(i) = w_i |D_i| / sum_j w_j |D_j| of the tokens, |D_i| in
// tokens. The next document is of the domain with the largest deficit P(i) S - t_i, where S tokens have been drawn, t_i of them from i; equal
// deficits go to the domain that came first. After any number of draws, with L the length of the longest document and K domains,
//     t_i - P(i) S < L          (a domain is drawn only while it does not have more than its share), and
//     P(i) S - t_i <= L H(K-1)  (the harmonic number: L for two domains, 1.5 L for three; the argument is that of greedy cup emptying,
//                                Adler et al. 2003, "A proportionate fair scheduling rule with good worst-case performance", SPAA'03).
// All is integer arithmetic, so the order is the same on every machine. Each domain is walked in a seeded permutation, another in each pass.

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "domain_index.hpp"

namespace flowrun::mixers {

/// The endless sequence of draws, and random access to it.
///
/// Cost: under a microsecond and one visit of each domain a draw; a jump costs all draws that nobody has made yet, and else at most 1024.
/// Memory: 32 bytes per domain for every 1024 draws. Threads: `rows` and `draw_count` may be called by many at once.
class WeightedOrder {
 public:
  /// Throws kInvalidArgument unless a domain has documents and a weight above 0. Weights are finite and not negative; a domain without one
  /// has 1. `index` must outlive this.
  WeightedOrder(const DomainIndex& index, const std::map<std::string, double>& weights, std::uint64_t seed);

  /// A domain that takes part, with its share of the tokens.
  struct Part {
    const Domain* domain;
    double share;
  };
  std::vector<Part> parts() const;
  /// Returns the tokens of all domains that take part: one epoch.
  std::int64_t epoch_tokens() const noexcept { return epoch_tokens_; }

  /// Returns how many draws it takes to have `tokens` tokens. `check_stop` is called now and then and may throw.
  std::int64_t draw_count(double tokens, const std::function<void()>& check_stop) const;
  /// Returns the input's rows of draws [first, first + n).
  std::vector<std::int64_t> rows(std::int64_t first, std::int64_t n, const std::function<void()>& check_stop);

 private:
  __extension__ using Wide = __int128;

  struct Member {
    const Domain* domain;
    std::int64_t mass;  ///< w_i |D_i| times a power of two common to all: P(i) = mass / mass_total_
    std::uint64_t key;
  };
  /// What one domain has given, in a walk.
  struct Progress {
    std::int64_t documents = 0;
    Wide deficit = 0;  ///< times mass_total_, so that it is an integer
  };
  /// The state before a draw.
  struct Walk {
    std::int64_t position = 0, tokens = 0;
    std::vector<Progress> progress;
  };
  static constexpr std::int64_t kStride = 1024;  ///< draws between two walks that are kept

  /// Makes one draw and returns its row.
  std::int64_t draw(Walk& walk) const;
  Walk walk_to(std::int64_t position, const std::function<void()>& check_stop);

  std::vector<Member> members_;
  std::int64_t mass_total_ = 0, epoch_tokens_ = 0;
  std::mutex mutex_;        ///< guards kept_
  std::vector<Walk> kept_;  ///< at draws 0, kStride, 2 kStride, ... as far as anybody has asked
};

}  // namespace flowrun::mixers
