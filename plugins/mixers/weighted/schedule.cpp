#include "schedule.hpp"

#include <flowrun/error.hpp>
#include <flowrun/philox.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

namespace flowrun::mixers {
namespace {

__extension__ using Wide = __int128;

std::vector<std::uint64_t> keys_of(const DomainIndex& index, std::uint64_t seed) {
  std::vector<std::uint64_t> keys;
  for (const Domain& domain : index.domains()) keys.push_back(derive_seed(seed, domain.name));
  return keys;
}

/// Returns the slot of a draw of a domain's endless passes.
std::uint32_t slot_of(std::uint64_t key, std::uint64_t slots, std::int64_t draw) {
  const auto number = static_cast<std::uint64_t>(draw);
  return static_cast<std::uint32_t>(Permutation(philox_u64(key, number / slots), slots)(number % slots));
}

/// A walk that can be gone on with: it knows each domain's next slot.
class Walker {
 public:
  Walker(const DomainIndex& index, const std::vector<std::uint64_t>& keys, const std::vector<Stage>& stages, Walk walk)
      : index_(index), keys_(keys), stages_(stages), walk_(std::move(walk)) {
    enter();
  }

  const Walk& walk() const noexcept { return walk_; }
  std::size_t stage() const noexcept { return static_cast<std::size_t>(walk_.stage); }
  /// Returns whether the last stage has all its tokens.
  bool at_end() const noexcept { return is_full(stages_.back()) && stage() + 1 == stages_.size(); }

  /// Makes one draw.
  struct Draw {
    std::size_t domain;
    std::int64_t row;
    std::uint32_t length, stage;
  };
  Draw draw() {
    while (is_full(stages_[stage()])) next_stage();
    Member& member = members_[best()];
    const Domain& domain = index_.domains()[member.domain];
    Walk::Progress& progress = walk_.progress[member.domain];
    const Draw draw{member.domain, domain.rows[member.slot], member.length, static_cast<std::uint32_t>(walk_.stage)};
    ++progress.documents;
    progress.tokens += member.length;
    ++walk_.position;
    walk_.tokens += member.length;
    walk_.stage_tokens += member.length;
    look_ahead(member);
    return draw;
  }

 private:
  /// A domain that takes part in the stage.
  struct Member {
    std::size_t domain;
    std::int64_t mass;
    std::uint32_t slot, length;  ///< of its next document
  };

  bool is_full(const Stage& stage) const noexcept { return stage.end_tokens >= 0 && walk_.tokens >= stage.end_tokens; }

  void next_stage() {
    if (stage() + 1 == stages_.size()) throw Error(Code::kInternal, "a draw behind the end of the mixture");
    ++walk_.stage;
    walk_.stage_tokens = 0;
    std::fill(walk_.progress.begin(), walk_.progress.end(), Walk::Progress{});
    enter();
  }

  void enter() {
    const Stage& entered = stages_[stage()];
    members_.clear();
    mass_total_ = 0;
    for (std::size_t i = 0; i < entered.masses.size(); ++i) {
      if (entered.masses[i] == 0) continue;
      members_.push_back({i, entered.masses[i], 0, 0});
      mass_total_ += entered.masses[i];
      look_ahead(members_.back());
    }
  }

  void look_ahead(Member& member) const {
    const Domain& domain = index_.domains()[member.domain];
    const Source& source = stages_[stage()].sources[member.domain];
    const std::int64_t number = walk_.progress[member.domain].documents, head = static_cast<std::int64_t>(source.head.size());
    member.slot = number < head ? source.head[static_cast<std::size_t>(number)] : slot_of(keys_[member.domain], domain.rows.size(), source.from + number - head);
    member.length = domain.lengths[member.slot];
  }

  /// Returns the member whose document is next: the rule at the head of schedule.hpp, multiplied out.
  std::size_t best() const noexcept {
    std::size_t best = members_.size();
    Wide best_end = 0;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      const Member& member = members_[i];
      const std::int64_t tokens = walk_.progress[member.domain].tokens;
      if (Wide{tokens} * mass_total_ > Wide{member.mass} * walk_.stage_tokens) continue;  // it has more than its share
      const Wide end = Wide{tokens} + member.length;
      if (best == members_.size() || end * members_[best].mass < best_end * member.mass) {
        best = i;
        best_end = end;
      }
    }
    return best;
  }

  const DomainIndex& index_;
  const std::vector<std::uint64_t>& keys_;
  const std::vector<Stage>& stages_;
  Walk walk_;
  std::vector<Member> members_;
  std::int64_t mass_total_ = 0;
};

/// Makes one stage after another, each of what the one before has left.
class Scheduler {
 public:
  Scheduler(const DomainIndex& index, std::uint64_t seed) : index_(index), keys_(keys_of(index, seed)), sources_(index.domains().size()), runs_(index.domains().size()) {
    for (const Domain& domain : index.domains()) longest_.push_back(domain.lengths.empty() ? 0 : *std::max_element(domain.lengths.begin(), domain.lengths.end()));
  }

  Schedule run(const std::vector<StagePlan>& plans, std::int64_t horizon_tokens, const std::function<void()>& check_stop) {
    Schedule schedule;
    schedule.drawn.resize(sources_.size());
    Walk walk;
    walk.progress.resize(sources_.size());
    for (std::size_t s = 0; s < plans.size(); ++s) {
      schedule.stages.push_back(make_stage(plans[s], walk.tokens));
      walk.stage = static_cast<std::int64_t>(s);
      walk.stage_tokens = 0;
      walk.progress.assign(sources_.size(), {});
      Walker walker(index_, keys_, schedule.stages, std::move(walk));
      const std::int64_t end = plans[s].end_tokens >= 0 ? plans[s].end_tokens : horizon_tokens;
      while (walker.walk().tokens < end) {
        if (walker.walk().position % Schedule::kStride == 0) {
          check_stop();
          schedule.add_mark(walker.walk());
        }
        const auto draw = walker.draw();
        ++schedule.drawn[draw.domain].documents;
        schedule.drawn[draw.domain].tokens += draw.length;
      }
      walk = walker.walk();
      take_rest(schedule.stages.back(), walk);
    }
    if (schedule.marks.empty()) schedule.add_mark(walk);  // the marks always begin at the first draw
    if (plans.back().end_tokens >= 0) schedule.draw_count = walk.position;
    return schedule;
  }

 private:
  Stage make_stage(const StagePlan& plan, std::int64_t begin_tokens) {
    Stage stage{plan.end_tokens, plan.sequence_length, plan.masses, sources_};
    if (plan.order == nullptr) return stage;
    if (plan.end_tokens < 0) throw Error(Code::kInternal, "a stage without end cannot be sorted");
    const auto mass_total = std::accumulate(plan.masses.begin(), plan.masses.end(), std::int64_t{0});
    const std::int64_t tokens = std::max<std::int64_t>(0, plan.end_tokens - begin_tokens), longest = *std::max_element(longest_.begin(), longest_.end());
    for (std::size_t i = 0; i < stage.sources.size(); ++i) {
      if (plan.masses[i] == 0) continue;
      // What the domain gives at most, by the bounds in schedule.hpp, and one document more.
      const auto most = static_cast<std::int64_t>(Wide{plan.masses[i]} * (tokens + longest) / mass_total) + 2 * longest_[i] + 1;
      runs_[i] = gather(i, most, stage.sources[i]);
      sort(runs_[i], (*plan.order)[i], plan.descending, stage.sources[i].head);
    }
    return stage;
  }

  /// A part of a head that is of one pass: where it ends, and the draw behind that pass.
  struct Run {
    std::size_t end;
    std::int64_t from;
  };

  /// Draws ahead into the head: all that is left of the pass, and whole passes until it has `tokens` tokens.
  std::vector<Run> gather(std::size_t i, std::int64_t tokens, Source& source) const {
    const Domain& domain = index_.domains()[i];
    const auto pass = static_cast<std::int64_t>(domain.rows.size());
    for (const std::uint32_t slot : source.head) tokens -= domain.lengths[slot];
    const auto draw = [&] {
      source.head.push_back(slot_of(keys_[i], domain.rows.size(), source.from++));
      tokens -= domain.lengths[source.head.back()];
    };
    std::vector<Run> runs;
    while (source.from % pass != 0) draw();
    if (!source.head.empty()) runs.push_back({source.head.size(), source.from});
    while (tokens > 0) {
      for (std::int64_t k = 0; k < pass; ++k) draw();
      runs.push_back({source.head.size(), source.from});
    }
    return runs;
  }

  /// Sorts each run of the head.
  static void sort(const std::vector<Run>& runs, const std::vector<double>& order, bool descending, std::vector<std::uint32_t>& head) {
    std::size_t begin = 0;
    for (const Run& run : runs) {
      const auto first = head.begin() + static_cast<std::ptrdiff_t>(begin), last = head.begin() + static_cast<std::ptrdiff_t>(run.end);
      std::stable_sort(first, last, [&](std::uint32_t a, std::uint32_t b) { return descending ? order[a] > order[b] : order[a] < order[b]; });
      begin = run.end;
    }
  }

  /// Keeps what a stage has not given of its passes for the next one, shuffled, and takes it from the stage.
  void take_rest(Stage& stage, const Walk& walk) {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      Source& source = stage.sources[i];
      const auto given = static_cast<std::size_t>(walk.progress[i].documents), head = source.head.size();
      sources_[i] = {{}, source.from + static_cast<std::int64_t>(given - std::min(given, head))};
      if (given < head) sources_[i] = rest_of(i, source, given, static_cast<std::uint64_t>(walk.position));
      source.head.resize(std::min(head, given + 1));  // a walk at the end of the stage looks at one more
      runs_[i].clear();
    }
  }

  /// Returns what the head has left of the pass in which the stage stopped, and where the passes go on.
  Source rest_of(std::size_t i, const Source& source, std::size_t given, std::uint64_t position) const {
    const std::vector<Run> runs = runs_[i].empty() ? std::vector<Run>{{source.head.size(), source.from}} : runs_[i];
    const auto run = std::find_if(runs.begin(), runs.end(), [given](const Run& one) { return one.end > given; });
    if (run != runs.begin() && (run - 1)->end == given) return {{}, (run - 1)->from};
    const std::uint64_t left = run->end - given;
    const Permutation shuffled(philox_u64(keys_[i], position, kRestStream), left);
    Source rest{{}, run->from};
    for (std::uint64_t k = 0; k < left; ++k) rest.head.push_back(source.head[given + shuffled(k)]);
    return rest;
  }

  static constexpr std::uint64_t kRestStream = 1;  ///< keeps these keys apart from those of the passes, which count in the other word alone

  const DomainIndex& index_;
  std::vector<std::uint64_t> keys_;
  std::vector<std::int64_t> longest_;
  std::vector<Source> sources_;         ///< of the next stage
  std::vector<std::vector<Run>> runs_;  ///< of the heads of a stage with an order, by domain
};

}  // namespace

void Schedule::add_mark(const Walk& walk) {
  marks.insert(marks.end(), {walk.position, walk.tokens, walk.stage, walk.stage_tokens});
  for (const auto& progress : walk.progress) marks.insert(marks.end(), {progress.documents, progress.tokens});
}

Walk Schedule::mark(std::size_t number) const {
  const std::int64_t* values = marks.data() + number * mark_width();
  Walk walk{values[0], values[1], values[2], values[3], {}};
  for (std::size_t i = 4; i < mark_width(); i += 2) walk.progress.push_back({values[i], values[i + 1]});
  return walk;
}

void Schedule::save(IndexWriter& out) const {
  out.number(draw_count);
  out.values(drawn);
  out.number(static_cast<std::int64_t>(stages.size()));
  for (const Stage& stage : stages) {
    out.number(stage.end_tokens);
    out.number(stage.sequence_length);
    out.values(stage.masses);
    for (const Source& source : stage.sources) {
      out.number(source.from);
      out.values(source.head);
    }
  }
  out.values(marks);
}

Schedule Schedule::load(IndexReader& in, std::size_t domain_count) {
  Schedule schedule;
  schedule.draw_count = in.number();
  schedule.drawn = in.values<Drawn>();
  for (std::int64_t left = in.count(); left > 0; --left) {
    Stage stage;
    stage.end_tokens = in.number();
    stage.sequence_length = in.number();
    stage.masses = in.values<std::int64_t>();
    if (stage.masses.size() != domain_count) throw Error(Code::kCorruptData, "the index has a stage of " + std::to_string(stage.masses.size()) + " domains, expected " + std::to_string(domain_count));
    for (std::size_t i = 0; i < domain_count; ++i) {
      Source source;
      source.from = in.number();
      source.head = in.values<std::uint32_t>();
      stage.sources.push_back(std::move(source));
    }
    schedule.stages.push_back(std::move(stage));
  }
  schedule.marks = in.values<std::int64_t>();
  return schedule;
}

Schedule make_schedule(const DomainIndex& index, const std::vector<StagePlan>& plans, std::uint64_t seed, std::int64_t horizon_tokens,
                       const std::function<void()>& check_stop) {
  return Scheduler(index, seed).run(plans, horizon_tokens, check_stop);
}

MixedOrder::MixedOrder(const DomainIndex& index, Schedule schedule, std::uint64_t seed) : index_(index), keys_(keys_of(index, seed)), schedule_(std::move(schedule)) {}

Walk MixedOrder::nearest_mark(std::int64_t position, const std::function<void()>& check_stop) {
  const auto number = static_cast<std::size_t>(position / Schedule::kStride);
  if (schedule_.draw_count >= 0) return schedule_.mark(number);
  const std::lock_guard lock(mutex_);
  while (schedule_.mark_count() <= number) {
    check_stop();
    Walker walker(index_, keys_, schedule_.stages, schedule_.mark(schedule_.mark_count() - 1));
    for (std::int64_t i = 0; i < Schedule::kStride; ++i) walker.draw();
    schedule_.add_mark(walker.walk());
  }
  return schedule_.mark(number);
}

MixedOrder::Draws MixedOrder::draws(std::int64_t first, std::int64_t n, const std::function<void()>& check_stop) {
  Draws draws;
  if (n == 0) return draws;
  draws.rows.reserve(static_cast<std::size_t>(n));
  draws.stages.reserve(static_cast<std::size_t>(n));
  Walker walker(index_, keys_, schedule_.stages, nearest_mark(first, check_stop));
  while (walker.walk().position < first) walker.draw();
  for (std::int64_t i = 0; i < n; ++i) {
    const auto draw = walker.draw();
    draws.rows.push_back(draw.row);
    draws.stages.push_back(draw.stage);
  }
  return draws;
}

}  // namespace flowrun::mixers
