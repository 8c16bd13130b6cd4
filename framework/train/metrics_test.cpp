#include "train/metrics.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace flowrun::train {
namespace {

TEST(Metrics, LinesHaveTheContractsKeysInOrder) {
  EXPECT_EQ(to_json(TrainLine{3, 0.5, 1e-3, 2, 40}),
            R"({"kind":"train","step":3,"loss":0.5,"perplexity":1.6487212707001282,"lr":0.001,"grad_norm":2.0,"tokens":40})");
  // 8 scored tokens of 10 cost 8 ln 2 nats: one bit a token, and ten tokens in 5 bytes are two bits a byte.
  const auto line = nlohmann::json::parse(to_json(EvalLine{3, "perplexity", "books", 8 * std::log(2.0), 8, 10, 5}));
  EXPECT_DOUBLE_EQ(line["bits_per_token"].get<double>(), 1.0);
  EXPECT_DOUBLE_EQ(line["bits_per_byte"].get<double>(), 2.0);
  EXPECT_DOUBLE_EQ(line["perplexity"].get<double>(), 2.0);
  EXPECT_EQ(line["tokens"], 8);
  EXPECT_EQ(line["bytes"], 5);
}

TEST(Metrics, NotFiniteIsNull) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(to_json(TrainLine{1, nan, 0.5, INFINITY, 4}), R"({"kind":"train","step":1,"loss":null,"perplexity":null,"lr":0.5,"grad_norm":null,"tokens":4})");
  EXPECT_NE(to_json(EvalLine{1, "e", "d", 0, 0, 3, 0}).find(R"("loss":null)"), std::string::npos);
}

TEST(Metrics, CutsAtTheFirstLineOfALaterStep) {
  const std::string one = "{\"step\":1}\n", two = "{\"step\":2}\n", cut = "{\"step\":";
  EXPECT_EQ(bytes_up_to_step(one + two + two, 1), 11);
  EXPECT_EQ(bytes_up_to_step(one + two + two, 2), 33);
  EXPECT_EQ(bytes_up_to_step(one + cut, 5), 11);
  EXPECT_EQ(bytes_up_to_step(one + "garbage\n" + two, 5), 11);
  EXPECT_EQ(bytes_up_to_step("", 5), 0);
}

TEST(Metrics, AResumeWritesEachStepOnce) {
  const std::string folder = testing::TempDir() + "metrics_test-" + std::to_string(::getpid());
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  {
    MetricsLog log(folder, 0);
    for (std::int64_t step = 1; step <= 3; ++step) log.append(TrainLine{step, 1, 1, 1, 1});
  }
  {
    MetricsLog log(folder, 2);
    log.append(TrainLine{3, 2, 1, 1, 1});
    log.sync();
  }
  const std::string text = io::read_file(folder + "/metrics.jsonl");
  EXPECT_EQ(bytes_up_to_step(text, 2), static_cast<std::int64_t>(text.find("{\"kind\":\"train\",\"step\":3")));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_NE(text.find("\"step\":3,\"loss\":2.0"), std::string::npos);
  std::filesystem::remove_all(folder);
}

TEST(Metrics, LastEvaluationsAreThoseOfTheLastStepOfEach) {
  const std::string text = "{\"kind\":\"eval\",\"step\":1,\"evaluator\":\"a\",\"domain\":\"x\"}\n"
                           "{\"kind\":\"eval\",\"step\":1,\"evaluator\":\"b\",\"domain\":\"all\"}\n"
                           "{\"kind\":\"train\",\"step\":2}\n"
                           "{\"kind\":\"eval\",\"step\":2,\"evaluator\":\"a\",\"domain\":\"x\"}\n"
                           "{\"kind\":\"eval\",\"step\":2,\"evaluator\":\"a\",\"domain\":\"all\"}\n";
  const auto lines = nlohmann::json::parse(last_evaluations(text, true));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0]["step"], 2);
  EXPECT_EQ(lines[1]["domain"], "all");
  EXPECT_EQ(lines[2]["evaluator"], "b");
  EXPECT_EQ(lines[0]["masked"], true);
  EXPECT_FALSE(nlohmann::json::parse(last_evaluations(text, false))[0].contains("masked"));
}

}  // namespace
}  // namespace flowrun::train
