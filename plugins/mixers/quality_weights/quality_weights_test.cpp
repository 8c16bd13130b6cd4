#include <flowrun/testing.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <zstd.h>

#include <cmath>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "measures.hpp"
#include "quality.hpp"

namespace flowrun::mixers {
namespace {

using flowrun::testing::Document;
using flowrun::testing::documents_batch;
using flowrun::testing::error_of;
using flowrun::testing::OpenOptions;
using flowrun::testing::read_file;
using flowrun::testing::Runner;
using flowrun::testing::TemporaryFolder;
using flowrun::testing::Value;
using flowrun::testing::with_column;
using ::testing::HasSubstr;

std::string random_text(std::mt19937& random, int words) {
  std::string text;
  for (int i = 0; i < words; ++i) text += std::string(1, static_cast<char>('a' + random() % 26)) + std::to_string(random() % 50) + (random() % 8 == 0 ? "\n" : " ");
  return text;
}

/// Documents of two domains: one of random words, one full of copies.
std::vector<Document> made_documents() {
  std::mt19937 random(4);
  std::vector<Document> documents;
  for (int i = 0; i < 120; ++i) documents.push_back({"w" + std::to_string(i), random_text(random, 40), "web", ""});
  for (int i = 0; i < 80; ++i) documents.push_back({"b" + std::to_string(i), i % 4 == 0 ? documents[5].text : "same line\n  same line \nline " + std::to_string(i % 7) + "\n\n", "books", ""});
  return documents;
}

std::vector<double> made_scores(std::size_t count) {
  std::vector<double> scores;
  for (std::size_t i = 0; i < count; ++i) scores.push_back(0.25 + static_cast<double>(i % 5));
  return scores;
}

nlohmann::json weights_of(const std::vector<Document>& documents, const std::vector<double>& scores, std::vector<std::pair<std::string, Value>> parameters, std::size_t batch) {
  const TemporaryFolder folder;
  Runner node(flowrun_plugin_v1, parameters);
  Field schema = fields::documents();
  schema.children.push_back(fields::float64("score.x"));
  OpenOptions options;
  options.staging = folder.path();
  node.open({schema}, options);
  for (std::size_t first = 0; first < documents.size(); first += batch) {
    const std::size_t end = std::min(documents.size(), first + batch);
    node.consume(with_column(documents_batch({documents.begin() + static_cast<std::ptrdiff_t>(first), documents.begin() + static_cast<std::ptrdiff_t>(end)}), fields::float64("score.x"),
                             make_column(std::vector<double>(scores.begin() + static_cast<std::ptrdiff_t>(first), scores.begin() + static_cast<std::ptrdiff_t>(end)))));
  }
  node.finish();
  return nlohmann::json::parse(read_file(folder.path("weights.json")));
}

/// The share of copies, by a set of whole texts.
double copies(const std::vector<std::string>& texts) {
  return 1 - static_cast<double>(std::set<std::string>(texts.begin(), texts.end()).size()) / static_cast<double>(texts.size());
}

TEST(QualityWeights, AreThoseOfTheFormula) {
  const auto documents = made_documents();
  const auto scores = made_scores(documents.size());
  const auto json = weights_of(documents, scores, {{"columns", std::vector<std::string>{"score.x"}}, {"score_power", 2.0}, {"compression_power", 0.5}}, 33);
  EXPECT_THAT(json["formula"].get<std::string>(), HasSubstr("compression_ratio^compression_power"));
  ASSERT_EQ(json["domains"].size(), 2u);
  EXPECT_EQ(json["domains"][0]["domain"], "books") << "sorted by name";

  double score_of_all = 0, all_bytes = 0, mass = 0;
  for (const double score : scores) score_of_all += score / static_cast<double>(scores.size());
  std::map<std::string, double> value;
  for (const auto& domain : json["domains"]) {
    std::vector<std::string> texts, lines;
    double bytes = 0, score = 0;
    for (std::size_t i = 0; i < documents.size(); ++i) {
      if (documents[i].domain != domain["domain"]) continue;
      texts.push_back(documents[i].text);
      bytes += static_cast<double>(documents[i].text.size());
      score += scores[i];
      std::istringstream in(documents[i].text);
      for (std::string line; std::getline(in, line);) {
        const auto begin = line.find_first_not_of(' '), end = line.find_last_not_of(' ');
        if (begin != std::string::npos) lines.push_back(line.substr(begin, end - begin + 1));
      }
    }
    EXPECT_EQ(domain["documents"], texts.size());
    EXPECT_EQ(domain["bytes"].get<double>(), bytes);
    EXPECT_EQ(domain["sample_bytes"].get<double>(), bytes) << "all fits into the sample";
    EXPECT_DOUBLE_EQ(domain["score_means"]["score.x"], score / static_cast<double>(texts.size()));
    EXPECT_DOUBLE_EQ(domain["duplicate_documents"], copies(texts));
    EXPECT_DOUBLE_EQ(domain["duplicate_lines"], copies(lines));
    EXPECT_EQ(domain["duplicates_are_exact"], true);
    const double ratio = domain["compressed_bytes"].get<double>() / bytes;
    EXPECT_DOUBLE_EQ(domain["compression_ratio"], ratio);
    EXPECT_TRUE(ratio > 0 && ratio < 1);
    value[domain["domain"]] = std::pow(score / static_cast<double>(texts.size()) / score_of_all, 2) * std::sqrt(ratio) * (1 - copies(texts)) * (1 - copies(lines));
    all_bytes += bytes;
    mass += bytes * value[domain["domain"]];
  }
  for (const auto& domain : json["domains"]) EXPECT_NEAR(domain["weight"].get<double>(), value[domain["domain"]] / (mass / all_bytes), 1e-12);
  EXPECT_LT(json["domains"][0]["weight"], json["domains"][1]["weight"]) << "copies count less";
}

TEST(QualityWeights, DoNotDependOnBatches) {
  const auto documents = made_documents();
  const auto scores = made_scores(documents.size());
  const auto whole = weights_of(documents, scores, {{"columns", std::vector<std::string>{"score.x"}}}, 1000);
  for (const std::size_t batch : {1u, 7u, 64u}) EXPECT_EQ(weights_of(documents, scores, {{"columns", std::vector<std::string>{"score.x"}}}, batch), whole);
}

TEST(QualityWeights, PowersOfZeroKeepTheDomainsAsTheyAre) {
  const auto documents = made_documents();
  const auto json = weights_of(documents, made_scores(documents.size()), {{"score_power", 0.0}, {"compression_power", 0.0}, {"duplicate_power", 0.0}}, 50);
  for (const auto& domain : json["domains"]) EXPECT_EQ(domain["weight"], 1.0);
}

TEST(QualityWeights, ExplainWhatCannotBeWeighed) {
  const auto documents = made_documents();
  const std::vector<double> below(documents.size(), -1), zero(documents.size(), 0);
  const std::vector<std::pair<std::string, Value>> by_score = {{"columns", std::vector<std::string>{"score.x"}}};
  EXPECT_EQ(error_of([&] { weights_of(documents, below, by_score, 9); }).second, "the mean of 'score.x' over 'books' is -1.0, expected at least 0 to make a weight of");
  EXPECT_EQ(error_of([&] { weights_of(documents, zero, by_score, 9); }).second, "the mean of 'score.x' over all documents is 0, which tells no domain from another");
  EXPECT_EQ(error_of([&] { weights_of(documents, zero, {{"columns", std::vector<std::string>{"score.y"}}}, 9); }).second,
            "the input has no column 'score.y', which 'columns' names; it has 'id', 'text', 'domain', 'source', 'score.x'; did you mean 'score.x'?");
  EXPECT_EQ(error_of([&] { weights_of({}, {}, {}, 9); }).second, "the input has no document, expected some to measure");
}

TEST(CompressionSample, IsTheSameInAnyOrder) {
  std::mt19937 random(8);
  std::vector<std::pair<std::string, std::string>> documents;
  for (int i = 0; i < 400; ++i) documents.emplace_back("doc" + std::to_string(i), random_text(random, 1 + static_cast<int>(random() % 300)));
  std::set<std::pair<std::int64_t, std::int64_t>> results;
  for (int order = 0; order < 5; ++order) {
    CompressionSample sample(1 << 16);
    for (const auto& [id, text] : documents) sample.add(id, text);
    const auto result = sample.compress();
    EXPECT_LE(result.bytes, 1 << 16);
    EXPECT_GT(result.bytes, (1 << 16) - 3000) << "it is full to within a document";
    results.emplace(result.bytes, result.compressed_bytes);
    std::shuffle(documents.begin(), documents.end(), random);
  }
  EXPECT_EQ(results.size(), 1u);
}

TEST(CompressionSample, TellsRepetitionFromVariety) {
  std::mt19937 random(8);
  CompressionSample same(1 << 20), varied(1 << 20), none(1 << 20);
  for (int i = 0; i < 100; ++i) {
    same.add("d" + std::to_string(i), std::string(500, 'x'));
    varied.add("d" + std::to_string(i), random_text(random, 100));
  }
  EXPECT_LT(same.compress().ratio(), 0.01);
  EXPECT_GT(varied.compress().ratio(), 0.3);
  EXPECT_EQ(none.compress().ratio(), 1);
}

TEST(DuplicateShare, IsEstimatedFromASampleInAnyOrder) {
  std::mt19937 random(8);
  std::vector<std::string> texts;
  for (int i = 0; i < 40'000; ++i) texts.push_back("line " + std::to_string(random() % 30'000));
  const double exact = copies(texts);
  DuplicateShare all(100'000);
  for (const auto& text : texts) all.add(text);
  EXPECT_TRUE(all.is_exact());
  EXPECT_DOUBLE_EQ(all.share(), exact);
  std::set<double> shares;
  for (int order = 0; order < 3; ++order) {
    DuplicateShare some(2000);
    for (const auto& text : texts) some.add(text);
    EXPECT_FALSE(some.is_exact());
    EXPECT_NEAR(some.share(), exact, 5 * std::sqrt(exact * (1 - exact) / 1000)) << "five standard errors of at least half the hashes";
    shares.insert(some.share());
    std::shuffle(texts.begin(), texts.end(), random);
  }
  EXPECT_EQ(shares.size(), 1u);
}

}  // namespace
}  // namespace flowrun::mixers
