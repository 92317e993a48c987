// What holds for any trainer, and the loop around it.
#include "rlhf/trainer/train.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rlhf/report/history.hpp"
#include "rlhf/trainer/sft.hpp"
#include "support/error_of.hpp"
#include "support/temporary_folder.hpp"
#include "support/trainer_world.hpp"

namespace rlhf {
namespace {

using test::demonstrations;
using test::distance;
using test::error_of;
using test::share_of_eights;
using test::tiny_model;
using testing::AllOf;
using testing::HasSubstr;

TEST(Trainers, AModelThatCannotLearnIsRefused) {
  CausalLM frozen = tiny_model().view();
  EXPECT_THAT(error_of([&] { SftTrainer(frozen, {}); }),
              HasSubstr("parameters of the model to train: expected at least one that learns"));
}

TEST(PpoTrainer, FourModelsOverOneBase) {
  CausalLM base = tiny_model();
  base.freeze_lowest(1);
  const LoraOptions lora{.rank = 2, .first_layer = 1};
  Generator generator(4);
  CausalLM policy = base.with_adapters(lora, generator);
  Frozen reference{base.view()};
  RewardModel reward(ScalarModel(base.trunk().with_adapters(lora, generator), 0.1, generator));
  ValueModel critic(ScalarModel(base.trunk().with_adapters(lora, generator), 0.0, generator));
  const Tensor before = base.trunk().embedding().clone();
  PpoTrainer trainer{policy,
                     critic,
                     reward,
                     reference,
                     generator,
                     PpoOptions{.sampling = {.max_response_tokens = 4, .end_tokens = {0}},
                                .policy_optimizer = {.learning_rate = 0.05}}};
  const Completions prompts = completions_from({{1, 2}, {3}, {4, 5}, {6}});
  const PpoStats first = trainer.step(prompts), second = trainer.step(prompts);
  EXPECT_EQ(first.kl_k3, 0.0);  // an adapter that has learnt nothing is the base, to the bit
  EXPECT_LT(first.sampler_gap, 1e-4);
  EXPECT_GT(second.kl_k3, 0.0);
  EXPECT_TRUE(base.trunk().embedding().equal(before));
}

TEST(Train, ARolloutThatNeverEndsIsToldOnce) {
  CausalLM policy = tiny_model(), base = tiny_model();
  Generator generator(1);
  Frozen reference{base.clone()};
  ValueModel critic{base, generator};
  auto reward = share_of_eights;
  PpoTrainer trainer{
      policy,    critic,    reward,
      reference, generator, PpoOptions{.sampling = {.max_response_tokens = 3}}};  // no end tokens
  std::vector<std::string> said;
  MetricHistory sink;
  train(
      trainer,
      [] {
        return completions_from({{1, 2}, {3}, {4, 5}, {6}});
      },
      {.steps = 3, .say = [&](std::string_view text) { said.emplace_back(text); }}, sink);
  ASSERT_EQ(said.size(), 1);
  EXPECT_THAT(said.front(), AllOf(HasSubstr("warning, step 1"), HasSubstr("end_tokens"),
                                  HasSubstr("up to 3 tokens")));
}

struct LastMetrics {
  std::vector<double>* evaluations;
  void log(int64_t, std::span<const Metric> metrics) {
    if (metrics.back().name == "evaluation") evaluations->push_back(metrics.back().value);
  }
};

TEST(Train, KeepsTheBestWeightsAndStopsWhenPatienceEnds) {
  CausalLM model = tiny_model();
  SftTrainer trainer{model, SftOptions{.optimizer = {.learning_rate = 1e-2}}};
  BestWeights best{model.named_parameters()};
  std::vector<double> seen;
  std::vector<CausalLM> states;
  const std::vector<double> scores{1, 3, 2, 2, 5};
  const int64_t steps = train(
      trainer, demonstrations, {.steps = 100, .evaluate_every = 2, .patience = 2},
      LastMetrics{&seen},
      [&] {
        states.push_back(model.clone());
        return scores[states.size() - 1];
      },
      &best);
  EXPECT_EQ(steps, 8);  // two evaluations after the best
  EXPECT_EQ(best.step(), 4);
  EXPECT_THAT(seen, testing::ElementsAre(1, 3, 2, 2));
  EXPECT_EQ(distance(model, states[1]), 0.0);
}

TEST(Train, AnEvaluationThatIsNoNumberIsNamedAndSpoilsNothing) {
  CausalLM model = tiny_model();
  SftTrainer trainer{model, SftOptions{}};
  BestWeights best{model.named_parameters()};
  std::vector<double> seen;
  EXPECT_THAT(error_of([&] {
                train(
                    trainer, demonstrations, {.steps = 4, .evaluate_every = 2}, LastMetrics{&seen},
                    [&] { return seen.empty() ? 1.0 : NAN; }, &best);
              }),
              HasSubstr("evaluation after step 4"));
  EXPECT_EQ(best.step(), 2);
  EXPECT_THAT(error_of([&] { best.offer(NAN, 6); }), HasSubstr("a finite number"));
}

TEST(Train, TheRunMayGoOnAfterwards) {
  const test::TemporaryFolder folder;
  CausalLM model = tiny_model();
  SftTrainer trainer{model, SftOptions{}};
  MetricHistory sink;
  rlhf::Run run{folder / "run", {{"trainer", trainer}}};
  train(trainer, demonstrations, {.steps = 2}, sink, {}, nullptr, &run);
  run.until(3, [&](int64_t) { trainer.step(demonstrations()); });
  EXPECT_EQ(trainer.steps(), 3);
}

}  // namespace
}  // namespace rlhf
