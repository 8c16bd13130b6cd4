// Every shape that makes bounded graphs deadlock ends here, with memory at its credits: many seeds, tiny credits, one to four threads.

#include <fmt/format.h>

#include "system/in_process.hpp"

namespace flowrun::testing {
namespace {

constexpr int kSeeds = 200;

/// What a seed decides.
struct Draw {
  std::int64_t units, documents, text_bytes, batch_bytes, batch_documents, memory_bytes;
  int threads;
  std::uint64_t seed;

  explicit Draw(std::uint64_t drawn_seed) : seed(drawn_seed) {
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t n) { return static_cast<std::int64_t>(random() % n); };
    units = 1 + below(6);
    documents = 1 + below(40);
    text_bytes = 20 + below(1500);
    batch_bytes = 1 + below(4000);
    batch_documents = 1 + below(12);
    // From less than one batch to more than all.
    static constexpr std::int64_t kMemory[] = {1, 3000, 20'000, 1 << 20};
    memory_bytes = kMemory[below(4)];
    threads = 1 + static_cast<int>(below(4));
  }

  std::string run_table() const {
    return fmt::format("[run]\nname = \"t\"\nseed = {}\nbatch_bytes = {}\nbatch_documents = {}\nmemory_bytes = {}\n", seed, batch_bytes, batch_documents, memory_bytes);
  }
  std::string source(const std::string& name) const {
    return fmt::format("[node.{0}]\nplugin = \"test/source_numbers\"\nid_prefix = \"{0}\"\nunits = {1}\ndocuments = {2}\ntext_bytes = {3}\n", name, units, documents, text_bytes);
  }
  std::int64_t total() const { return units * documents; }
  /// The most that is out at once: the credits, or one batch that is larger; a batch is at most one document over its limit, and a document costs
  /// its text and at most 100 bytes for its other columns.
  std::int64_t most_credits() const { return std::max(memory_bytes, batch_bytes + text_bytes + 40 + 100 * (batch_documents + 1)); }
};

std::string node(const std::string& name, const std::string& plugin, const std::string& in, const std::string& more = {}) {
  return fmt::format("[node.{}]\nplugin = \"test/{}\"\nin = {}\n{}\n", name, plugin, in, more);
}

std::string dropping(const std::string& name, const std::string& in, double share) {
  return node(name, "drop_share", "\"" + in + "\"", fmt::format("share = {:.2f}", share));
}

/// Returns a document's number, and checks that it is of the expected source.
std::int64_t number_of(const nlohmann::json& line, const std::string& prefix) {
  const std::string id = line["id"];
  EXPECT_EQ(id.substr(0, id.find('-')), prefix) << id;
  return std::stoll(id.substr(id.find('-') + 1));
}

class Liveness : public InProcessTest {
 protected:
  /// Runs a graph for every seed; `check` looks at what is in the run's folder.
  template <class Graph, class Check>
  void for_all_seeds(const Graph& graph, const Check& check) {
    Watchdog watchdog(30);
    for (int seed = 0; seed < kSeeds && !HasFailure(); ++seed) {
      const Draw draw(static_cast<std::uint64_t>(seed));
      const std::string toml = graph(draw);
      watchdog.begins(fmt::format("seed {}, {} threads\n{}", seed, draw.threads, toml));
      SCOPED_TRACE(toml);
      const Outcome outcome = run_anew(toml, draw.threads);
      ASSERT_EQ(outcome.exit_code, 0) << outcome.message;
      expect_exact_sums(json("run/funnel.json"));
      EXPECT_LE(json("run/progress.json")["credits_peak_bytes"].get<std::int64_t>(), draw.most_credits());
      check(draw);
    }
  }

  /// Checks that a file holds parts of the named sources one after another, each in order and without a copy, and returns the parts' sizes.
  std::vector<std::size_t> parts_of(const std::string& file, const std::vector<std::string>& prefixes) const {
    std::vector<std::size_t> sizes(prefixes.size(), 0);
    std::size_t part = 0;
    std::int64_t last = -1;
    for (const auto& line : json_lines(file)) {
      const std::string id = line["id"];
      const auto comes_next = [&] { return id.substr(0, id.find('-')) == prefixes[part] && std::stoll(id.substr(id.find('-') + 1)) > last; };
      if (part + 1 < prefixes.size() && !comes_next()) ++part, last = -1;
      EXPECT_TRUE(comes_next()) << id << " after " << last << " in part " << part;
      last = number_of(line, prefixes[part]);
      ++sizes[part];
    }
    return sizes;
  }

  std::int64_t out_of(const std::string& name) const { return json("run/funnel.json")["nodes"][name]["out"]["documents"]; }
};

TEST_F(Liveness, DiamondWhoseBranchesDropVeryDifferentSharesEnds) {
  for_all_seeds(
      [](const Draw& draw) {
        const double first = draw.seed % 2 == 0 ? 0.98 : 0.0;
        return draw.run_table() + draw.source("a") + dropping("left", "a", first) + dropping("right", "a", 0.98 - first) +
               node("join", "serial_join", "{ first = \"left\", second = \"right\" }") + node("out", "collect", "\"join\"");
      },
      [&](const Draw& draw) {
        EXPECT_EQ(out_of("a"), draw.total());
        EXPECT_EQ(out_of("join"), out_of("left") + out_of("right"));
        EXPECT_EQ(json_lines("run/collected.jsonl").size(), static_cast<std::size_t>(out_of("join")));
        // Where one branch keeps all, the file shows where it begins and ends.
        const auto lines = json_lines("run/collected.jsonl");
        const std::size_t whole = draw.seed % 2 == 0 ? static_cast<std::size_t>(out_of("left")) : 0;
        for (std::size_t i = 0; i < static_cast<std::size_t>(draw.total()); ++i) EXPECT_EQ(number_of(lines.at(whole + i), "a"), static_cast<std::int64_t>(i));
      });
}

TEST_F(Liveness, JoinOfTwoSourcesThatDropVeryDifferentSharesEnds) {
  for_all_seeds(
      [](const Draw& draw) {
        const double first = draw.seed % 2 == 0 ? 1.0 : 0.02;
        return draw.run_table() + draw.source("a") + draw.source("b") + dropping("left", "a", first) + dropping("right", "b", 1.02 - first) +
               node("join", "serial_join", "{ first = \"left\", second = \"right\" }") + node("out", "collect", "\"join\"");
      },
      [&](const Draw&) {
        const auto sizes = parts_of("run/collected.jsonl", {"a", "b"});
        EXPECT_EQ(static_cast<std::int64_t>(sizes[0]), out_of("left"));
        EXPECT_EQ(static_cast<std::int64_t>(sizes[1]), out_of("right"));
      });
}

TEST_F(Liveness, TwoJoinsOverTheSameSourcesInOppositeOrderEnd) {
  for_all_seeds(
      [](const Draw& draw) {
        return draw.run_table() + draw.source("a") + draw.source("b") + dropping("half", "b", 0.5) + node("ab", "collect", "[\"a\", \"half\"]", "path = \"ab.jsonl\"") +
               node("ba", "collect", "[\"half\", \"a\"]", "path = \"ba.jsonl\"");
      },
      [&](const Draw& draw) {
        const auto ab = parts_of("run/ab.jsonl", {"a", "b"}), ba = parts_of("run/ba.jsonl", {"b", "a"});
        EXPECT_EQ(static_cast<std::int64_t>(ab[0]), draw.total());
        EXPECT_EQ(static_cast<std::int64_t>(ab[1]), out_of("half"));
        EXPECT_EQ(ab[0], ba[1]);
        EXPECT_EQ(ab[1], ba[0]);
      });
}

TEST_F(Liveness, NodesThatKeepBatchesStillSeeAllOfThem) {
  for_all_seeds(
      [](const Draw& draw) {
        // Each holds its credits: `delay` those of one batch, `keep` those of all its input.
        return draw.run_table() + draw.source("a") + node("delay", "serial_delay", "\"a\"") +
               node("keep", "blocking_throw", "\"delay\"", "call = \"produce\"\nat = 1_000_000") + node("out", "collect", "\"keep\"");
      },
      [&](const Draw& draw) { EXPECT_EQ(parts_of("run/collected.jsonl", {"a"})[0], static_cast<std::size_t>(draw.total())); });
}

}  // namespace
}  // namespace flowrun::testing
