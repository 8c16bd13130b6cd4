#include "schedule.hpp"

#include <gtest/gtest.h>

#include <flowrun/error.hpp>

namespace flowrun::optimizers {
namespace {

using Shape = LearningRateSchedule::Shape;

// transformers 5.23: get_cosine_schedule_with_warmup and get_linear_schedule_with_warmup (4 warmup, 20 training steps, lr 0.5), read with
// get_last_lr() after 1, 4, 5, 12, 19 and 20 steps.
TEST(LearningRateSchedule, EqualsTransformers) {
  const std::int64_t steps[] = {1, 4, 5, 12, 19, 20};
  const double cosine[] = {0.125, 0.5, 0.49519632010080758, 0.25, 0.0048036798991923775, 0.0};
  const double linear[] = {0.125, 0.5, 0.46875, 0.25, 0.03125, 0.0};
  for (int i = 0; i < 6; ++i) {
    EXPECT_NEAR((LearningRateSchedule{Shape::kCosine, 0.5, 0, 4, 20}.at(steps[i])), cosine[i], 1e-15) << steps[i];
    EXPECT_NEAR((LearningRateSchedule{Shape::kLinear, 0.5, 0, 4, 20}.at(steps[i])), linear[i], 1e-15) << steps[i];
  }
}

TEST(LearningRateSchedule, EndsAtTheLeastRate) {
  for (const Shape shape : {Shape::kCosine, Shape::kLinear}) {
    const LearningRateSchedule schedule{shape, 1.0, 0.25, 0, 10};
    EXPECT_DOUBLE_EQ(schedule.at(10), 0.25);
    for (std::int64_t step = 2; step <= 10; ++step) EXPECT_LT(schedule.at(step), schedule.at(step - 1));
  }
}

TEST(LearningRateSchedule, ConstantStaysAfterWarmup) {
  const LearningRateSchedule schedule{Shape::kConstant, 0.1, 0, 2, 10};
  EXPECT_DOUBLE_EQ(schedule.at(1), 0.05);
  EXPECT_DOUBLE_EQ(schedule.at(2), 0.1);
  EXPECT_DOUBLE_EQ(schedule.at(10), 0.1);
}

TEST(LearningRateSchedule, WarmupMayFillTheRun) {
  const LearningRateSchedule schedule{Shape::kCosine, 1.0, 0, 10, 10};
  EXPECT_DOUBLE_EQ(schedule.at(5), 0.5);
  EXPECT_DOUBLE_EQ(schedule.at(10), 1.0);
}

TEST(LearningRateSchedule, WritesItself) {
  EXPECT_EQ((LearningRateSchedule{Shape::kLinear, 0.5, 0, 4, 20}.to_json()), R"({"name":"linear","lr":0.5,"lr_min":0.0,"warmup_steps":4,"steps":20})");
}

TEST(LearningRateSchedule, RefusesAnUnknownShape) {
  try {
    parse_shape("cosin");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "schedule is 'cosin', expected cosine, linear or constant");
  }
}

}  // namespace
}  // namespace flowrun::optimizers
