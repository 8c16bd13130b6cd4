#include "shares.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace flowrun::mixers {
namespace {

std::vector<double> normalized(const std::vector<double>& masses) {
  const double total = std::accumulate(masses.begin(), masses.end(), 0.0);
  std::vector<double> shares;
  for (const double mass : masses) shares.push_back(mass / total);
  return shares;
}

TEST(Shares, FollowTheFormula) {
  std::mt19937 random(5);
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<double> weights;
    std::vector<std::int64_t> tokens;
    for (int i = 0; i < 8; ++i) {
      weights.push_back(static_cast<double>(random() % 1000) / 250.0);
      tokens.push_back(1 + random() % 1'000'000);
    }
    for (const double temperature : {1.0, 2.0, 1 / 0.3, 0.5}) {
      std::vector<double> expected;
      for (int i = 0; i < 8; ++i) expected.push_back(weights[i] == 0 ? 0 : weights[i] * std::exp(std::log(static_cast<double>(tokens[i])) / temperature));
      expected = normalized(expected);
      const auto masses = masses_of(weights, tokens, temperature, false);
      const auto found = normalized(masses);
      const auto integers = to_integers(masses);
      const double total = static_cast<double>(std::accumulate(integers.begin(), integers.end(), std::int64_t{0}));
      for (int i = 0; i < 8; ++i) {
        EXPECT_NEAR(found[i], expected[i], 1e-12);
        EXPECT_NEAR(static_cast<double>(integers[i]) / total, expected[i], 1e-12);
      }
    }
  }
}

TEST(Shares, TemperatureGoesFromSizesToEqualParts) {
  const auto hot = normalized(masses_of({1, 1, 1}, {10, 1000, 100'000}, 1e9, false));
  for (const double share : hot) EXPECT_NEAR(share, 1.0 / 3, 1e-6);
  // mT5's alpha = 0.3, by hand: 10^0.3 : 1000^0.3 = 1 : 3.9811.
  const auto mild = masses_of({1, 1}, {10, 1000}, 1 / 0.3, false);
  EXPECT_NEAR(mild[1] / mild[0], 3.9810717055349722, 1e-9);
}

TEST(Shares, WholeRatiosStayExact) {
  const auto integers = to_integers(masses_of({1, 3, 1}, {7, 11, 1'000'003}, 1, false));
  EXPECT_EQ(integers[0] / 7, integers[2] / 1'000'003);
  EXPECT_EQ(integers[0] % 7, 0);
  EXPECT_EQ(integers[1], integers[0] / 7 * 33);
}

TEST(Shares, TakeWeightsOfAnySize) {
  for (const double scale : {1e-300, 1e-9, 1e9, 1e307}) {
    const auto found = normalized(masses_of({scale, 3 * scale, scale}, {5, 6, 7}, 1, false));
    EXPECT_NEAR(found[1], 18.0 / 30, 1e-12) << scale;
  }
  const auto extreme = to_integers(masses_of({1e-300, 1e300, 0}, {5, 6, 7}, 1, false));
  EXPECT_EQ(extreme[0], 1) << "as little as can be, but not nothing";
  EXPECT_EQ(extreme[2], 0);
  EXPECT_EQ(to_integers(masses_of({0, 0}, {5, 6}, 1, false)), (std::vector<std::int64_t>{0, 0}));
}

TEST(UniMax, IsThePapersAlgorithm) {
  std::ifstream in(FLOWRUN_TEST_SOURCE_DIR "/testdata/unimax.json");
  const auto golden = nlohmann::json::parse(in);
  ASSERT_GE(golden["cases"].size(), 60u);
  for (const auto& item : golden["cases"]) {
    const auto tokens = item["tokens"].get<std::vector<std::int64_t>>();
    const auto expected = item["budgets"].get<std::vector<double>>(), shares = item["shares"].get<std::vector<double>>();
    std::vector<double> caps;
    for (const std::int64_t size : tokens) caps.push_back(static_cast<double>(size) * item["max_epochs"].get<double>());
    const auto masses = masses_of(std::vector<double>(tokens.size(), 1), tokens, 1, true);
    const auto budgets = capped_budgets(masses, caps, item["budget"].get<double>());
    const auto found = normalized(budgets);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      EXPECT_EQ(budgets[i], expected[i]) << "the same floating-point operations: case of " << item["tokens"].dump() << ", domain " << i;
      EXPECT_NEAR(found[i], shares[i], 1e-12);
    }
  }
}

TEST(UniMax, CapsGoWithAnyMasses) {
  // 900 tokens for masses 1 : 2 : 6. The last may give 300; the other two share the rest as 1 : 2, of which the second may give 350.
  const auto budgets = capped_budgets({1, 2, 6}, {1000, 350, 300}, 900);
  EXPECT_DOUBLE_EQ(budgets[2], 300);
  EXPECT_DOUBLE_EQ(budgets[1], 350);
  EXPECT_DOUBLE_EQ(budgets[0], 250);
  EXPECT_EQ(capped_budgets({1, 0, 1}, {5, 100, 7}, 50), (std::vector<double>{5, 0, 7})) << "all are at their cap, and what has no mass gets nothing";
}

}  // namespace
}  // namespace flowrun::mixers
