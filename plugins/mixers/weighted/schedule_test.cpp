// The order of a mixture against its definition, written down once more, and against the bounds that schedule.hpp proves.

#include "schedule.hpp"

#include <flowrun/philox.hpp>
#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "made_rows.hpp"
#include "mixture.hpp"
#include "shares.hpp"

namespace flowrun::mixers {
namespace {

using flowrun::testing::error_of;
using flowrun::testing::read_file;
using flowrun::testing::TemporaryFolder;
using ::testing::ElementsAre;

std::vector<std::int64_t> tokens_of(const DomainIndex& index) {
  std::vector<std::int64_t> tokens;
  for (const Domain& domain : index.domains()) tokens.push_back(domain.token_count);
  return tokens;
}

std::vector<std::int64_t> masses_by_name(const DomainIndex& index, const std::map<std::string, double>& weights) {
  std::vector<double> values;
  for (const Domain& domain : index.domains()) values.push_back(weights.contains(domain.name) ? weights.at(domain.name) : 1.0);
  return to_integers(masses_of(values, tokens_of(index), 1, false));
}

/// One stage without end, whose index knows `horizon` tokens.
Schedule endless(const DomainIndex& index, const std::map<std::string, double>& weights, std::uint64_t seed, std::int64_t horizon = 0) {
  return make_schedule(index, {{-1, masses_by_name(index, weights), nullptr, false, 0}}, seed, horizon, kNeverStops);
}

std::vector<std::int64_t> endless_rows(const DomainIndex& index, const std::map<std::string, double>& weights, std::uint64_t seed, std::int64_t n) {
  MixedOrder order(index, endless(index, weights, seed), seed);
  return order.draws(0, n, kNeverStops).rows;
}

/// The formula itself, in floating point.
std::map<std::string, double> shares_by_name(const Rows& rows, const std::map<std::string, double>& weights) {
  std::map<std::string, double> shares;
  double total = 0;
  for (std::size_t i = 0; i < rows.domains.size(); ++i) shares[rows.domains[i]] += (weights.contains(rows.domains[i]) ? weights.at(rows.domains[i]) : 1.0) * rows.lengths[i];
  for (const auto& [name, mass] : shares) total += mass;
  for (auto& [name, mass] : shares) mass /= total;
  return shares;
}

std::map<std::string, double> random_weights(std::size_t domain_count, unsigned seed) {
  std::mt19937 random(seed);
  std::map<std::string, double> weights;
  for (std::size_t d = 0; d < domain_count; ++d) weights[domain_name(d)] = 0.01 + static_cast<double>(random() % 1000) / 300.0;
  return weights;
}

TEST(Schedule, AgreesWithTheDefinition) {
  const std::vector<std::map<std::string, int>> cases = {{}, {{"d0", 3}}, {{"d0", 1}, {"d1", 2}, {"d2", 5}, {"d3", 0}}, {{"d1", 1000}, {"d4", 7}}};
  for (std::size_t i = 0; i < cases.size(); ++i)
    for (const std::uint32_t length_max : {1u, 4u, 300u}) {  // short documents make ties
      const Rows rows = random_rows(400, 5, static_cast<unsigned>(i) + length_max, length_max);
      const DomainIndex index = index_of(rows);
      ASSERT_EQ(endless_rows(index, {cases[i].begin(), cases[i].end()}, 77, 3000), oracle(rows, cases[i], 77, 3000)) << "case " << i << ", lengths to " << length_max;
    }
}

/// Draws and, for each domain and after each draw, how far it is above its share.
struct Errors {
  std::vector<std::map<std::string, double>> above;
  std::vector<double> all;
  std::map<std::string, double> share, longest;
  double longest_of_all = 0;
};

Errors errors_of(const Rows& rows, const std::map<std::string, double>& weights, const std::vector<std::int64_t>& order) {
  Errors errors;
  errors.share = shares_by_name(rows, weights);
  std::map<std::string, double> drawn;
  double all = 0;
  for (std::size_t i = 0; i < rows.domains.size(); ++i) errors.longest[rows.domains[i]] = std::max<double>(errors.longest[rows.domains[i]], rows.lengths[i]);
  errors.longest_of_all = rows.longest();
  errors.above.emplace_back();
  for (const auto& [name, p] : errors.share) errors.above.back()[name] = 0;
  errors.all.push_back(0);
  for (const std::int64_t row : order) {
    drawn[rows.domains[static_cast<std::size_t>(row)]] += rows.lengths[static_cast<std::size_t>(row)];
    all += rows.lengths[static_cast<std::size_t>(row)];
    auto& above = errors.above.emplace_back();
    for (const auto& [name, p] : errors.share) above[name] = drawn[name] - p * all;
    errors.all.push_back(all);
  }
  return errors;
}

TEST(Schedule, IsWithinADocumentOfTheSharesAtEveryPoint) {
  for (std::size_t domain_count = 1; domain_count <= 9; ++domain_count)
    for (unsigned seed = 0; seed < 20; ++seed) {
      Rows rows = random_rows(300, domain_count, 100 * seed + static_cast<unsigned>(domain_count), seed % 2 == 0 ? 200 : 3);
      if (seed % 3 == 0) rows.lengths[seed] = 1000;  // one long document among short ones
      const auto weights = random_weights(domain_count, seed);
      const Errors errors = errors_of(rows, weights, endless_rows(index_of(rows), weights, seed, 2000));
      for (std::size_t n = 0; n < errors.above.size(); ++n)
        for (const auto& [name, p] : errors.share) {
          const double above = errors.above[n].at(name), longest = errors.longest.at(name);
          ASSERT_LE(above, (1 - p) * longest + 1e-6) << name << " has too much after " << n << " documents, seed " << seed;
          ASSERT_LE(-above, (1 - p) * longest + p * errors.longest_of_all + 1e-6) << name << " has too little after " << n << " documents, seed " << seed;
        }
    }
}

TEST(Schedule, KeepsTheSharesInEveryWindow) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Rows rows = random_rows(500, 6, seed, 100);
    const auto weights = random_weights(6, 1000 + seed);
    const Errors errors = errors_of(rows, weights, endless_rows(index_of(rows), weights, seed, 4000));
    std::mt19937 random(seed);
    for (int window = 0; window < 1000; ++window) {
      const std::size_t begin = random() % errors.above.size(), end = begin + random() % (errors.above.size() - begin);
      for (const auto& [name, p] : errors.share) {
        // Drawn in the window less its share of the window's tokens: a document at each end.
        const double above = errors.above[end].at(name) - errors.above[begin].at(name), longest = errors.longest.at(name);
        ASSERT_LE(std::abs(above), 2 * (1 - p) * longest + p * errors.longest_of_all + 1e-6) << name << " in documents " << begin << " to " << end << ", seed " << seed;
      }
    }
  }
}

TEST(Schedule, GivesEachDocumentOnceInEachPass) {
  const Rows rows = random_rows(500, 4, 9);
  const DomainIndex index = index_of(rows);
  std::map<std::string, std::vector<std::int64_t>> given;
  for (const std::int64_t row : endless_rows(index, {{"d1", 3.0}}, 5, 20000)) given[rows.domains[static_cast<std::size_t>(row)]].push_back(row);
  for (const Domain& domain : index.domains()) {
    const auto& list = given.at(domain.name);
    const std::size_t size = domain.rows.size();
    ASSERT_GT(list.size(), 3 * size);
    std::vector<std::int64_t> previous;
    for (std::size_t pass = 0; pass < 3; ++pass) {
      std::vector<std::int64_t> documents(list.begin() + static_cast<std::ptrdiff_t>(pass * size), list.begin() + static_cast<std::ptrdiff_t>((pass + 1) * size));
      EXPECT_NE(documents, previous) << "a new order in each pass";
      previous = documents;
      EXPECT_NE(documents, domain.rows) << "not the input's order";
      std::sort(documents.begin(), documents.end());
      EXPECT_EQ(documents, domain.rows);
    }
  }
}

TEST(Schedule, ReadsAnyPositionAsInOrder) {
  const DomainIndex index = index_of(random_rows(700, 6, 21));
  const auto masses = masses_by_name(index, {{"d2", 4.0}});
  const std::vector<StagePlan> with_end = {{60'000, masses, nullptr, false, 0}}, without = {{-1, masses, nullptr, false, 0}};
  for (const auto& plans : {with_end, without}) {
    MixedOrder whole(index, make_schedule(index, plans, 1, 20'000, kNeverStops), 1);
    const std::int64_t count = plans[0].end_tokens < 0 ? 5000 : whole.schedule().draw_count;
    ASSERT_GT(count, 3000);
    const auto expected = whole.draws(0, count, kNeverStops).rows;
    std::mt19937 random(2);
    MixedOrder order(index, make_schedule(index, plans, 1, 20'000, kNeverStops), 1);
    for (int i = 0; i < 1000; ++i) {
      const std::int64_t first = random() % count, n = i % 10 == 0 ? random() % (count - first) : 1;
      const std::vector<std::int64_t> slice(expected.begin() + first, expected.begin() + first + n);
      ASSERT_EQ(order.draws(first, n, kNeverStops).rows, slice) << first << " + " << n;
    }
  }
}

TEST(Schedule, HasAMarkForEveryStride) {
  const DomainIndex index = index_of(random_rows(700, 6, 21));
  const Schedule schedule = make_schedule(index, {{60'000, masses_by_name(index, {}), nullptr, false, 0}}, 1, 0, kNeverStops);
  ASSERT_EQ(schedule.mark_count(), static_cast<std::size_t>((schedule.draw_count + Schedule::kStride - 1) / Schedule::kStride));
  for (std::size_t i = 0; i < schedule.mark_count(); ++i) EXPECT_EQ(schedule.mark(i).position, static_cast<std::int64_t>(i) * Schedule::kStride);
}

TEST(Schedule, EndsWithTheDocumentThatReachesItsTokens) {
  const Rows rows = random_rows(300, 3, 5);
  const DomainIndex index = index_of(rows);
  for (const std::int64_t tokens : {1, 77, 5000, 20'000}) {
    const Schedule schedule = make_schedule(index, {{tokens, masses_by_name(index, {{"d1", 2.0}}), nullptr, false, 0}}, 3, 0, kNeverStops);
    std::int64_t sum = 0;
    std::size_t count = 0;
    const auto order = oracle(rows, {{"d1", 2}}, 3, 3000);
    while (sum < tokens) sum += rows.lengths[static_cast<std::size_t>(order[count++])];
    EXPECT_EQ(schedule.draw_count, static_cast<std::int64_t>(count));
    std::int64_t drawn = 0;
    for (const Drawn& domain : schedule.drawn) drawn += domain.tokens;
    EXPECT_EQ(drawn, sum);
  }
}

TEST(Schedule, GivesTheSameToManyThreads) {
  const DomainIndex index = index_of(random_rows(700, 6, 21));
  const auto expected = endless_rows(index, {}, 1, 20000);
  MixedOrder shared(index, endless(index, {}, 1), 1);
  std::atomic<std::int64_t> next{0}, wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (std::int64_t i = next++; i < 200; i = next++) {
        const std::int64_t first = i * 67 % 200 * 100;
        const auto rows = shared.draws(first, 100, kNeverStops).rows;
        if (!std::equal(rows.begin(), rows.end(), expected.begin() + first)) ++wrong;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Schedule, ChangesWithTheSeedAlone) {
  const DomainIndex index = index_of(random_rows(300, 3, 4));
  EXPECT_EQ(endless_rows(index, {}, 1, 300), endless_rows(index, {}, 1, 300));
  EXPECT_NE(endless_rows(index, {}, 1, 300), endless_rows(index, {}, 2, 300));
}

TEST(Schedule, StopsOnTheWay) {
  const DomainIndex index = index_of(random_rows(300, 3, 4));
  MixedOrder order(index, endless(index, {}, 1), 1);
  const auto stop = [] { throw Error(Code::kCancelled, "stop"); };
  EXPECT_EQ(error_of([&] { order.draws(5000, 1, stop); }).first, Code::kCancelled);
  EXPECT_EQ(error_of([&] { make_schedule(index, {{1'000'000, masses_by_name(index, {}), nullptr, false, 0}}, 1, 0, stop); }).first, Code::kCancelled);
}

// ------------------------------------------------------------------------------------------------------------------------------ stages

/// The length of each slot as a number to sort by.
std::vector<std::vector<double>> lengths_of(const DomainIndex& index) {
  std::vector<std::vector<double>> lengths;
  for (const Domain& domain : index.domains()) lengths.emplace_back(domain.lengths.begin(), domain.lengths.end());
  return lengths;
}

/// Three stages of other weights each: shuffled, by length, by length downwards.
struct Curriculum {
  explicit Curriculum(unsigned seed, double epochs = 1.5) : rows(random_rows(600, 4, seed, 60)), index(index_of(rows)), lengths(lengths_of(index)) {
    for (const std::int64_t size : tokens_of(index)) all += size;
    weights = {{{"d0", 1.0}, {"d1", 2.0}}, {{"d0", 0.5}, {"d3", 3.0}}, {{"d2", 0.0}}};
    for (std::size_t s = 0; s < 3; ++s) {
      ends.push_back(static_cast<std::int64_t>(epochs * static_cast<double>(all) * (s == 0 ? 0.3 : s == 1 ? 0.7 : 1.0)));
      plans.push_back({ends[s], masses_by_name(index, weights[s]), s == 0 ? nullptr : &lengths, s == 2, 0});
    }
    schedule = make_schedule(index, plans, seed, 0, kNeverStops);
  }
  Rows rows;
  DomainIndex index;
  std::vector<std::vector<double>> lengths;
  std::vector<std::map<std::string, double>> weights;
  std::int64_t all = 0;
  std::vector<std::int64_t> ends;
  std::vector<StagePlan> plans;
  Schedule schedule;
};

TEST(Stages, EachKeepsItsOwnShares) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    const Curriculum curriculum(seed);
    MixedOrder order(curriculum.index, curriculum.schedule, seed);
    const auto draws = order.draws(0, curriculum.schedule.draw_count, kNeverStops);
    std::int64_t tokens = 0;
    for (std::size_t s = 0, at = 0; s < 3; ++s) {
      std::vector<std::int64_t> rows;
      for (; at < draws.rows.size() && draws.stages[at] == s; ++at) {
        ASSERT_LT(tokens, curriculum.ends[s]) << "a stage ends with the document that reaches its tokens";
        rows.push_back(draws.rows[at]);
        tokens += curriculum.rows.lengths[static_cast<std::size_t>(draws.rows[at])];
      }
      ASSERT_GE(tokens, curriculum.ends[s]);
      const Errors errors = errors_of(curriculum.rows, curriculum.weights[s], rows);
      for (const auto& above : errors.above)
        for (const auto& [name, p] : errors.share) {
          ASSERT_LE(above.at(name), (1 - p) * errors.longest.at(name) + 1e-6);
          ASSERT_LE(-above.at(name), (1 - p) * errors.longest.at(name) + p * errors.longest_of_all + 1e-6);
        }
    }
  }
}

TEST(Stages, SortWhatTheyTakeOfADomain) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    const Curriculum curriculum(seed, 1.0);  // no stage takes more than a pass of any domain, but may end one and begin the next
    MixedOrder order(curriculum.index, curriculum.schedule, seed);
    const auto draws = order.draws(0, curriculum.schedule.draw_count, kNeverStops);
    std::map<std::string, std::vector<std::uint32_t>> shuffled, rising, falling;
    for (std::size_t i = 0; i < draws.rows.size(); ++i) {
      const auto row = static_cast<std::size_t>(draws.rows[i]);
      (draws.stages[i] == 0 ? shuffled : draws.stages[i] == 1 ? rising : falling)[curriculum.rows.domains[row]].push_back(curriculum.rows.lengths[row]);
    }
    EXPECT_FALSE(falling.contains("d2")) << "its weight is 0";
    const auto run_count = [](const std::vector<std::uint32_t>& lengths, bool down) {
      std::size_t runs = 1;
      for (std::size_t i = 1; i < lengths.size(); ++i) runs += down ? lengths[i] > lengths[i - 1] : lengths[i] < lengths[i - 1];
      return runs;
    };
    for (const Domain& domain : curriculum.index.domains()) {
      EXPECT_LE(run_count(rising[domain.name], false), 2 + rising[domain.name].size() / domain.rows.size()) << domain.name;
      EXPECT_LE(run_count(falling[domain.name], true), 2 + falling[domain.name].size() / domain.rows.size()) << domain.name;
    }
    EXPECT_GT(run_count(shuffled["d0"], false), shuffled["d0"].size() / 4);
  }
}

TEST(Stages, TakeEverySlotOfEveryPassOnce) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    const Curriculum curriculum(seed, 3.0);
    std::map<std::int64_t, std::int64_t> given;
    MixedOrder order(curriculum.index, curriculum.schedule, seed);
    for (const std::int64_t row : order.draws(0, curriculum.schedule.draw_count, kNeverStops).rows) ++given[row];
    for (const Domain& domain : curriculum.index.domains()) {
      // A pass begins when the one before has given every document.
      const auto [least, most] = std::minmax_element(domain.rows.begin(), domain.rows.end(), [&](std::int64_t a, std::int64_t b) { return given[a] < given[b]; });
      EXPECT_LE(given[*most] - given[*least], 1) << domain.name << ", seed " << seed;
      EXPECT_GE(given[*most], 1) << domain.name;
    }
  }
}

TEST(Stages, WithAnOrderTakeTheFirstOfWhatIsLeft) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    const Curriculum curriculum(seed, 0.6);  // within a pass of every domain
    MixedOrder order(curriculum.index, curriculum.schedule, seed);
    const auto draws = order.draws(0, curriculum.schedule.draw_count, kNeverStops);
    std::vector<int> stage_of(curriculum.rows.lengths.size(), 3);  // 3: not given
    for (std::size_t i = 0; i < draws.rows.size(); ++i) stage_of[static_cast<std::size_t>(draws.rows[i])] = static_cast<int>(draws.stages[i]);
    for (const Domain& domain : curriculum.index.domains()) {
      const auto extreme = [&](int stage, bool longest) {
        std::uint32_t found = longest ? 0 : std::numeric_limits<std::uint32_t>::max();
        for (std::size_t slot = 0; slot < domain.rows.size(); ++slot)
          if (stage_of[static_cast<std::size_t>(domain.rows[slot])] == stage) found = longest ? std::max(found, domain.lengths[slot]) : std::min(found, domain.lengths[slot]);
        return found;
      };
      EXPECT_LE(extreme(1, true), std::min(extreme(2, false), extreme(3, false))) << domain.name << ": the shortest of what the first stage has left";
      EXPECT_GE(extreme(2, false), extreme(3, true)) << domain.name << ": the longest of what the second has left";
    }
  }
}

TEST(Stages, GiveEveryDocumentOnceInOneEpochOfEqualWeights) {
  const Rows rows = random_rows(333, 5, 8);
  const DomainIndex index = index_of(rows);
  const auto lengths = lengths_of(index);
  std::int64_t all = 0;
  for (const std::int64_t size : tokens_of(index)) all += size;
  const Schedule schedule = make_schedule(index, {{all, masses_by_name(index, {}), &lengths, false, 0}}, 4, 0, kNeverStops);
  MixedOrder order(index, schedule, 4);
  const auto given = order.draws(0, schedule.draw_count, kNeverStops).rows;
  EXPECT_EQ(given.size(), 333u);
  EXPECT_EQ(std::set<std::int64_t>(given.begin(), given.end()).size(), 333u);
}

TEST(Stages, ReadAnyPositionAsInOrder) {
  const Curriculum curriculum(7);
  const std::int64_t count = curriculum.schedule.draw_count;
  MixedOrder whole(curriculum.index, curriculum.schedule, 7), order(curriculum.index, curriculum.schedule, 7);
  const auto expected = whole.draws(0, count, kNeverStops);
  std::mt19937 random(2);
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t first = random() % count, n = std::min<std::int64_t>(count - first, random() % 20);
    const auto found = order.draws(first, n, kNeverStops);
    ASSERT_EQ(found.rows, std::vector<std::int64_t>(expected.rows.begin() + first, expected.rows.begin() + first + n)) << first << " + " << n;
    ASSERT_EQ(found.stages, std::vector<std::uint32_t>(expected.stages.begin() + first, expected.stages.begin() + first + n));
  }
}

// --------------------------------------------------------------------------------------------------------------------------- its index

TEST(DomainIndex, SortsByDomainInOrderOfAppearance) {
  DomainIndex index;
  index.append("web", 3);
  index.append("empty", 0);
  index.append("books", 5, 2);
  index.append("web", 2);
  index.append("web", 7, 0);
  ASSERT_EQ(index.domains().size(), 2u);
  EXPECT_EQ(index.domains()[0].name, "web");
  EXPECT_THAT(index.domains()[0].rows, ElementsAre(0, 3));
  EXPECT_THAT(index.domains()[0].lengths, ElementsAre(3, 2));
  EXPECT_EQ(index.domains()[0].token_count, 5);
  EXPECT_THAT(index.domains()[1].rows, ElementsAre(2, 2)) << "a document that stands twice";
  EXPECT_EQ(index.domains()[1].token_count, 10);
  EXPECT_EQ(index.domains()[1].unique_tokens, 5);
  EXPECT_EQ(index.domains()[1].document_count, 1);
  EXPECT_EQ(index.row_count(), 5);
  EXPECT_EQ(index.empty_count(), 1);
  EXPECT_FALSE(index.has("empty"));
}

TEST(Mixture, SurvivesSaveAndLoad) {
  const TemporaryFolder folder;
  const Curriculum curriculum(3);
  const Mixture mixture{curriculum.index, curriculum.schedule};
  mixture.save(folder.path("domains"));
  Mixture loaded = Mixture::load(folder.path("domains"));
  EXPECT_EQ(loaded.index.row_count(), mixture.index.row_count());
  ASSERT_EQ(loaded.index.domains().size(), mixture.index.domains().size());
  for (std::size_t i = 0; i < mixture.index.domains().size(); ++i) {
    const Domain &found = loaded.index.domains()[i], &expected = mixture.index.domains()[i];
    EXPECT_EQ(found.name, expected.name);
    EXPECT_EQ(found.rows, expected.rows);
    EXPECT_EQ(found.lengths, expected.lengths);
    EXPECT_EQ(found.token_count, expected.token_count);
    EXPECT_EQ(found.unique_tokens, expected.unique_tokens);
    EXPECT_EQ(found.document_count, expected.document_count);
    EXPECT_EQ(loaded.schedule.drawn[i].tokens, mixture.schedule.drawn[i].tokens);
  }
  EXPECT_EQ(loaded.schedule.draw_count, mixture.schedule.draw_count);
  EXPECT_EQ(loaded.schedule.marks, mixture.schedule.marks);
  MixedOrder one(mixture.index, mixture.schedule, 3), other(loaded.index, loaded.schedule, 3);
  EXPECT_EQ(one.draws(0, mixture.schedule.draw_count, kNeverStops).rows, other.draws(0, mixture.schedule.draw_count, kNeverStops).rows);
}

TEST(Mixture, RefusesADamagedFile) {
  const TemporaryFolder folder;
  const Rows rows = random_rows(8, 3, 3);
  const DomainIndex index = index_of(rows);
  const Mixture mixture{index, make_schedule(index, {{100, masses_by_name(index, {}), nullptr, false, 0}}, 1, 0, kNeverStops)};
  mixture.save(folder.path("domains"));
  const std::string good = read_file(folder.path("domains"));
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    const std::string path = folder.write("bad", bad);
    ASSERT_EQ(error_of([&] { Mixture::load(path); }).first, Code::kCorruptData) << "byte " << at;
    ASSERT_EQ(error_of([&] { Mixture::load(folder.write("bad", std::string_view(good).substr(0, at))); }).first, Code::kCorruptData) << at << " bytes";
  }
  EXPECT_EQ(error_of([&] { Mixture::load(folder.write("bad", good + "x")); }).first, Code::kCorruptData);
  EXPECT_EQ(error_of([&] { Mixture::load(folder.path("none")); }).first, Code::kNotFound);
  EXPECT_EQ(error_of([&] { mixture.save(folder.path("no/such/folder")); }).first, Code::kIo);
}

}  // namespace
}  // namespace flowrun::mixers
