#include "rlhf/checkpoint/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "counting_run.hpp"
#include "rlhf/core/error.hpp"
#include "rlhf/io/files.hpp"
#include "rlhf/optimizer/adamw.hpp"
#include "support/error_of.hpp"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using test::Counter;
using test::error_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using RunTest = test::CountingRun;

TEST_F(RunTest, GivesEveryPartBackAsItWas) {
  const Counter before = count_to(3), after = count_to(3);
  EXPECT_EQ(after.count, 3);
  EXPECT_EQ(after.large, before.large);
  EXPECT_EQ(after.infinite, before.infinite);
  EXPECT_EQ(after.odd, before.odd);
  EXPECT_EQ(after.word, "none+++");
  EXPECT_EQ(after.seen, before.seen);
  EXPECT_TRUE(torch::equal(after.weight, before.weight));
  EXPECT_THAT(said_, HasSubstr("run: goes on after step 3"));
}

TEST_F(RunTest, CallsTheBodyForStepsNotYetDone) {
  count_to(2);
  Counter counter;
  rlhf::Run run{path(), {{"counter", counter}}, options()};
  std::vector<int64_t> steps;
  run.until(4, [&](int64_t step) { steps.push_back(step); });
  EXPECT_THAT(steps, ElementsAre(3, 4));
  EXPECT_EQ(run.step(), 4);
}

TEST_F(RunTest, KeepsTheNewestCheckpointsAndALinkToTheLast) {
  RunOptions three = options(2);
  three.keep = 3;
  count_to(9, three);
  EXPECT_THAT(entries(),
              ElementsAre("latest", "lock", "step-00000006", "step-00000008", "step-00000009"));
  EXPECT_EQ(fs::read_symlink(path() / "latest"), "step-00000009");
}

TEST_F(RunTest, GoesOnFromWhereLatestPoints) {
  count_to(3);
  io::replace_link(path() / "latest", "step-00000001");
  EXPECT_EQ(count_to(1).count, 1);
  EXPECT_EQ(count_to(5).count, 5);
}

TEST_F(RunTest, RemovesWhatAKilledProcessLeftHalfDone) {
  count_to(1);
  fs::create_directories(path() / "step-00000002.tmp/deep");
  fs::create_symlink("step-00000002", path() / "latest.tmp");
  folder_.put("run/notes.tmp", "not ours");
  count_to(1);
  EXPECT_THAT(entries(),
              ElementsAre("latest", "lock", "notes.tmp", "step-00000000", "step-00000001"));
}

TEST_F(RunTest, NamesEveryOptionThatDiffers) {
  count_to(2);
  Counter other{.rate = 0.25};
  EXPECT_THAT(error_of([&] { count_to(3, options(), other); }),
              HasSubstr("the program is another than the one that saved: counter/rate: 0.5 in the "
                        "checkpoint, 0.25 now"));
  EXPECT_EQ(count_to(2).count, 2);  // nothing was changed by the attempt
}

TEST_F(RunTest, TakesAnotherValueOfAnOptionThatMayChangeAndSaysSo) {
  count_to(2);
  EXPECT_EQ(count_to(3, options(), Counter{.memory = 8}).count, 3);
  EXPECT_THAT(said_, HasSubstr("counter/memory: 1 in the checkpoint, 8 now"));
  RunOptions lenient = options();
  lenient.may_change = {"counter/rate"};
  EXPECT_EQ(count_to(4, lenient, Counter{.rate = 0.25}).count, 4);
}

TEST_F(RunTest, RefusesTensorsThatDoNotFit) {
  count_to(2);
  Counter wide{.weight = torch::zeros({3})};
  EXPECT_THAT(error_of([&] { count_to(3, options(), wide); }),
              HasSubstr("does not fit \"counter\": \"weight\": expected Float [3], got Float [2]"));
}

TEST_F(RunTest, RefusesAProgramWithoutAPartOfTheCheckpoint) {
  Counter counter, second;
  {
    rlhf::Run run{path(), {{"counter", counter}, {"second", second}}, options()};
    run.until(1, [&](int64_t) {});
  }
  EXPECT_THAT(error_of([&] { count_to(2); }),
              HasSubstr("those of the checkpoint, which holds more, got nothing for "
                        "\"second/count\" and 8 more"));
  rlhf::Run run{path(), {{"counter", counter}}, options()};
  run.add({"second", second});
  EXPECT_NO_THROW(run.until(2, [&](int64_t) {}));
}

TEST_F(RunTest, RefusesAProgramWithAPartThatTheCheckpointLacks) {
  count_to(1);
  Counter counter, second;
  EXPECT_THAT(error_of([&] {
                rlhf::Run(path(), {{"counter", counter}, {"second", second}}, options());
              }),
              AllOf(HasSubstr("second/rate: absent in the checkpoint, 0.5 now"),
                    HasSubstr("second/count: absent in the checkpoint"),
                    HasSubstr("\"weight\" is missing")));
}

TEST_F(RunTest, RefusesTwoPartsOfOneName) {
  Counter counter, second;
  rlhf::Run run{path(), {{"counter", counter}, {"counter", second}}, options()};
  EXPECT_THAT(error_of([&] { run.until(1, [](int64_t) {}); }),
              HasSubstr("parts of a run: expected a name for each, got \"counter/rate\" twice"));
}

TEST_F(RunTest, SaysWhenNoCheckpointCanBeUsed) {
  count_to(2);
  for (const char* step : {"step-00000000", "step-00000001", "step-00000002"}) {
    fs::resize_file(path() / step / "state.json", 3);
  }
  EXPECT_THAT(error_of([&] { count_to(3); }),
              AllOf(HasSubstr("none of 3 checkpoints can be used"), HasSubstr("step-00000002")));
  EXPECT_TRUE(fs::exists(path() / "step-00000002"));  // nothing was set aside
}

TEST_F(RunTest, GoesOnWhereAllPartsWereAddedLater) {
  for (const int64_t steps : {3, 5}) {
    Counter counter;
    rlhf::Run run{path(), {}, options()};
    run.add({"counter", counter});
    run.until(steps, [&](int64_t) { counter.step(); });
    EXPECT_EQ(counter.count, steps);
  }
}

TEST_F(RunTest, APartMayBeSharedWithTheRun) {
  {
    rlhf::Run run{path(), {}, options()};
    run.add(Part::shared("counter", std::make_shared<Counter>()));
    run.until(2, [](int64_t) {});
  }
  EXPECT_EQ(count_to(2).count, 0);
}

TEST_F(RunTest, OptionsThatCannotWorkAreNamed) {
  const auto refused = [&](RunOptions bad) {
    return error_of([&] { rlhf::Run(path(), {}, bad); });
  };
  EXPECT_THAT(refused({.save_every = -1}), HasSubstr("RunOptions::save_every: expected >= 0"));
  EXPECT_THAT(refused({.keep = 0}), HasSubstr("RunOptions::keep: expected >= 1, got 0"));
  EXPECT_THAT(refused({.on_signal = OnSignal{7}}), HasSubstr("RunOptions::on_signal"));
  EXPECT_FALSE(fs::exists(path()));
}

TEST_F(RunTest, ASecondRunInTheFolderIsRefused) {
  Counter counter;
  const rlhf::Run run{path(), {{"counter", counter}}, options()};
  EXPECT_THAT(error_of([&] { count_to(1); }),
              HasSubstr("run: expected a folder that no other process uses, got one that process " +
                        std::to_string(::getpid()) + " holds"));
}

TEST_F(RunTest, LinearModelsAreParts) {
  struct Model {
    Tensor weight = torch::ones({2}).requires_grad_();
    std::vector<NamedTensor> named_parameters() const { return {{"weight", weight}}; }
  };
  const auto train = [&](int64_t steps) {
    Model model;
    AdamW optimizer{model.named_parameters(), {.learning_rate = 0.1}};
    rlhf::Run run{path(), {{"model", model}, {"optimizer", optimizer}}, options()};
    run.until(steps, [&](int64_t) {
      model.weight.square().sum().backward();
      optimizer.step();
    });
    return model.weight;
  };
  train(2);
  const Tensor resumed = train(4);
  fs::remove_all(path());
  EXPECT_TRUE(torch::equal(resumed, train(4)));
}

TEST_F(RunTest, WhatDoesNotLearnIsRememberedByItsFingerprint) {
  struct Model {
    Tensor base = torch::full({3}, 2.0), weight = torch::ones({3}).requires_grad_();
    std::vector<NamedTensor> named_parameters() const {
      return {{"base", base}, {"weight", weight}};
    }
  };
  const auto learn = [&](Model& model, int64_t steps) {
    rlhf::Run run{path(), {{"model", model}}, options()};
    run.until(steps, [&](int64_t) {
      NoGrad no_grad;
      model.weight.add_(1);
    });
  };
  Model first, second, other;
  learn(first, 1);
  for (const auto& [name, tensor] : checkpoint::load(path() / "latest").tensors) {
    EXPECT_EQ(name.find("base"), std::string::npos) << name;
  }
  learn(second, 2);
  EXPECT_TRUE(torch::equal(second.weight, torch::full({3}, 3.0)));
  other.base.add_(1);
  EXPECT_THAT(error_of([&] { learn(other, 3); }), HasSubstr("model/frozen: \"crc32c:"));
}

}  // namespace
}  // namespace rlhf
