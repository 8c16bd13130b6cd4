// The node: its parameters, its rows, its index, and what it says.

#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "made_rows.hpp"

namespace flowrun::mixers {
namespace {

using flowrun::testing::Batch;
using flowrun::testing::error_of;
using flowrun::testing::MemoryDataset;
using flowrun::testing::OpenOptions;
using flowrun::testing::read_file;
using flowrun::testing::Runner;
using flowrun::testing::TemporaryFolder;
using flowrun::testing::token_rows;
using flowrun::testing::TokenRow;
using flowrun::testing::Value;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using NamedValues = std::vector<std::pair<std::string, Value>>;
using Expected = std::pair<Code, std::string>;

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
  MixedNode(std::vector<const MemoryDataset*> datasets, const NamedValues& parameters, std::uint64_t seed = 0, const std::string& weights_folder = "")
      : runner(flowrun_plugin_v1, parameters) {
    OpenOptions options;
    options.seed = seed;
    if (!weights_folder.empty()) options.artifacts["weights_from"] = weights_folder;
    runner.open({datasets[0]->token_fields()}, options);
    runner.prepare(datasets, folder.path());
    runner.attach(datasets, folder.path());
  }
  std::vector<TokenRow> all() { return token_rows(runner.read_rows(0, runner.count())); }
  nlohmann::json mixture() const { return nlohmann::json::parse(read_file(folder.path("mixture.json"))); }

  TemporaryFolder folder;
  Runner runner;
};

std::map<std::string, double> tokens_by_domain(const std::vector<TokenRow>& rows) {
  std::map<std::string, double> tokens;
  for (const TokenRow& row : rows) tokens[row.domain] += static_cast<double>(row.input_ids.size());
  return tokens;
}

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

TEST(Weighted, GivesTheProportionsOfTheFormula) {
  const Rows rows = random_rows(500, 6, 31, 100);
  const MemoryDataset data(token_documents(rows));
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    Value::Table weights;
    std::map<std::string, double> share;
    double total = 0;
    for (int d = 0; d < 6; ++d) weights[domain_name(static_cast<std::size_t>(d))] = static_cast<double>(random() % 1000) / 250.0;
    for (std::size_t i = 0; i < rows.domains.size(); ++i) share[rows.domains[i]] += weights[rows.domains[i]] * rows.lengths[i];
    for (const auto& [name, mass] : share) total += mass;
    MixedNode node({&data}, {{"weights", weights}, {"tokens", 20'000}}, seed);
    auto drawn = tokens_by_domain(node.all());
    double all = 0;
    for (const auto& [name, tokens] : drawn) all += tokens;
    EXPECT_GE(all, 20'000);
    EXPECT_LT(all, 20'100);
    for (const auto& [name, mass] : share) EXPECT_LE(std::abs(drawn[name] - mass / total * all), 100) << name << " is more than one document off, seed " << seed;
    const auto mixture = node.mixture();
    ASSERT_EQ(mixture["domains"].size(), 6u);
    for (const auto& domain : mixture["domains"]) {
      EXPECT_EQ(domain["drawn_tokens"].get<double>(), drawn[domain["domain"]]);
      EXPECT_DOUBLE_EQ(domain["proportion"].get<double>(), drawn[domain["domain"]] / all);
      EXPECT_DOUBLE_EQ(domain["weight"].get<double>(), weights[domain["domain"]]);
    }
  }
}

TEST(Weighted, TakesSeveralInputsInOrder) {
  const auto documents = token_documents(random_rows(90, 3, 6));
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
  for (const auto& row : node.all()) ids.insert(row.id);
  EXPECT_EQ(ids.size(), 333u);
  EXPECT_FALSE(ids.contains("none")) << "a document without tokens";
  EXPECT_EQ(node.runner.logs().at(0).message, "1 documents without tokens are left out");
  EXPECT_EQ(error_of([&] { node.runner.read_rows(330, 4); }), Expected(Code::kInvalidArgument, "documents 330 to 334 of a mixture of 333"));
}

TEST(Weighted, EndsWithTheDocumentThatCompletesTheEpochs) {
  const Rows rows = random_rows(250, 4, 12);
  const MemoryDataset data(token_documents(rows));
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
    for (const auto& row : node.all()) EXPECT_NE(row.domain, "d2");
  }
}

TEST(Weighted, SamplesADomainByTheIdsOfItsDocuments) {
  const auto documents = token_documents(random_rows(1000, 2, 5));
  const MemoryDataset data(documents);
  // Without its first documents the sample of the others is the same.
  const MemoryDataset rest(std::vector<TokenRow>(documents.begin() + 100, documents.end()));
  const auto taken = [](const MemoryDataset& dataset, double fraction) {
    MixedNode node({&dataset}, {{"sample_fraction", Value::Table{{"d0", fraction}}}, {"epochs", 1}}, 7);
    std::set<std::string> ids;
    for (const auto& row : node.all())
      if (row.domain == "d0") ids.insert(row.id);
    return ids;
  };
  const auto third = taken(data, 0.3), half = taken(data, 0.5), of_rest = taken(rest, 0.3);
  EXPECT_TRUE(std::includes(half.begin(), half.end(), third.begin(), third.end()));
  EXPECT_GT(third.size(), 150u);
  EXPECT_LT(third.size(), half.size());
  for (const TokenRow& row : rest.rows()) EXPECT_EQ(of_rest.contains(row.id), third.contains(row.id)) << row.id;
}

TEST(Weighted, RepeatsGoodDocumentsWithinAPass) {
  const auto documents = token_documents(random_rows(100, 2, 5));
  std::vector<double> scores;
  for (std::size_t i = 0; i < documents.size(); ++i) scores.push_back(static_cast<double>(i % 10) / 10);
  const MemoryDataset data(documents, false, 0, {{"score.edu", scores}});
  MixedNode node({&data}, {{"repeat_column", "score.edu"}, {"repetitions", Value::Table{{"0", 0}, {"0.3", 1}, {"0.8", 3}}}, {"epochs", 1}});
  std::map<std::string, int> given;
  for (const auto& row : node.all()) ++given[row.id];
  for (std::size_t i = 0; i < documents.size(); ++i) EXPECT_EQ(given[documents[i].id], scores[i] < 0.3 ? 0 : scores[i] < 0.8 ? 1 : 3) << scores[i];
  double repeated = 0, unique = 0;
  const auto mixture = node.mixture();
  for (const auto& domain : mixture["domains"]) {
    repeated += domain["tokens"].get<double>();
    unique += domain["unique_tokens"].get<double>();
  }
  double expected = 0, expected_unique = 0;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    expected += static_cast<double>(given[documents[i].id] * documents[i].input_ids.size());
    if (given[documents[i].id] > 0) expected_unique += static_cast<double>(documents[i].input_ids.size());
  }
  EXPECT_EQ(repeated, expected);
  EXPECT_EQ(unique, expected_unique);
}

TEST(Weighted, MultipliesWeightsByTheMeanOfAScore) {
  const MemoryDataset data({{"a", "web", 1, std::vector<std::uint32_t>(600)}, {"b", "web", 1, std::vector<std::uint32_t>(200)}, {"c", "books", 1, std::vector<std::uint32_t>(800)}}, false, 0,
                           {{"score.x", {0.1, 0.3, 0.6}}});
  MixedNode node({&data}, {{"quality_column", "score.x"}, {"weights", Value::Table{{"web", 2.0}}}});
  const nlohmann::json domains = node.mixture()["domains"];
  EXPECT_DOUBLE_EQ(domains[0]["weight"], 2 * 0.2) << "the mean over documents, whatever their length";
  EXPECT_DOUBLE_EQ(domains[1]["weight"], 0.6);
  EXPECT_NEAR(domains[0]["proportion"].get<double>(), 0.4, 1e-12);
}

TEST(Weighted, TakesProportionsWhateverTheSizesAre) {
  const MemoryDataset data(token_documents(random_rows(600, 4, 3)));
  MixedNode node({&data}, {{"proportions", Value::Table{{"d0", 10.0}, {"d1", 60.0}, {"d2", 30.0}, {"d9", 5.0}}}, {"tokens", 30'000}});
  auto tokens = tokens_by_domain(node.all());
  EXPECT_EQ(tokens.size(), 3u);
  for (const auto& [domain, share] : std::map<std::string, double>{{"d0", 0.1}, {"d1", 0.6}, {"d2", 0.3}}) EXPECT_NEAR(tokens[domain], share * 30'000, 60) << domain;
  EXPECT_EQ(node.runner.logs().at(0).message, "'proportions' names the domain 'd9', of which the input has no document with tokens: the others share its part; did you mean 'd0'?");
  EXPECT_EQ(node.runner.logs().at(1).message, "'proportions' does not name the domain 'd3': it is left out");
}

TEST(Weighted, UniMaxKeepsToTheCapAndEndsThere) {
  const Rows rows = random_rows(400, 4, 3);
  const MemoryDataset data(token_documents(rows));
  std::map<std::string, double> sizes;
  double all = 0;
  for (std::size_t i = 0; i < rows.domains.size(); ++i) sizes[rows.domains[i]] += rows.lengths[i], all += rows.lengths[i];
  MixedNode some({&data}, {{"unimax", true}, {"max_epochs", 2}, {"tokens", static_cast<std::int64_t>(all)}});
  for (const auto& [domain, tokens] : tokens_by_domain(some.all())) EXPECT_LE(tokens, 2 * sizes[domain] + 60) << domain;
  MixedNode most({&data}, {{"unimax", true}, {"max_epochs", 2}, {"epochs", 5}});
  for (const auto& [domain, tokens] : tokens_by_domain(most.all())) EXPECT_NEAR(tokens, 2 * sizes[domain], 30) << domain << " is at its cap, to within a document";
  EXPECT_THAT(most.runner.logs().at(0).message, HasSubstr("'max_epochs' = 2.0 allows " + std::to_string(static_cast<std::int64_t>(2 * all)) + " of "));
}

TEST(Weighted, TakesWeightsThatANodeHasMeasured) {
  const TemporaryFolder measured;
  measured.write("weights.json", R"({"version": 1, "domains": [{"domain": "web", "weight": 0.5}, {"domain": "books", "weight": 2.0}, {"domain": "code", "weight": 1.0}]})");
  const MemoryDataset data({{"a", "web", 1, {1, 2, 3, 4}}, {"b", "books", 1, {1, 2, 3, 4}}}), other({{"a", "laws", 1, {1}}});
  MixedNode node({&data}, {}, 0, measured.path());
  EXPECT_NEAR(node.mixture()["domains"][0]["proportion"].get<double>(), 0.2, 1e-12);
  EXPECT_EQ(error_of([&] { MixedNode({&other}, {}, 0, measured.path()); }),
            Expected(Code::kInvalidArgument, "'weights_from' has no weight for the domain 'laws': it has to measure every domain that is mixed"));
  for (const char* bad : {"", "[]", "{\"domains\": {}}", R"({"domains": [{"domain": "web"}]})", R"({"domains": [{"domain": "web", "weight": -1}]})"}) {
    measured.write("weights.json", bad);
    EXPECT_EQ(error_of([&] { MixedNode({&data}, {}, 0, measured.path()); }).first, Code::kCorruptData) << bad;
  }
}

// ------------------------------------------------------------------------------------------------------------------------------ stages

Value::Tables two_stages() {
  return {{{"tokens", 2000}, {"order_by", "length"}, {"sequence_length", 128}},
          {{"tokens", 2000}, {"weights", Value::Table{{"d0", 0.0}}}, {"order_by", "score.x"}, {"descending", true}, {"sequence_length", 512}}};
}

TEST(WeightedStages, NameTheStageAndTheSequenceLengthOfEveryRow) {
  const auto documents = token_documents(random_rows(800, 3, 6));  // no stage reaches the end of a pass
  std::vector<double> scores;
  std::mt19937 random(1);
  for (std::size_t i = 0; i < documents.size(); ++i) scores.push_back(static_cast<double>(random() % 1000));
  const MemoryDataset data(documents, false, 0, {{"score.x", scores}});
  MixedNode node({&data}, {{"stages", two_stages()}}, 5);
  const Batch batch = node.runner.read_rows(0, node.runner.count()), index = node.runner.index_rows(0, node.runner.count());
  const auto rows = token_rows(batch);
  std::map<std::string, double> before[2];
  std::int64_t tokens = 0;
  for (const Batch* part : {&batch, &index}) {
    const BatchView view(part->array.get(), part->schema);
    const auto *stage = view.values<std::uint32_t>("stage", "I"), *length = view.values<std::uint32_t>("sequence_length", "I");
    const auto* score = view.values<double>("score.x", "g");
    tokens = 0;
    before[0].clear();
    before[1].clear();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::uint32_t expected = tokens < 2000 ? 0 : 1;
      ASSERT_EQ(stage[i], expected) << i;
      ASSERT_EQ(length[i], expected == 0 ? 128u : 512u);
      const double key = expected == 0 ? static_cast<double>(rows[i].input_ids.size()) : -score[i];
      ASSERT_GE(key, before[expected].emplace(rows[i].domain, key).first->second) << "short first, then the best first";
      before[expected][rows[i].domain] = key;
      ASSERT_FALSE(expected == 1 && rows[i].domain == "d0") << "its weight is 0 there";
      tokens += static_cast<std::int64_t>(rows[i].input_ids.size());
    }
  }
  EXPECT_GE(tokens, 4000);
  EXPECT_LT(tokens, 4030);
}

TEST(WeightedStages, AreOfFractionsStepsOrTokens) {
  const MemoryDataset data(token_documents(random_rows(400, 3, 6)));
  const auto stage_tokens = [&](const NamedValues& parameters) {
    MixedNode node({&data}, parameters, 5);
    const std::int64_t n = node.runner.count() < 0 ? 1500 : node.runner.count();
    const Batch batch = node.runner.read_rows(0, n);
    const auto* stage = BatchView(batch.array.get(), batch.schema).values<std::uint32_t>("stage", "I");
    std::vector<std::int64_t> tokens;
    const auto rows = token_rows(batch);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      tokens.resize(stage[i] + 1);
      tokens[stage[i]] += static_cast<std::int64_t>(rows[i].input_ids.size());
    }
    return tokens;
  };
  const auto expect_near = [](const std::vector<std::int64_t>& found, const std::vector<std::int64_t>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(static_cast<double>(found[i]), static_cast<double>(expected[i]), 30) << "stage " << i;
  };
  using Tables = Value::Tables;
  expect_near(stage_tokens({{"tokens", 9000}, {"stages", Tables{{{"fraction", 0.5}}, {{"fraction", 0.25}}, {{"fraction", 0.25}}}}}), {4500, 2250, 2250});
  expect_near(stage_tokens({{"tokens", 9000}, {"stages", Tables{{{"fraction", 1.0 / 3}}, {{"fraction", 1.0 / 3}}, {{"fraction", 1.0 / 3}}}}}), {3000, 3000, 3000});
  expect_near(stage_tokens({{"tokens", 9000}, {"stages", Tables{{{"tokens", 1000}}, {{"fraction", 0.5}}, {}}}}), {1000, 4500, 3500});
  expect_near(stage_tokens({{"tokens_per_step", 100}, {"stages", Tables{{{"steps", 20}}, {{"steps", 5}}}}}), {2000, 500});
  EXPECT_EQ(stage_tokens({{"stages", Tables{{{"tokens", 1000}}, {}}}}).size(), 2u) << "the last one goes on without end";
}

TEST(WeightedStages, ExplainWhatDoesNotFit) {
  const MemoryDataset data(token_documents(random_rows(50, 2, 6)));
  using Tables = Value::Tables;
  const auto refused = [&](const NamedValues& parameters) {
    const auto [code, message] = error_of([&] { MixedNode({&data}, parameters); });
    EXPECT_EQ(code, Code::kInvalidArgument);
    return message;
  };
  EXPECT_EQ(refused({{"tokens", 100}, {"stages", Tables{{{"fraction", 0.5}, {"tokens", 5}}, {}}}}), "'stages[0]' has 2 sizes, expected one of 'fraction', 'steps' and 'tokens'");
  EXPECT_EQ(refused({{"tokens", 100}, {"stages", Tables{{}, {{"tokens", 5}}}}}),
            "'stages[0]' has no size, expected one of 'fraction', 'steps' and 'tokens': only the last stage may take what is left");
  EXPECT_EQ(refused({{"stages", Tables{{{"steps", 5}}, {}}}}), "'stages[0]' is 5 steps long, which needs 'tokens_per_step'");
  EXPECT_EQ(refused({{"stages", Tables{{{"fraction", 0.5}}, {}}}}), "'stages[0]' is a fraction of all tokens, which needs 'tokens' or 'epochs'");
  EXPECT_EQ(refused({{"tokens", 100}, {"stages", Tables{{{"tokens", 5}, {"sequence_length", 8}}, {}}}}), "'stages[1]' has no 'sequence_length', which other stages have");
  EXPECT_EQ(refused({{"tokens", 100}, {"stages", Tables{{{"tokens", 500}}, {}}}}), "the stages up to 'stages[0]' take 500 tokens, expected at most the mixture's 100");
  EXPECT_EQ(refused({{"tokens", 100}, {"stages", Tables{{{"tokens", 100}}, {}}}}), "the stages up to 'stages[1]' take 100 tokens, expected at most the mixture's 100");
  EXPECT_EQ(refused({{"tokens", 100}, {"stages", Tables{{{"tokens", 50}}, {{"fraction", 0.2}}}}}),
            "the stages take 70 tokens of the mixture's 100: leave the last one without a size for the rest");
  EXPECT_EQ(refused({{"tokens", 100}, {"stages", Tables{{{"weights", Value::Table{{"d0", 1.0}}}, {"proportions", Value::Table{{"d0", 1.0}}}}}}}),
            "'stages[0]' has 'weights' and 'proportions', expected at most one of them");
  EXPECT_EQ(refused({{"proportions", Value::Table{{"laws", 1.0}}}}), "'proportions' leaves every domain of the input out, expected one above 0");
  EXPECT_EQ(refused({{"order_by", "length"}}), "documents in the order of 'length' need an end: 'tokens', 'epochs', or a size of the last stage");
  EXPECT_EQ(refused({{"tokens", 100}, {"stages", Tables{{{"tokens", 5}, {"weights", Value::Table{{"d0", 0.0}, {"d1", 0.0}}}}, {}}}}),
            "a stage's 'weights' leave every domain of the input out, expected one above 0");
}

TEST(WeightedStages, AreRefusedAtOnceWhereNoInputCouldFit) {
  using Tables = Value::Tables;
  const auto refused = [](const NamedValues& parameters) {
    return error_of([&] { Runner node(flowrun_plugin_v1, parameters); });
  };
  const auto invalid = [](const std::string& message) { return Expected(Code::kInvalidArgument, message); };
  EXPECT_EQ(refused({{"epochs", 1}, {"stages", Tables{{{"fraction", 0.7}}, {{"fraction", 0.6}}}}}), invalid("the fractions of the stages up to 'stages[1]' add up to 1.3, expected at most 1"));
  EXPECT_EQ(refused({{"epochs", 1}, {"stages", Tables{{{"fraction", 0.7}}, {{"fraction", 0.2}}}}}),
            invalid("the fractions of the stages add up to 0.9, expected 1: leave the last one without a size for the rest"));
  EXPECT_EQ(refused({{"epochs", 1}, {"stages", Tables{{{"fraction", 1}}, {}}}}), invalid("the fractions of the stages add up to 1, which leaves nothing for the stages of other sizes"));
  EXPECT_EQ(refused({{"tokens", 100}, {"stages", Tables{{{"tokens", 500}}, {}}}}), invalid("the stages up to 'stages[0]' take 500 tokens, expected at most the mixture's 100"));
  EXPECT_EQ(refused({{"stages", Tables{{{"tokens", 5}}, {{"order_by", "length"}}}}}), invalid("documents in the order of 'length' need an end: 'tokens', 'epochs', or a size of the last stage"));
  EXPECT_EQ(refused({{"proportions", Value::Table{{"d0", 0.0}}}}), invalid("'proportions' leaves every domain out, expected one above 0"));
  EXPECT_EQ(refused({{"stages", Tables{{{"tokens", 5}}, {{"proportions", Value::Table{{"d0", 0.0}, {"d1", 0.0}}}}}}}), invalid("'stages[1].proportions' leaves every domain out, expected one above 0"));
  EXPECT_EQ(refused({{"stages", Tables{{{"weights", Value::Table{{"d0", -1.0}}}}}}}), invalid("the weight of 'd0' in 'stages[0].weights' is -1.0, expected a finite number of at least 0"));
  Runner thirds(flowrun_plugin_v1, {{"epochs", 1}, {"stages", Tables{{{"fraction", 1.0 / 3}}, {{"fraction", 1.0 / 3}}, {{"fraction", 1.0 / 3}}}}});  // rounding is no mistake
}

TEST(WeightedStages, NameTheColumnsThatThereAreBeforeAnythingIsRead) {
  const auto refused = [](const NamedValues& parameters) {
    return error_of([&] {
      Runner node(flowrun_plugin_v1, parameters);
      Field columns = fields::tokens();
      columns.children.push_back(fields::float64("score.flesch"));
      node.open({columns});
    });
  };
  const auto invalid = [](const std::string& message) { return Expected(Code::kInvalidArgument, message); };
  const std::string has = "; it has 'id', 'domain', 'bytes', 'score.flesch', 'length'";
  using Tables = Value::Tables;
  EXPECT_EQ(refused({{"tokens", 9}, {"stages", Tables{{{"tokens", 5}}, {{"order_by", "score.flesh"}}}}}),
            invalid("the input has no column 'score.flesh', which 'stages[1].order_by' names" + has + "; did you mean 'score.flesch'?"));
  EXPECT_EQ(refused({{"tokens", 9}, {"order_by", "quality"}, {"stages", Tables{{{"tokens", 5}}, {}}}}), invalid("the input has no column 'quality', which 'order_by' names" + has));
  EXPECT_EQ(refused({{"repeat_column", "x"}, {"repetitions", Value::Table{{"1", 2}}}}), invalid("the input has no column 'x', which 'repeat_column' names" + has));
  EXPECT_EQ(refused({{"quality_column", "domain"}}), invalid("column 'domain', which 'quality_column' names, has Arrow format 'u', expected numbers"));
}

TEST(WeightedStages, AreInTheMixturesDescription) {
  const MemoryDataset data(token_documents(random_rows(400, 3, 6)));
  MixedNode node({&data}, {{"tokens", 9000}, {"stages", Value::Tables{{{"fraction", 0.25}, {"order_by", "length"}, {"sequence_length", 8}, {"proportions", Value::Table{{"d0", 1.0}, {"d2", 3.0}}}},
                                                                        {{"sequence_length", 16}, {"proportions", Value::Table{{"d1", 1.0}}}}}}});
  EXPECT_EQ(node.mixture()["stages"], nlohmann::json::parse(R"([{"tokens": 2250, "order_by": "length", "sequence_length": 8, "proportions": {"d0": 0.25, "d2": 0.75}},
                                                                 {"tokens": 6750, "order_by": null, "sequence_length": 16, "proportions": {"d1": 1.0}}])"));
  MixedNode endless({&data}, {{"stages", Value::Tables{{{"tokens", 500}}, {}}}}), plain({&data}, {});
  EXPECT_TRUE(endless.mixture()["stages"][1]["tokens"].is_null());
  EXPECT_TRUE(plain.mixture()["stages"].empty()) << "a mixture without stages has none";
}

// -------------------------------------------------------------------------------------------------------------------------- what it says

TEST(Weighted, WritesTheSameIndexEachTime) {
  const MemoryDataset data(token_documents(random_rows(100, 3, 2)));
  MixedNode first({&data}, {{"epochs", 2}}, 8), second({&data}, {{"epochs", 2}}, 8);
  EXPECT_EQ(read_file(first.folder.path("domains.bin")), read_file(second.folder.path("domains.bin")));
  EXPECT_EQ(read_file(first.folder.path("mixture.json")), read_file(second.folder.path("mixture.json")));
  EXPECT_THAT(first.runner.close(), IsEmpty());
}

TEST(Weighted, WarnsOfAWeightThatNothingHas) {
  const MemoryDataset data({{"a", "web", 1, {1, 2, 3}}, {"b", "books", 1, {4}}});
  MixedNode node({&data}, {{"weights", Value::Table{{"boks", 2.0}}}, {"sample_fraction", Value::Table{{"wbe", 0.5}, {"laws", 0.0}}}});
  ASSERT_EQ(node.runner.logs().size(), 3u);
  EXPECT_EQ(node.runner.logs()[0].level, FLOWRUN_LOG_WARNING);
  EXPECT_EQ(node.runner.logs()[0].message, "'weights' names the domain 'boks', of which the input has no document with tokens; did you mean 'books'?");
  EXPECT_EQ(node.runner.logs()[1].message, "'sample_fraction' names the domain 'wbe', of which the input has no document with tokens; did you mean 'web'?");
  EXPECT_EQ(node.runner.logs()[2].message, "shares of the tokens: web 0.7500, books 0.2500");
}

TEST(Weighted, ExplainsWhatItCannotMix) {
  const MemoryDataset data({{"a", "web", 1, {1, 2, 3}}}), none({}), tokenless({{"a", "web", 1, {}}}), endless({{"a", "web", 1, {1}}}, true);
  const MemoryDataset scored({{"a", "web", 1, {1, 2, 3}}}, false, 0, {{"score.x", {-0.5}}}), broken({{"a", "web", 1, {1}}}, false, 0, {{"score.x", {NAN}}});
  const auto refused = [](const MemoryDataset& dataset, const NamedValues& parameters) { return error_of([&] { MixedNode({&dataset}, parameters); }); };
  const auto invalid = [](const std::string& message) { return Expected(Code::kInvalidArgument, message); };
  EXPECT_EQ(refused(none, {}), invalid("the input has 0 documents and no token, expected at least one to mix"));
  EXPECT_EQ(refused(tokenless, {}), invalid("the input has 1 documents and no token, expected at least one to mix"));
  EXPECT_EQ(refused(data, {{"sample_fraction", Value::Table{{"web", 0.0}}}}), invalid("'sample_fraction' and 'repetitions' leave out all 1 documents with tokens, expected at least one to mix"));
  EXPECT_EQ(refused(scored, {{"quality_column", "score.x"}, {"missing_scores", Value::Table{{"score.y", 0.5}}}}),
            invalid("'missing_scores' names the column 'score.y', which no other parameter names; did you mean 'score.x'?"));
  EXPECT_EQ(refused(endless, {}), invalid("the input has no end, expected documents that can be counted"));
  EXPECT_EQ(refused(data, {{"weights", Value::Table{{"web", 0.0}}}}), invalid("'weights' leaves every domain of the input out, expected one above 0"));
  EXPECT_EQ(refused(data, {{"weights", Value::Table{{"web", -1.0}}}}), invalid("the weight of 'web' in 'weights' is -1.0, expected a finite number of at least 0"));
  EXPECT_EQ(refused(data, {{"epochs", 0}}), invalid("'epochs' is 0.0, expected a finite number above 0"));
  EXPECT_EQ(refused(data, {{"epochs", std::numeric_limits<double>::infinity()}}).first, Code::kInvalidArgument);
  EXPECT_EQ(refused(data, {{"weights", Value::Table{{"web", std::numeric_limits<double>::quiet_NaN()}}}}).first, Code::kInvalidArgument);
  EXPECT_EQ(refused(data, {{"max_epochs", 2}}), invalid("'max_epochs' needs 'tokens' or 'epochs': a cap is a part of all that is drawn"));
  EXPECT_EQ(refused(data, {{"unimax", true}, {"tokens", 5}}), invalid("'unimax' needs 'max_epochs': without a cap, equal budgets are a very large 'temperature'"));
  EXPECT_EQ(refused(data, {{"unimax", true}, {"tokens", 5}, {"max_epochs", 2}, {"temperature", 3.0}}),
            invalid("'unimax' gives equal budgets, for which 'temperature' = 3.0 means nothing"));
  EXPECT_EQ(refused(data, {{"repeat_column", "bytes"}}), invalid("'repeat_column' and 'repetitions' need each other, found only 'repeat_column'"));
  EXPECT_EQ(refused(data, {{"quality_column", "score.x"}}),
            invalid("the input has no column 'score.x', which 'quality_column' names; it has 'id', 'domain', 'bytes', 'length'"));
  EXPECT_EQ(refused(data, {{"quality_column", "id"}}), invalid("column 'id', which 'quality_column' names, has Arrow format 'u', expected numbers"));
  EXPECT_EQ(refused(scored, {{"quality_column", "score.x"}}), invalid("the mean of 'score.x' over 'web' is -0.5, expected at least 0 to multiply a weight by"));
  EXPECT_EQ(refused(broken, {{"quality_column", "score.x"}}), invalid("column 'score.x' is not finite for document 'a' (domain 'web'), expected a finite number"));

  MixedNode node({&data}, {});
  const MemoryDataset other({{"a", "web", 1, {1}}, {"b", "web", 1, {1}}});
  const auto [code, message] = error_of([&] { node.runner.attach({&other}, node.folder.path()); });
  EXPECT_EQ(code, Code::kCorruptData);
  EXPECT_THAT(message, HasSubstr("domains.bin is of 1 documents, expected 2"));
}

}  // namespace
}  // namespace flowrun::mixers
