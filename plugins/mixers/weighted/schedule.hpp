#pragma once

// The order in which mixers/weighted gives documents. In a stage, domain i has the share P(i) = m_i / sum_j m_j of the tokens. With S the tokens that
// the stage has given, t_i of them of domain i, and l_i the length of that domain's next document, the next document is, among the domains with
// t_i <= P(i) S, that of the smallest (t_i + l_i) / P(i); of equal ones the domain that came first. That is worst-case fair weighted fair
// queueing, with a "packet" for a document: Bennett and Zhang 1996, "WF2Q: Worst-case fair weighted fair queueing", INFOCOM'96; for documents of
// one length it is Tijdeman's 1980 rule for the chairman assignment problem. With L the longest document of all domains and L_i that of domain i,
// after any number of documents
//     t_i - P(i) S <= (1 - P(i)) L_i           and           P(i) S - t_i <= (1 - P(i)) L_i + P(i) L <= L,
// so a domain is never off its share by more than one document, and over any window, a difference of two such sums, by less than two.
//
// Proof. The first: a document of length l is begun only at t_i <= P(i) S, and t_i + l - P(i) (S + l) <= (1 - P(i)) l. The second: let F =
// (t_i + l) / P(i) of a document, the place where it would end if all domains ran at once, each at its share. Let s be the place where the last
// document with a later F was begun before it, l' <= L its length. Then every document with an end of at most F that was still to come could not
// begin before s, so those given after it lie in (s, F] of their domains' own places and hold at most F - s tokens together: ours ends at F + l' or
// before, having begun at F + l' - l or before, where P(i) S - t_i <= P(i) (F + l' - l) - (P(i) F - l) = (1 - P(i)) l + P(i) l'. Without such a document
// it ends at F. Some domain always has t_i <= P(i) S, because the differences add up to 0.
//
// All is integer arithmetic, so the order is the same on every machine. Each domain is walked in passes, each in another seeded permutation of its
// slots. A stage goes on where the one before has left off: whatever the stages are, each pass gives each slot once before the next pass begins. A
// stage with an order sorts all that a pass has left by a column, and gives it from the first on; when that is used up, it sorts the next pass. So a stage by
// length gives the shortest documents that are left. What it does not get to comes in the next stage, shuffled or in that stage's own order.

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "domain_index.hpp"

namespace flowrun::mixers {

/// What a stage is to be.
struct StagePlan {
  std::int64_t end_tokens = -1;       ///< of the whole mixture, where the stage ends: with the document that reaches them; -1: never
  std::vector<std::int64_t> masses;   ///< by domain, of to_integers; 0: takes no part
  const std::vector<std::vector<double>>* order = nullptr;  ///< a number for every slot of each domain, or none; only for a stage with an end
  bool descending = false;
  std::int64_t sequence_length = 0;   ///< that a packer is to use; 0: none is said
};

/// Where a stage's documents of one domain come from: these slots, then the domain's endless passes from a draw on.
struct Source {
  std::vector<std::uint32_t> head;
  std::int64_t from = 0;
};

struct Stage {
  std::int64_t end_tokens = -1;
  std::int64_t sequence_length = 0;
  std::vector<std::int64_t> masses;  ///< by domain
  std::vector<Source> sources;       ///< by domain
};

/// The state before a draw.
struct Walk {
  std::int64_t position = 0, tokens = 0;     ///< documents and tokens given
  std::int64_t stage = 0, stage_tokens = 0;  ///< the stage, and what it has given
  struct Progress {
    std::int64_t documents = 0, tokens = 0;  ///< of one domain in this stage
  };
  std::vector<Progress> progress;  ///< by domain
};

/// What a domain gives in a mixture with an end.
struct Drawn {
  std::int64_t documents = 0, tokens = 0;
};

/// Stages and marks on the way: all that it takes to begin at any position.
struct Schedule {
  /// Draws between two marks. So many are made at most before the one that is asked for.
  static constexpr std::int64_t kStride = 256;

  std::vector<Stage> stages;
  std::vector<std::int64_t> marks;  ///< walks at draws 0, kStride, 2 kStride, ..., as numbers one after another
  std::int64_t draw_count = -1;     ///< -1: no end
  std::vector<Drawn> drawn;         ///< by domain; where there is no end, up to the last mark

  void add_mark(const Walk& walk);
  Walk mark(std::size_t number) const;
  std::size_t mark_count() const noexcept { return marks.size() / mark_width(); }

  void save(IndexWriter& out) const;
  /// Throws kCorruptData for a schedule that is not of `domain_count` domains.
  static Schedule load(IndexReader& in, std::size_t domain_count);

 private:
  std::size_t mark_width() const noexcept { return 4 + 2 * (stages.empty() ? 0 : stages[0].masses.size()); }
};

/// Makes the schedule of stages over an index. One without end gets marks for its first `horizon_tokens` tokens.
/// Cost: one draw for each document that the mixture gives, under a microsecond with twenty domains; a stage with an order takes 4 bytes for each document that a
/// pass has left, and keeps them of those that it gives and of those that it leaves to the next stage. `check_stop` is called now and then and may throw.
Schedule make_schedule(const DomainIndex& index, const std::vector<StagePlan>& plans, std::uint64_t seed, std::int64_t horizon_tokens,
                       const std::function<void()>& check_stop);

/// Gives what stands at any position of a schedule.
///
/// Cost: one visit of each domain a draw, and of at most kStride draws before the first, wherever it is; in a mixture without end behind the
/// last mark, all draws that nobody has made yet, once. Threads: `draws` may be called by many at once.
class MixedOrder {
 public:
  /// `index` must outlive this.
  MixedOrder(const DomainIndex& index, Schedule schedule, std::uint64_t seed);

  const Schedule& schedule() const noexcept { return schedule_; }

  /// The input's row of a draw, and the stage that it belongs to.
  struct Draws {
    std::vector<std::int64_t> rows;
    std::vector<std::uint32_t> stages;
  };
  /// Returns draws [first, first + n), which lie before the end.
  Draws draws(std::int64_t first, std::int64_t n, const std::function<void()>& check_stop);

 private:
  Walk nearest_mark(std::int64_t position, const std::function<void()>& check_stop);

  const DomainIndex& index_;
  std::vector<std::uint64_t> keys_;  ///< of the domains' permutations
  Schedule schedule_;
  std::mutex mutex_;  ///< guards the marks of a schedule without end, which grow
};

}  // namespace flowrun::mixers
