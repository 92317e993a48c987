// What becomes of a run when a step fails, or a signal comes.
#include "rlhf/checkpoint/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "counting_run.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/optimizer/adamw.hpp"
#include "support/error_of.hpp"

namespace rlhf {
namespace {

using test::Counter;
using test::error_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using StoppedRun = test::CountingRun;

TEST_F(StoppedRun, AStepThatFailsLeavesTheStateBeforeIt) {
  Counter counter;
  const auto body = [&](int64_t step) {
    if (step == 6) {
      counter.count = 1000;  // as a loader that had gone ahead
      throw std::runtime_error("no electricity");
    }
    counter.step();
  };
  {
    rlhf::Run run{path(), {{"counter", counter}}, options(100)};
    EXPECT_THROW(run.until(9, body), std::runtime_error);
  }
  EXPECT_THAT(said_, HasSubstr("step 6 failed; the state before it is in"));
  const Counter after = count_to(9);
  EXPECT_EQ(after.count, 9);
  EXPECT_EQ(after.weight[0].item<float>(), 9.0F);
}

TEST_F(StoppedRun, AStepThatFailedWithWeightsMovedSavesNothing) {
  Counter counter;
  {
    rlhf::Run run{path(), {{"counter", counter}}, options(4)};
    EXPECT_THROW(run.until(9,
                           [&](int64_t step) {
                             counter.step();
                             if (step == 6) throw std::runtime_error("no electricity");
                           }),
                 std::runtime_error);
  }
  EXPECT_THAT(said_, HasSubstr("step 6 failed after it had moved weights: go on from"));
  EXPECT_EQ(count_to(4).count, 4);
}

TEST_F(StoppedRun, WeightsThatAnOptimizerMovedAreSeenToHaveMoved) {
  const Tensor weight = torch::ones({2, 2}).requires_grad_();
  AdamW optimizer({{"weight", weight}}, {});
  Counter counter{.weight = weight};
  rlhf::Run run{path(), {{"counter", counter}}, options(4)};
  EXPECT_THROW(run.until(9,
                         [&](int64_t step) {
                           if (step == 1) return;
                           weight.mutable_grad() = torch::ones({2, 2});
                           optimizer.step();
                           throw std::runtime_error("no electricity");
                         }),
               std::runtime_error);
  EXPECT_THAT(said_, HasSubstr("step 2 failed after it had moved weights: go on from"));
}

TEST_F(StoppedRun, ACopyInMemoryOutlivesAStepThatFailedWithWeightsMoved) {
  RunOptions copies = options(100);
  copies.last_good = LastGood::in_memory;
  Counter counter;
  {
    rlhf::Run run{path(), {{"counter", counter}}, copies};
    EXPECT_THROW(run.until(9,
                           [&](int64_t step) {
                             counter.step();
                             if (step == 6) throw std::runtime_error("no electricity");
                           }),
                 std::runtime_error);
  }
  EXPECT_THAT(said_, HasSubstr("step 6 failed; the state before it is in"));
  const Counter after = count_to(9);
  EXPECT_EQ(after.count, 9);
  EXPECT_EQ(after.weight[0].item<float>(), 9.0F);
}

TEST_F(StoppedRun, ASignalFinishesTheStepSavesAndReturns) {
  RunOptions stops = options(100);
  stops.on_signal = OnSignal::save_and_return;
  Counter counter;
  {
    rlhf::Run run{path(), {{"counter", counter}}, stops};
    run.until(9, [&](int64_t step) {
      if (step == 3) std::raise(SIGTERM);
      counter.step();
    });
    EXPECT_EQ(run.step(), 3);
    EXPECT_EQ(run.stopped_by(), SIGTERM);
  }
  EXPECT_THAT(said_, HasSubstr("stopped by signal 15 after step 3; saved in"));
  EXPECT_EQ(count_to(4).count, 4);
}

TEST_F(StoppedRun, ASignalEndsTheProcessWithTheShellsStatus) {
  const auto raise_in_a_step = [&](int signal) {
    Counter counter;
    rlhf::Run run{path(), {{"counter", counter}}, RunOptions{}};
    run.until(9, [&](int64_t) {
      counter.step();
      std::raise(signal);
    });
  };
  for (const int signal : {SIGINT, SIGTERM}) {
    EXPECT_EXIT(raise_in_a_step(signal), testing::ExitedWithCode(128 + signal),
                "saved in .*step-0000000.. Start the same program again to go on");
  }
  EXPECT_EQ(count_to(2).count, 2);
}

TEST_F(StoppedRun, ASecondSignalEndsTheProcessAtOnce) {
  const auto raise_twice = [&] {
    Counter counter;
    rlhf::Run run{path(), {{"counter", counter}}, RunOptions{}};
    run.until(9, [&](int64_t) {
      std::raise(SIGINT);
      std::raise(SIGTERM);
    });
  };
  EXPECT_EXIT(raise_twice(), testing::ExitedWithCode(128 + SIGTERM), "");
  EXPECT_EQ(count_to(0).count, 0);
}

TEST_F(StoppedRun, AfterwardsSignalsDoWhatTheyDidBefore) {
  static int caught = 0;
  const auto before = std::signal(SIGTERM, [](int signal) { caught = signal; });
  count_to(1);
  std::raise(SIGTERM);
  EXPECT_EQ(caught, SIGTERM);
  std::signal(SIGTERM, before);
}

}  // namespace
}  // namespace rlhf
