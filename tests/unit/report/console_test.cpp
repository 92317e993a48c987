#include "rlhf/report/console.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/core/error.hpp"
#include "support/error_of.hpp"

namespace rlhf {
namespace {

using test::error_of;
using testing::HasSubstr;

/// A console that keeps what was written, and a clock that stands until it is moved.
struct Stage {
  std::vector<std::string> written;
  double now = 100.0;

  ConsoleProgress progress(ConsoleOptions options, Console console = {.is_terminal = true}) {
    console.write = [this](std::string_view text) { written.emplace_back(text); };
    return ConsoleProgress(std::move(options), console, [this] { return now; });
  }
};

TEST(ConsoleProgressTest, DrawsBarRateTimeLeftAndMetrics) {
  Stage stage;
  ConsoleProgress progress =
      stage.progress({.label = "ppo", .total_steps = 100}, {.is_terminal = true, .columns = 100});
  progress.log(25, std::vector<Metric>{{"reward", 0.5}, {"kl", 3e-5}});
  EXPECT_EQ(stage.written.back(),
            "\r\x1b[2Kppo  ━━━━━━╶─────────────────  25/100  reward 0.5  kl 3e-05");
  stage.now += 12.5;
  progress.log(75, std::vector<Metric>{{"reward", 0.51234}});
  EXPECT_EQ(stage.written.back(),
            "\r\x1b[2Kppo  ━━━━━━━━━━━━━━━━━━╶─────  75/100  4.0 step/s  0:06 left  "
            "reward 0.5123  kl 3e-05");
}

TEST(ConsoleProgressTest, DrawsTenTimesASecondAtMostAndTheLastStepAlways) {
  Stage stage;
  ConsoleProgress progress = stage.progress({.total_steps = 1000});
  for (int64_t step = 1; step <= 1000; ++step) {
    stage.now += 0.001;
    progress.log(step, {});
  }
  EXPECT_GE(stage.written.size(), 10U);
  EXPECT_LE(stage.written.size(), 12U);
  EXPECT_THAT(stage.written.back(), HasSubstr("1000/1000  1000 step/s  in 0:01"));
}

TEST(ConsoleProgressTest, LeavesItsLastStateOnALineOfItsOwnOnce) {
  Stage stage;
  {
    ConsoleProgress progress = stage.progress({.total_steps = 2});
    progress.log(1, {});
    progress.finish();
    progress.log(2, {});
  }
  ASSERT_EQ(stage.written.size(), 2U);
  EXPECT_THAT(stage.written[1], testing::EndsWith("1/2\n"));
}

TEST(ConsoleProgressTest, FinishesWhenItGoes) {
  Stage stage;
  {
    ConsoleProgress progress = stage.progress({});
    const ConsoleProgress moved = std::move(progress);
    EXPECT_TRUE(stage.written.empty());
  }
  EXPECT_TRUE(stage.written.empty()) << "nothing was logged";
  { stage.progress({}).log(1, {}); }
  ASSERT_EQ(stage.written.size(), 2U);
  EXPECT_THAT(stage.written[1], testing::EndsWith("step 1  in 0:00\n"));
}

TEST(ConsoleProgressTest, IsQuietWhereThereIsNoTerminal) {
  Stage stage;
  {
    ConsoleProgress progress = stage.progress({.total_steps = 10}, {.is_terminal = false});
    for (int64_t step = 1; step <= 10; ++step) progress.log(step, {});
  }
  EXPECT_TRUE(stage.written.empty());
}

TEST(ConsoleProgressTest, WritesALineEveryNStepsWhereAsked) {
  Stage stage;
  ConsoleProgress progress =
      stage.progress({.label = "sft", .total_steps = 10, .line_every = 4}, {.is_terminal = false});
  for (int64_t step = 1; step <= 10; ++step) {
    stage.now += 1;
    progress.log(step, {});
    progress.log(step, std::vector<Metric>{{"evaluation", 1.0}});
  }
  EXPECT_THAT(stage.written,
              testing::ElementsAre("sft  4/10  1.0 step/s  0:06 left  evaluation 1\n",
                                   "sft  8/10  1.0 step/s  0:02 left  evaluation 1\n",
                                   "sft  10/10  1.0 step/s  in 0:10  evaluation 1\n"));
}

TEST(ConsoleProgressTest, ShowsTheChosenMetricsInTheirOrderAndTheirNewestValues) {
  Stage stage;
  ConsoleProgress progress = stage.progress({.total_steps = 2, .metrics = {"b", "a"}});
  progress.log(1, std::vector<Metric>{{"a", 1}, {"c", 2}, {"b", 3}});
  progress.log(2, std::vector<Metric>{{"a", 4}});
  EXPECT_THAT(stage.written.back(), testing::EndsWith("2/2  in 0:00  b 3  a 4"));
}

TEST(ConsoleProgressTest, ShowsTheFirstThreeMetricsByDefault) {
  Stage stage;
  ConsoleProgress progress = stage.progress({});
  progress.log(1, std::vector<Metric>{{"a", 1}, {"b", 2}, {"c", 3}, {"d", 4}});
  EXPECT_THAT(stage.written.back(), testing::EndsWith("step 1  in 0:00  a 1  b 2  c 3"));
}

TEST(ConsoleProgressTest, StaysOnOneLineOfANarrowTerminal) {
  Stage stage;
  ConsoleProgress progress =
      stage.progress({.label = "überlang", .total_steps = 3}, {.is_terminal = true, .columns = 13});
  progress.log(1, {});
  EXPECT_EQ(stage.written.back(), "\r\x1b[2Küberlang  ━━");
}

TEST(ConsoleProgressTest, GivesHoursWhereThereAreSome) {
  Stage stage;
  ConsoleProgress progress = stage.progress({.total_steps = 3});
  progress.log(1, {});
  stage.now += 3661;
  progress.log(2, {});
  EXPECT_THAT(stage.written.back(), HasSubstr("2/3  3661.0 s/step  1:01:01 left"));
}

TEST(ConsoleProgressTest, RefusesImpossibleOptions) {
  EXPECT_THAT(error_of([] { ConsoleProgress({.total_steps = -1}); }),
              HasSubstr("ConsoleOptions::total_steps: expected >= 0, got -1"));
  EXPECT_THAT(error_of([] { ConsoleProgress({.line_every = -1}); }),
              HasSubstr("ConsoleOptions::line_every: expected >= 0, got -1"));
}

}  // namespace
}  // namespace rlhf
