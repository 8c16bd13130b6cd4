// `flowrun scaling`. The laws themselves are tested in framework/base/scaling_test.cpp.

#include <cmath>

#include "support/run_test.hpp"

namespace flowrun::testing {
namespace {

class Scaling : public RunTest {
 protected:
  Finished scaling(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "scaling");
    return flowrun(std::move(arguments));
  }
  nlohmann::json answer(std::vector<std::string> arguments) const {
    arguments.push_back("--json");
    const auto finished = scaling(std::move(arguments));
    EXPECT_EQ(finished.exit_code, 0) << finished;
    EXPECT_EQ(finished.err, "");
    return nlohmann::json::parse(finished.out);
  }
};

TEST_F(Scaling, AnswersForABudgetByFiveLaws) {
  const auto found = answer({"--flops", "1e24"});
  EXPECT_EQ(found["version"], 1);
  EXPECT_EQ(found["flops"], 1e24);
  EXPECT_TRUE(found["params"].is_null() && found["tokens"].is_null());
  std::vector<std::string> names;
  for (const auto& method : found["methods"]) {
    names.push_back(method["name"]);
    EXPECT_NEAR(6 * method["params"].get<double>() * method["tokens"].get<double>() / 1e24, 1, 1e-9) << method;
    EXPECT_NEAR(method["tokens"].get<double>() / method["params"].get<double>() / method["tokens_per_param"].get<double>(), 1, 1e-9) << method;
  }
  EXPECT_EQ(names, (std::vector<std::string>{"hoffmann_1", "hoffmann_2", "hoffmann_3", "besiroglu", "ratio_20"}));
  // Twenty tokens a parameter: N = sqrt(1e24 / 120).
  EXPECT_NEAR(found["methods"][4]["params"].get<double>() / std::sqrt(1e24 / 120), 1, 1e-9);
}

TEST_F(Scaling, AnswersForASizeOrTokensAndReadsSuffixes) {
  const auto by_size = answer({"--params", "70B"}), by_tokens = answer({"--tokens", "1.4T"});
  EXPECT_EQ(by_size["params"], 70e9);
  EXPECT_NEAR(by_size["methods"][4]["tokens"].get<double>(), 1.4e12, 1e3);
  EXPECT_NEAR(by_tokens["methods"][4]["params"].get<double>(), 70e9, 1e2);
  EXPECT_NEAR(by_tokens["methods"][4]["flops"].get<double>() / 5.88e23, 1, 1e-9);
  EXPECT_EQ(answer({"--tokens", "5k"})["tokens"], 5000);
  EXPECT_EQ(answer({"--tokens", "2.5M"})["tokens"], 2500000);
}

TEST_F(Scaling, StandsBesideGpt3AndChinchilla) {
  const auto rows = answer({"--flops", "1e24"})["reference"];
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["name"], "GPT-3");
  EXPECT_EQ(rows[0]["params"], 175e9);
  EXPECT_EQ(rows[0]["tokens"], 300e9);
  EXPECT_EQ(rows[0]["flops"], 3.1e23);
  EXPECT_EQ(rows[1]["flops"], 5.0e23);
  EXPECT_NEAR(rows[1]["flops_6nd"].get<double>(), 5.88e23, 1e18);
  EXPECT_NE(rows[1]["note"].get<std::string>().find("6 N D is 5.9e23"), std::string::npos);
}

TEST_F(Scaling, SaysWhatRepeatedTokensAreWorth) {
  const auto method = answer({"--tokens", "4B", "--unique-tokens", "1B"})["methods"][0];
  EXPECT_EQ(method["epochs"], 4);
  EXPECT_NEAR(method["effective_tokens"].get<double>(), 1e9 * (1 + 15.387756 * (1 - std::exp(-3 / 15.387756))), 1);
  EXPECT_EQ(scaling({"--tokens", "4B", "--unique-tokens", "1B"}).out.find("above 4 epochs"), std::string::npos);
  EXPECT_NE(scaling({"--tokens", "5B", "--unique-tokens", "1B"}).out.find("above 4 epochs"), std::string::npos);
}

TEST_F(Scaling, SaysWhatALossMeans) {
  const auto loss = answer({"--loss", "3.2"})["loss"];
  EXPECT_NEAR(loss["perplexity"].get<double>(), 24.5325, 1e-4);
  EXPECT_EQ(loss["branching_factor"], loss["perplexity"]);
  EXPECT_NEAR(loss["bits_per_token"].get<double>(), 4.6166, 1e-4);
  EXPECT_NE(scaling({"--flops", "1e24", "--loss", "2.8"}).out.find("perplexity 16.44"), std::string::npos);
}

TEST_F(Scaling, RefusesWrongUse) {
  const auto refused = [&](std::vector<std::string> arguments, const char* text) {
    const auto finished = scaling(std::move(arguments));
    EXPECT_EQ(finished.exit_code, 2) << finished;
    EXPECT_EQ(finished.out, "");
    EXPECT_NE(finished.err.find(text), std::string::npos) << finished;
  };
  refused({}, "one of --flops, --params and --tokens");
  refused({"--unique-tokens", "1B", "--loss", "1"}, "one of --flops, --params and --tokens");
  refused({"--flops", "1e24", "--params", "1B"}, "expected one of them");
  for (const char* number : {"many", "", "0", "-1", "1e", "nan", "inf", "1e400", "3G", "3 B", "1BB", "0x10"}) refused({"--flops", number}, "is not a number of 1 to 1e+60");
  refused({"--loss", "701"}, "are no loss");
  refused({"--flops"}, "--flops");
  refused({"--budget", "1"}, "--budget");
  refused({"--flops", "1e24", "more"}, "more");
}

}  // namespace
}  // namespace flowrun::testing
