#include "weighted.hpp"

#include <flowrun/philox.hpp>
#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace flowrun::mixers {
namespace {

using flowrun::testing::Batch;
using flowrun::testing::error_of;
using flowrun::testing::MemoryDataset;
using flowrun::testing::OpenOptions;
using flowrun::testing::Parameters;
using flowrun::testing::read_file;
using flowrun::testing::Runner;
using flowrun::testing::TemporaryFolder;
using flowrun::testing::token_rows;
using flowrun::testing::TokenRow;
using flowrun::testing::Value;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::function<void()> kNeverStops = [] {};

/// Rows of domains "d0", "d1", ..., in no order, of 1 to `length_max` tokens.
struct Rows {
  std::vector<std::string> domains;
  std::vector<std::uint32_t> lengths;
  std::uint32_t longest() const { return *std::max_element(lengths.begin(), lengths.end()); }
};

std::string domain_name(std::size_t number) { return std::string("d").append(std::to_string(number)); }

Rows random_rows(std::size_t count, std::size_t domain_count, unsigned seed, std::uint32_t length_max = 30) {
  std::mt19937 random(seed);
  Rows rows;
  for (std::size_t i = 0; i < count; ++i) {
    rows.domains.push_back(domain_name(std::min(random() % domain_count, random() % domain_count)));
    rows.lengths.push_back(1 + static_cast<std::uint32_t>(random()) % length_max);
  }
  return rows;
}

DomainIndex index_of(const Rows& rows) {
  DomainIndex index;
  for (std::size_t i = 0; i < rows.domains.size(); ++i) index.append(rows.domains[i], rows.lengths[i]);
  return index;
}

/// The definition, written down once more: whole weights, fractions as integers, every draw from the beginning.
std::vector<std::int64_t> oracle(const Rows& rows, const std::map<std::string, int>& weights, std::uint64_t seed, std::size_t draws) {
  std::vector<std::string> names;
  std::map<std::string, std::vector<std::int64_t>> documents;
  std::map<std::string, std::int64_t> tokens, drawn, given;
  for (std::size_t i = 0; i < rows.domains.size(); ++i) {
    const std::string& domain = rows.domains[i];
    if (weights.contains(domain) && weights.at(domain) == 0) continue;
    if (!documents.contains(domain)) names.push_back(domain);
    documents[domain].push_back(static_cast<std::int64_t>(i));
    tokens[domain] += rows.lengths[i];
  }
  const auto mass = [&](const std::string& domain) { return (weights.contains(domain) ? weights.at(domain) : 1) * tokens[domain]; };
  std::int64_t total = 0, all = 0;
  for (const auto& name : names) total += mass(name);
  std::vector<std::int64_t> order;
  while (order.size() < draws) {
    std::string best;
    for (const auto& name : names)
      if (best.empty() || mass(name) * all - drawn[name] * total > mass(best) * all - drawn[best] * total) best = name;
    const auto size = static_cast<std::int64_t>(documents[best].size()), number = given[best]++;
    const Permutation permutation(philox_u64(derive_seed(seed, best), static_cast<std::uint64_t>(number / size)), static_cast<std::uint64_t>(size));
    const std::int64_t row = documents[best][permutation(static_cast<std::uint64_t>(number % size))];
    order.push_back(row);
    drawn[best] += rows.lengths[static_cast<std::size_t>(row)];
    all += rows.lengths[static_cast<std::size_t>(row)];
  }
  return order;
}

std::map<std::string, double> as_doubles(const std::map<std::string, int>& weights) { return {weights.begin(), weights.end()}; }

// ---------------------------------------------------------------------------------------------------------------------- the algorithm

TEST(WeightedOrder, AgreesWithTheDefinition) {
  const std::vector<std::map<std::string, int>> cases = {{}, {{"d0", 3}}, {{"d0", 1}, {"d1", 2}, {"d2", 5}, {"d3", 0}}, {{"d1", 1000}, {"d4", 7}}};
  for (std::size_t i = 0; i < cases.size(); ++i)
    for (const std::uint32_t length_max : {1u, 4u, 300u}) {  // short documents make ties
      const Rows rows = random_rows(400, 5, static_cast<unsigned>(i) + length_max, length_max);
      const DomainIndex index = index_of(rows);
      WeightedOrder order(index, as_doubles(cases[i]), 77);
      ASSERT_EQ(order.rows(0, 5000, kNeverStops), oracle(rows, cases[i], 77, 5000)) << "case " << i << ", lengths to " << length_max;
    }
}

TEST(WeightedOrder, KeepsTheSharesAtEveryPrefix) {
  for (std::size_t domain_count = 1; domain_count <= 7; ++domain_count)
    for (unsigned seed = 0; seed < 20; ++seed) {
      const Rows rows = random_rows(300, domain_count, 100 * seed + static_cast<unsigned>(domain_count), 200);
      const DomainIndex index = index_of(rows);
      std::mt19937 random(seed);
      std::map<std::string, double> weights;
      for (std::size_t d = 0; d < domain_count; ++d) weights[domain_name(d)] = 0.01 + static_cast<double>(random() % 1000) / 300.0;
      WeightedOrder order(index, weights, seed);

      // The formula itself, in floating point.
      std::map<std::string, double> share, drawn;
      double total = 0, harmonic = 0, all = 0;
      for (std::size_t i = 0; i < rows.domains.size(); ++i) share[rows.domains[i]] += weights.at(rows.domains[i]) * rows.lengths[i];
      for (const auto& [name, mass] : share) total += mass;
      for (auto& [name, mass] : share) mass /= total;
      for (std::size_t k = 1; k < share.size(); ++k) harmonic += 1.0 / static_cast<double>(k);
      for (const auto& part : order.parts()) EXPECT_NEAR(part.share, share.at(part.domain->name), 1e-12);

      const double longest = rows.longest();
      for (const std::int64_t row : order.rows(0, 3000, kNeverStops)) {
        drawn[rows.domains[static_cast<std::size_t>(row)]] += rows.lengths[static_cast<std::size_t>(row)];
        all += rows.lengths[static_cast<std::size_t>(row)];
        for (const auto& [name, p] : share) {
          ASSERT_LT(drawn[name] - p * all, longest) << name << " has more than a document too much";
          ASSERT_LE(p * all - drawn[name], longest * harmonic + 1e-6) << name << " has too little";
        }
      }
    }
}

TEST(WeightedOrder, GivesEachDocumentOnceInEachPass) {
  const Rows rows = random_rows(500, 4, 9);
  const DomainIndex index = index_of(rows);
  WeightedOrder order(index, {{"d1", 3.0}}, 5);
  std::map<std::string, std::vector<std::int64_t>> given;
  for (const std::int64_t row : order.rows(0, 20000, kNeverStops)) given[rows.domains[static_cast<std::size_t>(row)]].push_back(row);
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

TEST(WeightedOrder, ReadsAnyPositionInAnyOrder) {
  const DomainIndex index = index_of(random_rows(700, 6, 21));
  WeightedOrder whole(index, {}, 1);
  const auto expected = whole.rows(0, 10000, kNeverStops);
  std::mt19937 random(2);
  for (int trial = 0; trial < 5; ++trial) {
    WeightedOrder order(index, {}, 1);
    for (int i = 0; i < 60; ++i) {
      const std::int64_t first = random() % 9000, n = random() % 1000;
      const std::vector<std::int64_t> slice(expected.begin() + first, expected.begin() + first + n);
      ASSERT_EQ(order.rows(first, n, kNeverStops), slice) << first << " + " << n;
    }
  }
}

TEST(WeightedOrder, GivesTheSameToManyThreads) {
  const DomainIndex index = index_of(random_rows(700, 6, 21));
  WeightedOrder alone(index, {}, 1), shared(index, {}, 1);
  const auto expected = alone.rows(0, 20000, kNeverStops);
  std::atomic<std::int64_t> next{0}, wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (std::int64_t i = next++; i < 200; i = next++) {
        const std::int64_t first = i * 67 % 200 * 100;
        const auto rows = shared.rows(first, 100, kNeverStops);
        if (!std::equal(rows.begin(), rows.end(), expected.begin() + first)) ++wrong;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(WeightedOrder, ChangesWithTheSeedAlone) {
  const DomainIndex index = index_of(random_rows(300, 3, 4));
  WeightedOrder first(index, {}, 1), same(index, {}, 1), other(index, {}, 2);
  EXPECT_EQ(first.rows(0, 300, kNeverStops), same.rows(0, 300, kNeverStops));
  EXPECT_NE(first.rows(0, 300, kNeverStops), other.rows(0, 300, kNeverStops));
}

TEST(WeightedOrder, TakesWeightsOfAnySize) {
  const Rows rows = random_rows(300, 3, 4);
  const DomainIndex index = index_of(rows);
  for (const double scale : {1e-300, 1e-9, 1e9, 1e307}) {
    WeightedOrder order(index, {{"d0", scale}, {"d1", 3 * scale}, {"d2", scale}}, 1), plain(index, {{"d1", 3.0}}, 1);
    EXPECT_NEAR(order.parts()[0].share, plain.parts()[0].share, 1e-12);
    order.rows(0, 5000, kNeverStops);
  }
  WeightedOrder extreme(index, {{"d0", 1e-300}, {"d1", 1e300}}, 1);
  std::map<std::string, int> given;
  for (const std::int64_t row : extreme.rows(0, 5000, kNeverStops)) ++given[rows.domains[static_cast<std::size_t>(row)]];
  EXPECT_GE(given["d1"], 4998) << "the others come at most once, at the tie of the first draw";
}

TEST(WeightedOrder, StopsOnTheWayToAFarPosition) {
  const DomainIndex index = index_of(random_rows(300, 3, 4));
  WeightedOrder order(index, {}, 1);
  const auto stop = [] { throw Error(Code::kCancelled, "stop"); };
  EXPECT_EQ(error_of([&] { order.rows(5000, 1, stop); }).first, Code::kCancelled);
  EXPECT_EQ(error_of([&] { order.draw_count(1e9, stop); }).first, Code::kCancelled);
}

// -------------------------------------------------------------------------------------------------------------------------- its index

TEST(DomainIndex, SortsByDomainInOrderOfAppearance) {
  DomainIndex index;
  index.append("web", 3);
  index.append("empty", 0);
  index.append("books", 5);
  index.append("web", 2);
  ASSERT_EQ(index.domains().size(), 2u);
  EXPECT_EQ(index.domains()[0].name, "web");
  EXPECT_THAT(index.domains()[0].rows, ElementsAre(0, 3));
  EXPECT_THAT(index.domains()[0].lengths, ElementsAre(3, 2));
  EXPECT_EQ(index.domains()[0].token_count, 5);
  EXPECT_EQ(index.row_count(), 4);
  EXPECT_EQ(index.empty_count(), 1);
  EXPECT_FALSE(index.has("empty"));
}

TEST(DomainIndex, SurvivesSaveAndLoad) {
  const TemporaryFolder folder;
  DomainIndex index = index_of(random_rows(5000, 9, 3));
  index.append("an empty one", 0);
  index.draw_count = 12345;
  index.save(folder.path("domains"));
  const DomainIndex loaded = DomainIndex::load(folder.path("domains"));
  EXPECT_EQ(loaded.row_count(), 5001);
  EXPECT_EQ(loaded.empty_count(), 1);
  EXPECT_EQ(loaded.draw_count, 12345);
  ASSERT_EQ(loaded.domains().size(), index.domains().size());
  for (std::size_t i = 0; i < index.domains().size(); ++i) {
    EXPECT_EQ(loaded.domains()[i].name, index.domains()[i].name);
    EXPECT_EQ(loaded.domains()[i].rows, index.domains()[i].rows);
    EXPECT_EQ(loaded.domains()[i].lengths, index.domains()[i].lengths);
    EXPECT_EQ(loaded.domains()[i].token_count, index.domains()[i].token_count);
  }
}

TEST(DomainIndex, RefusesADamagedFile) {
  const TemporaryFolder folder;
  const DomainIndex index = index_of(random_rows(8, 3, 3));
  index.save(folder.path("domains"));
  const std::string good = read_file(folder.path("domains"));
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    const std::string path = folder.write("bad", bad);
    ASSERT_EQ(error_of([&] { DomainIndex::load(path); }).first, Code::kCorruptData) << "byte " << at;
    ASSERT_EQ(error_of([&] { DomainIndex::load(folder.write("bad", std::string_view(good).substr(0, at))); }).first, Code::kCorruptData) << at << " bytes";
  }
  EXPECT_EQ(error_of([&] { DomainIndex::load(folder.write("bad", good + "x")); }).first, Code::kCorruptData);
  EXPECT_EQ(error_of([&] { DomainIndex::load(folder.path("none")); }).first, Code::kNotFound);
  EXPECT_EQ(error_of([&] { index.save(folder.path("no/such/folder")); }).first, Code::kIo);
}

// --------------------------------------------------------------------------------------------------------------------------- the node

std::vector<TokenRow> token_documents(const Rows& rows) {
  std::vector<TokenRow> documents;
  std::uint32_t token = 0;
  for (std::size_t i = 0; i < rows.domains.size(); ++i) {
    TokenRow row{"doc" + std::to_string(i), rows.domains[i], static_cast<std::int64_t>(3 * i), {}};
    for (std::uint32_t t = 0; t < rows.lengths[i]; ++t) row.input_ids.push_back(token++);
    documents.push_back(std::move(row));
  }
  return documents;
}

class MixedNode {
 public:
  MixedNode(std::vector<const MemoryDataset*> datasets, std::vector<std::pair<std::string, Value>> parameters, std::uint64_t seed = 0) : runner(flowrun_plugin_v1, parameters) {
    OpenOptions options;
    options.seed = seed;
    runner.open({fields::tokens()}, options);
    runner.prepare(datasets, folder.path());
    runner.attach(datasets, folder.path());
  }
  TemporaryFolder folder;
  Runner runner;
};

TEST(Weighted, GivesRowsAsTheyAreInTheOrderOfTheDefinition) {
  const Rows rows = random_rows(200, 3, 6);
  const auto documents = token_documents(rows);
  const MemoryDataset data(documents);
  MixedNode node({&data}, {{"weights", Value::Table{{"d1", 4.0}}}}, 99);
  EXPECT_EQ(node.runner.count(), -1);
  EXPECT_EQ(data.rows_read(), 0) << "the index is made from lengths and domains alone";
  std::vector<TokenRow> expected;
  for (const std::int64_t row : oracle(rows, {{"d1", 4}}, 99, 1500)) expected.push_back(documents[static_cast<std::size_t>(row)]);
  EXPECT_EQ(token_rows(node.runner.read_rows(0, 1500)), expected);
  EXPECT_EQ(token_rows(node.runner.read_rows(1200, 30)), std::vector<TokenRow>(expected.begin() + 1200, expected.begin() + 1230));

  const Batch index = node.runner.index_rows(700, 50);
  const BatchView view(index.array.get(), index.schema);
  ASSERT_EQ(view.size(), 50);
  for (std::int64_t i = 0; i < 50; ++i) {
    const TokenRow& row = expected[static_cast<std::size_t>(700 + i)];
    EXPECT_EQ(view.strings("id")[i], row.id);
    EXPECT_EQ(view.strings("domain")[i], row.domain);
    EXPECT_EQ((view.values<std::int64_t>("bytes", "l")[i]), row.bytes);
    EXPECT_EQ((view.values<std::uint32_t>("length", "I")[i]), row.input_ids.size());
  }
  EXPECT_EQ(node.runner.read_rows(5, 0).size(), 0);
}

TEST(Weighted, TakesSeveralInputsInOrder) {
  const Rows rows = random_rows(90, 3, 6);
  const auto documents = token_documents(rows);
  const MemoryDataset first({documents.begin(), documents.begin() + 30}), second({documents.begin() + 30, documents.end()}), all(documents);
  MixedNode apart({&first, &second}, {}, 3), together({&all}, {}, 3);
  EXPECT_EQ(token_rows(apart.runner.read_rows(0, 400)), token_rows(together.runner.read_rows(0, 400)));
}

TEST(Weighted, GivesEveryDocumentOnceInOneEpochOfEqualWeights) {
  auto documents = token_documents(random_rows(333, 5, 8));
  documents.insert(documents.begin() + 7, {"none", "d0", 4, {}});
  const MemoryDataset data(documents);
  MixedNode node({&data}, {{"epochs", 1}});
  ASSERT_EQ(node.runner.count(), 333);
  std::set<std::string> ids;
  for (const auto& row : token_rows(node.runner.read_rows(0, 333))) ids.insert(row.id);
  EXPECT_EQ(ids.size(), 333u);
  EXPECT_FALSE(ids.contains("none")) << "a document without tokens";
  EXPECT_EQ(node.runner.logs().at(0).message, "1 documents without tokens are left out");
  EXPECT_EQ(error_of([&] { node.runner.read_rows(330, 4); }), (std::pair<Code, std::string>(Code::kInvalidArgument, "documents 330 to 334 of a mixture of 333")));
}

TEST(Weighted, EndsWithTheDocumentThatCompletesTheEpochs) {
  const Rows rows = random_rows(250, 4, 12);
  const auto documents = token_documents(rows);
  const MemoryDataset data(documents);
  for (const double epochs : {0.001, 0.5, 2.0, 3.7}) {
    MixedNode node({&data}, {{"epochs", epochs}, {"weights", Value::Table{{"d0", 2.0}, {"d2", 0.0}}}});
    double wanted = 0, drawn = 0;
    for (std::size_t i = 0; i < rows.domains.size(); ++i)
      if (rows.domains[i] != "d2") wanted += epochs * rows.lengths[i];
    std::int64_t count = 0;
    for (const std::int64_t row : oracle(rows, {{"d0", 2}, {"d2", 0}}, 0, 2000)) {
      if (drawn >= wanted) break;
      drawn += rows.lengths[static_cast<std::size_t>(row)];
      ++count;
    }
    ASSERT_LT(count, 2000);
    EXPECT_EQ(node.runner.count(), count) << epochs << " epochs";
    for (const auto& row : token_rows(node.runner.read_rows(0, count))) EXPECT_NE(row.domain, "d2");
  }
}

TEST(Weighted, WritesTheSameIndexEachTime) {
  const MemoryDataset data(token_documents(random_rows(100, 3, 2)));
  MixedNode first({&data}, {{"epochs", 2}}, 8), second({&data}, {{"epochs", 2}}, 8);
  EXPECT_EQ(read_file(first.folder.path("domains.bin")), read_file(second.folder.path("domains.bin")));
  EXPECT_THAT(first.runner.close(), IsEmpty());
}

TEST(Weighted, WarnsOfAWeightThatNothingHas) {
  const MemoryDataset data({{"a", "web", 1, {1, 2, 3}}, {"b", "books", 1, {4}}});
  MixedNode node({&data}, {{"weights", Value::Table{{"boks", 2.0}}}});
  ASSERT_EQ(node.runner.logs().size(), 2u);
  EXPECT_EQ(node.runner.logs()[0].level, FLOWRUN_LOG_WARNING);
  EXPECT_EQ(node.runner.logs()[0].message, "'weights' names the domain 'boks', of which the input has no document with tokens");
  EXPECT_EQ(node.runner.logs()[1].message, "shares of the tokens: web 0.7500, books 0.2500");
}

TEST(Weighted, ExplainsWhatItCannotMix) {
  const MemoryDataset data({{"a", "web", 1, {1, 2, 3}}}), none({}), tokenless({{"a", "web", 1, {}}}), endless({{"a", "web", 1, {1}}}, true);
  const auto prepare_error = [](const MemoryDataset& dataset, std::vector<std::pair<std::string, Value>> parameters) {
    return error_of([&] { MixedNode({&dataset}, parameters); });
  };
  using Expected = std::pair<Code, std::string>;
  EXPECT_EQ(prepare_error(none, {}), Expected(Code::kInvalidArgument, "the input has 0 documents and no token, expected at least one to mix"));
  EXPECT_EQ(prepare_error(tokenless, {}), Expected(Code::kInvalidArgument, "the input has 1 documents and no token, expected at least one to mix"));
  EXPECT_EQ(prepare_error(endless, {}), Expected(Code::kInvalidArgument, "the input has no end, expected documents that can be counted"));
  EXPECT_EQ(prepare_error(data, {{"weights", Value::Table{{"web", 0.0}}}}), Expected(Code::kInvalidArgument, "'weights' leaves every domain of the input out, expected one above 0"));
  EXPECT_EQ(prepare_error(data, {{"weights", Value::Table{{"web", -1.0}}}}),
            Expected(Code::kInvalidArgument, "the weight of 'web' in 'weights' is -1.0, expected a finite number of at least 0"));
  EXPECT_EQ(prepare_error(data, {{"epochs", 0}}), Expected(Code::kInvalidArgument, "'epochs' is 0.0, expected a finite number above 0"));
  EXPECT_EQ(prepare_error(data, {{"epochs", std::numeric_limits<double>::infinity()}}).first, Code::kInvalidArgument);
  EXPECT_EQ(prepare_error(data, {{"weights", Value::Table{{"web", std::numeric_limits<double>::quiet_NaN()}}}}).first, Code::kInvalidArgument);

  MixedNode node({&data}, {});
  const MemoryDataset other({{"a", "web", 1, {1}}, {"b", "web", 1, {1}}});
  const auto [code, message] = error_of([&] { node.runner.attach({&other}, node.folder.path()); });
  EXPECT_EQ(code, Code::kCorruptData);
  EXPECT_THAT(message, HasSubstr("domains.bin is of 1 documents, expected 2"));
}

}  // namespace
}  // namespace flowrun::mixers
