#include "rlhf/optimizer/schedule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "rlhf/core/error.hpp"
#include "support/error_of.hpp"

namespace rlhf {
namespace {

using test::error_of;
using testing::HasSubstr;
using enum Schedule::Shape;

TEST(Schedule, IsConstantByDefault) {
  const Schedule schedule;
  schedule.validate();
  EXPECT_EQ(schedule.factor(0), 1.0);
  EXPECT_EQ(schedule.factor(1'000'000), 1.0);
}

TEST(Schedule, WarmUpRisesEvenlyAndNeverStandsAtZero) {
  const Schedule schedule{.warmup_steps = 3};
  EXPECT_EQ(schedule.factor(0), 0.25);
  EXPECT_EQ(schedule.factor(1), 0.5);
  EXPECT_EQ(schedule.factor(2), 0.75);
  EXPECT_EQ(schedule.factor(3), 1.0);
}

TEST(Schedule, LinearFallsToItsFinalFractionAndStaysThere) {
  const Schedule schedule{
      .shape = linear, .warmup_steps = 2, .total_steps = 10, .final_fraction = 0.5};
  EXPECT_EQ(schedule.factor(2), 1.0);
  EXPECT_EQ(schedule.factor(6), 0.75);
  EXPECT_EQ(schedule.factor(10), 0.5);
  EXPECT_EQ(schedule.factor(99), 0.5);
}

TEST(Schedule, CosineIsHalfWayInTheMiddle) {
  const Schedule schedule{.shape = cosine, .total_steps = 8, .final_fraction = 0.1};
  EXPECT_EQ(schedule.factor(0), 1.0);
  EXPECT_DOUBLE_EQ(schedule.factor(2), 0.1 + 0.9 * (1 + std::sqrt(0.5)) / 2);
  EXPECT_DOUBLE_EQ(schedule.factor(4), 0.55);
  EXPECT_DOUBLE_EQ(schedule.factor(8), 0.1);
}

TEST(Schedule, WhatCannotWorkIsNamed) {
  EXPECT_THAT(error_of([] { Schedule{.warmup_steps = -1}.validate(); }),
              HasSubstr("Schedule::warmup_steps: expected >= 0, got -1"));
  EXPECT_THAT(error_of([] { Schedule{.shape = linear}.validate(); }),
              HasSubstr("Schedule::total_steps: expected > warmup_steps (0), got 0"));
  EXPECT_THAT(
      error_of([] { (Schedule{.shape = cosine, .warmup_steps = 5, .total_steps = 5}.validate()); }),
      HasSubstr("Schedule::total_steps: expected > warmup_steps (5), got 5"));
  EXPECT_THAT(error_of([] { Schedule{.final_fraction = 1.5}.validate(); }),
              HasSubstr("Schedule::final_fraction: expected in [0, 1], got 1.5"));
  EXPECT_THAT(error_of([] { Schedule{}.factor(-1); }),
              HasSubstr("step of Schedule::factor: expected >= 0, got -1"));
}

}  // namespace
}  // namespace rlhf
